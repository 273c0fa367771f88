-- Who saw what, over all patients of a clinic. What was denied before it was known whose it was
-- stands under no patient, with the clinic that the actor acted for.
ALTER TABLE access_entry ADD COLUMN clinic_id text NOT NULL DEFAULT '';
UPDATE access_entry AS entry SET clinic_id = patient.clinic_id
FROM patient WHERE patient.patient_id = entry.patient_id;

CREATE INDEX access_entry_of_clinic ON access_entry (clinic_id, at, event_id, patient_id);
CREATE INDEX access_entry_of_actor ON access_entry (actor_id, at, event_id, patient_id);
CREATE INDEX access_entry_at ON access_entry (at, event_id, patient_id);
CREATE INDEX access_entry_emergency ON access_entry (at, event_id, patient_id)
    WHERE reason = 'break_glass' OR rpc IN (
        'rehab.identity.v1.IdentityService/TakeEmergencyAccess',
        'rehab.identity.v1.IdentityService/EndEmergencyAccess',
        'rehab.identity.v1.IdentityService/ReviewEmergencyAccess');
CREATE INDEX access_entry_of_nobody ON access_entry (patient_id)
    WHERE clinic_id = '' AND patient_id <> '';
