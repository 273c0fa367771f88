"""A FHIR R4 server as hospitals have them, faults included. It knows nothing of the suite."""
