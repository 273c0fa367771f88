"""Who needs a therapist, now and as it changes.

usage: watch_work_queue.py [changes]      (stop after so many changes; for ever without)
"""

from __future__ import annotations

import asyncio
import math
import os
import sys

from rehab_sdk import AsyncRehab, dev_token

PROJECTIONS = os.environ.get("REHAB_PROJECTIONS", "127.0.0.1:7102")


async def main(changes: float = math.inf) -> None:
    token = dev_token("therapist", "clinic-1", "therapist-1")
    async with (
        AsyncRehab.connect(projections=PROJECTIONS, token=token) as client,
        client.work_queue.watch() as queue,
    ):
        listed = False
        async for change in queue:
            match change.WhichOneof("change"):
                case "upserted":
                    item = change.upserted
                    reasons = ", ".join(reason.code for reason in item.reasons)
                    print(f"{item.patient_id}: {reasons}", flush=True)
                case "removed_item_id":
                    print(f"done: {change.removed_item_id}", flush=True)
                case "listed":
                    print("--- now waiting for changes", flush=True)
            changes -= listed
            if changes <= 0:
                break
            listed = listed or change.HasField("listed")


if __name__ == "__main__":
    asyncio.run(main(*(float(number) for number in sys.argv[1:])))
