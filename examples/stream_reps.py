"""A therapist prescribes squats, and a phone streams a session of them.

usage: stream_reps.py [patient]      (start the suite with `rehab up` first)
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import UTC, datetime, timedelta

from rehab_sdk import AsyncRehab, Rejected, dev_token, events

INGEST = os.environ.get("REHAB_INGEST", "127.0.0.1:7101")
CLINIC, CONSENT, ZONE = "clinic-1", "consent-example", "Europe/Berlin"


async def prescribe(patient: str) -> None:
    today = datetime.now(UTC).date()
    token = dev_token("therapist", CLINIC, "therapist-1")
    async with AsyncRehab.connect(
        ingest=INGEST, token=token, consent_id=CONSENT, zone=ZONE
    ) as client:
        squats = events.plan_item(
            "squat", events.schedule("06:00", window_h=18), sets=2, reps=10, rom_target_deg=90
        )
        bodies = [
            events.consent_granted(CONSENT, valid_from=datetime.now(UTC) - timedelta(days=1)),
            events.enrolled(ZONE),
            events.care_team("therapist-1", primary=True),
            events.plan("plan-1", [squats], effective_from=today - timedelta(days=7), zone=ZONE),
        ]
        verdicts = await client.log_many([client.event(patient, body) for body in bodies])
        for refused in (verdict for verdict in verdicts if isinstance(verdict, Rejected)):
            raise refused


async def exercise(patient: str) -> int:
    async with AsyncRehab.connect(
        ingest=INGEST,
        token=dev_token("patient", CLINIC, patient),
        device_id=f"phone-of-{patient}",
        consent_id=CONSENT,
        zone=ZONE,
    ) as client:
        async with client.session(patient=patient, plan=1, exercise="squat") as session:
            await session.pain(2, phase="pre", site="knee")
            for _ in range(2):
                for _ in range(10):
                    score, rom = min(100, random.gauss(80, 8)), random.gauss(92, 4)
                    await session.rep(score=score, confidence=0.9, rom_deg=rom, duration_ms=2400)
                await session.set_completed(rpe=4)
            await session.pain(3, phase="post", site="knee")
        return max(client.last_positions.values())


async def main(patient: str = "example-patient") -> None:
    await prescribe(patient)
    print(f"durable up to position {await exercise(patient)}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
