"""How a patient does, now and as it changes.

usage: watch_patient.py PATIENT [answers]      (stop after so many answers; for ever without)
"""

from __future__ import annotations

import asyncio
import math
import os
import sys

from rehab_sdk import AsyncRehab, dev_token

PROJECTIONS = os.environ.get("REHAB_PROJECTIONS", "127.0.0.1:7102")


async def main(patient: str, answers: float = math.inf) -> None:
    token = dev_token("therapist", "clinic-1", "therapist-1")
    async with (
        AsyncRehab.connect(projections=PROJECTIONS, token=token) as client,
        client.watch(client.patients.adherence, patient, days=7) as adherence,
    ):
        async for told in adherence:
            print(f"{told.sessions} sessions, {told.started} of {told.due} started", flush=True)
            answers -= 1
            if answers <= 0:
                break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *(float(number) for number in sys.argv[2:])))
