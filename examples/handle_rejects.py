"""A refused event breaks nothing else: it is kept, says which rule it broke, and can be mended.

usage: handle_rejects.py [patient]
"""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime

from rehab_sdk import AsyncRehab, Rejected, dev_token, events

INGEST = os.environ.get("REHAB_INGEST", "127.0.0.1:7101")


async def main(patient: str = "example-patient") -> None:
    async with AsyncRehab.connect(
        ingest=INGEST,
        token=dev_token("patient", "clinic-1", patient),
        device_id=f"phone-of-{patient}",
        consent_id="consent-example",
    ) as client:
        agreed = events.consent_granted("consent-example", valid_from=datetime.now(UTC))
        await client.log(client.event(patient, agreed))
        async with client.session(patient=patient, exercise="squat") as session:
            await session.rep(score=82)
            bad = await session.rep(score=120)  # the scale ends at 100
            good = await session.rep(score=78)
            try:
                await bad
            except Rejected as rejected:
                for broken in rejected.violations:
                    print(f"refused: {broken.field} breaks {broken.rule}: {broken.message}")
                mended = events.Body()
                mended.CopyFrom(rejected.event.body)
                mended.rep_observation.reps[0].score = 100
                await session.log(mended)  # a new event with an id of its own
            print(f"its neighbour is durable at position {(await good).position}")
        print(f"{len(session.rejected)} event refused")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
