"""What the record system is told of a patient: pure functions from the patient's events to FHIR."""
