"""Pushes sessions, weeks, vitals and pain to hospitals' record systems as FHIR R4, exactly once as
far as the receiver can tell. Reads the log; writes `emr_delivery` events, before a resource leaves
and after the receiver answered."""
