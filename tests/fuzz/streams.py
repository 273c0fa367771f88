"""Conversations of a device that says the wrong thing at the wrong time."""

from __future__ import annotations

import asyncio
import random

import grpc

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_runtime.auth import Principal, bearer
from tests.fuzz.finding import Finding, untyped
from tests.fuzz.house import House
from tests.fuzz.messages import CLINIC, PATIENT, event
from tests.fuzz.mutator import Mutator
from tests.support.hostile import CANARY

TARGET = "streams"
METHOD = "/rehab.ingest.v1.IngestService/StreamObservations"
WAIT_S = 30.0
SEQS = (0, 1, 2, 3, 9, 1000, 1001, 2**31, 2**63 - 1, 2**63, 2**64 - 1)
Frame = pb.StreamObservationsRequest


def hello(pick: random.Random, device: str) -> Frame:
    made = pb.Hello(clinic_id=CLINIC, device_id=device, epoch=1)
    if pick.random() < 0.3:
        made.epoch, made.last_seq = pick.choice(SEQS), pick.choice(SEQS)
    if pick.random() < 0.2:
        made.resume_token = pick.choice((CANARY, "1.5.abcdef", "1.\u0661.x", "2", "1..", "." * 512))
    if pick.random() < 0.2:
        made.device_time.seconds = pick.choice((0, 2**40, -(2**62), 2**63 - 1, 253_402_300_800))
        made.device_time.nanos = pick.choice((0, -1, 2**31 - 1))
    return Frame(hello=made)


def batch(pick: random.Random, first: int) -> Frame:
    count = pick.choice((0, 1, 1, 2, 5))
    events = [event(pick, pick.choice(("rep_observation", ""))) for _ in range(count)]
    seq = first if pick.random() < 0.7 else pick.choice(SEQS)
    return Frame(batch=pb.Batch(first_seq=seq, events=events))


def conversation(made: Mutator, number: int) -> list[bytes]:
    """Frames in some order: most begin as they should."""
    pick = made.random
    frames = [hello(pick, f"phone-{number % 200}")] if pick.random() < 0.85 else []
    seq = 1
    for _ in range(pick.randrange(1, 6)):
        frame = hello(pick, "phone_id") if pick.random() < 0.1 else batch(pick, seq)
        frames.append(frame)
        seq += len(frame.batch.events)
    raw = [one.SerializeToString() for one in frames]
    if pick.random() < 0.5:
        place = pick.randrange(len(raw))
        raw[place] = made.mutated(raw[place])
    return raw


async def throw(house: House, seed: int, number: int) -> int:
    """Conversation `number` of a run; how many frames it had. Raises Finding."""
    made = Mutator(f"{seed}:{TARGET}:{number}")
    frames = conversation(made, number)
    what = await asyncio.get_running_loop().run_in_executor(house.threads, _said, house, frames)
    if what:
        raise Finding(TARGET, seed, number, b"".join(frames), what)
    return len(frames)


def _said(house: House, frames: list[bytes]) -> str:
    """What is wrong with the answers. Not by grpc.aio, whose client, when a stream ends while it
    writes, tells an error of its own in the place of the server's."""
    who = Principal(PATIENT, "patient", CLINIC)
    open_ = house.phones.stream_stream(METHOD)
    call = open_(iter(frames), metadata=(bearer(who),), timeout=WAIT_S)
    try:
        for said in call:
            if CANARY.encode() in said:
                return "an answer quotes it"
    except grpc.RpcError as error:
        return untyped(error)
    return ""
