"""Phones that connect, say hello, send what they have, and are cut off; again and again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.auth import Principal
from tests.fuzz.house import House
from tests.fuzz.messages import CLINIC, PATIENT, event
from tests.support.http2 import DATA, begun, cut, frame, frames, message, opened

METHOD = "/rehab.ingest.v1.IngestService/StreamObservations"
AT_ONCE = 8
PHONES = 50


@dataclass(frozen=True)
class Come:
    """How many came, and how many of them were welcomed before they were cut off."""

    came: int
    welcomed: int


async def come_and_go(
    house: House, count: int, say: Callable[[int, str], None] = lambda done, what: None
) -> Come:
    """So many connections, some at once."""
    address = house.suite.services["ingest"].address
    loop, welcomed, done = asyncio.get_running_loop(), 0, 0

    async def work(worker: int) -> None:
        nonlocal welcomed, done
        for number in range(worker, count, AT_ONCE):
            well = await loop.run_in_executor(house.threads, _come, address, number)
            welcomed, done = welcomed + well, done + 1
            say(done, "reconnects")

    await asyncio.gather(*(work(worker) for worker in range(min(AT_ONCE, count))))
    return Come(done, welcomed)


def _come(address: str, number: int) -> bool:
    """Whether there was an answer before it went without a word."""
    hello = pb.Hello(clinic_id=CLINIC, device_id=f"comes-{number % PHONES}", epoch=1)
    sent = [pb.StreamObservationsRequest(hello=hello)]
    if number % 3 == 0:
        # of a number that may be right or not: it was told how far it is in no answer
        told = event(random.Random(number), "rep_observation")
        sent.append(pb.StreamObservationsRequest(batch=pb.Batch(first_seq=1, events=[told])))
    raw = begun(METHOD, Principal(PATIENT, "patient", CLINIC))
    raw += b"".join(frame(DATA, 0, 1, message(one.SerializeToString())) for one in sent)
    connection = opened(address)
    try:
        connection.sendall(raw)
        answered = b""
        while not any(kind == DATA for kind, *_ in frames(answered)):
            chunk = connection.recv(65_536)
            if not chunk:
                return False
            answered += chunk
        return True
    except OSError:
        return False
    finally:
        cut(connection)
