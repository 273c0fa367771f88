"""How much of the prescription a patient did, and how well. This one needs no event loop.

usage: read_adherence.py [patient]      (stream_reps.py makes one)
"""

from __future__ import annotations

import os
import sys

from rehab_sdk import Rehab, dev_token

PROJECTIONS = os.environ.get("REHAB_PROJECTIONS", "127.0.0.1:7102")


def main(patient: str = "example-patient") -> None:
    token = dev_token("therapist", "clinic-1", "therapist-1")
    with Rehab.connect(projections=PROJECTIONS, token=token) as client:
        adherence = client.patients.adherence(patient, days="whole_plan")
        print(f"{adherence.started} of {adherence.due} due windows started")
        if adherence.HasField("dose_ratio"):  # absent, not 0, when nothing was due
            print(f"{adherence.dose_ratio:.0%} of the dose done")
        for exercise in client.patients.quality(patient, days=28).exercises:
            print(f"{exercise.exercise_id}: {exercise.reps} reps, {exercise.good} good,", end=" ")
            print(f"median score {exercise.median_score:.0f}")
        for session in client.patients.sessions(patient):
            print(f"{session.local_date}: {session.status}, {session.reps} reps")


if __name__ == "__main__":
    main(*sys.argv[1:])
