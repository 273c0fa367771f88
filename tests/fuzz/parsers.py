"""Parsers, doors and folds of the suite, in one process and at full speed: each takes whatever
there is, and refuses what it does not take by an error of its own."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import Event, RecordedEvent
from rehab.events.v1.kinds import KINDS
from rehab.events.v1.tellers import SUITE_ONLY
from rehab.ingest.v1.ingest_service_pb2 import Hello
from rehab_identity.domain.credentials import (
    api_key,
    new_id,
    new_key_id,
    new_secret,
    read_api_key,
    read_refresh_token,
    refresh_token,
)
from rehab_identity.domain.fold import fold, touched
from rehab_identity.facts.codec import dump_record, load_record
from rehab_ingest.domain.clocks import skew_ms
from rehab_ingest.domain.door import refusal
from rehab_ingest.domain.rights import Told
from rehab_ingest.domain.tokens import Tokens
from rehab_ingest.quarantine import Quarantine
from rehab_projections.batch import FOLDED, Batch
from rehab_runtime import pages
from rehab_runtime.access import jws
from rehab_runtime.access.tokens import TokenAuthenticator
from rehab_runtime.auth import DevelopmentAuthenticator, PeerAuthenticator, Principal
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import RehabError
from rehab_runtime.tls import PEER
from rehab_runtime.upcasting import UPCASTERS
from tests.fuzz.finding import Finding
from tests.fuzz.messages import CLINIC, PATIENT, event, make_wild, recorded
from tests.fuzz.mutator import Mutator
from tests.identity.house import encoded, signed
from tests.support.hostile import CANARY

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLOCK = FixedClock(NOW)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
HMAC = b"h" * 32
PHONE = Principal("phone_id", "device", CLINIC, patient_id=PATIENT)
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "a"}
CLAIMS = {
    "iss": "rehab-identity",
    "aud": "rehab",
    "sub": "ann",
    "role": "patient",
    "clinic": CLINIC,
    "patient": "ann",
    "sid": "s1",
    "iat": NOW.timestamp(),
    "nbf": NOW.timestamp(),
    "exp": NOW.timestamp() + 600,
}
HELLO = Hello(clinic_id=CLINIC, device_id="phone_id", epoch=3, last_seq=9)
RESUME = Tokens(HMAC)
KEPT = Quarantine(CLOCK)
SHAPE: pages.Shape = (int, str, bool)


async def _jwks() -> Mapping[str, Any]:
    public = encoded(KEY.public_key().public_bytes_raw())
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": "a", "use": "sig"}]}


async def _no_key(told: str) -> Any:
    assert read_api_key(HMAC, told) is None, "nobody was given this one"
    raise jws.Unauthenticated("no API key")


PEOPLE = TokenAuthenticator(_jwks, _no_key, CLOCK, development=DevelopmentAuthenticator())
PEERS = PeerAuthenticator(PEOPLE, "eventstore")
GOOD = signed(KEY, HEADER, CLAIMS)


def token(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    """Nobody but whom the token names is let in, and by it as it was alone."""
    pick = made.random
    claims = {
        **CLAIMS,
        pick.choice(sorted(CLAIMS)): pick.choice((None, "", [], {}, -1, 1e300, "x")),
    }
    told = pick.choice(
        (
            *(GOOD, signed(KEY, HEADER, claims), f"dev.patient.{CLINIC}.ann"),
            *(api_key(b"other", new_key_id(), new_secret()), encoded(CLAIMS)),
        )
    )
    shown = "Bearer " + (made.text(told) if pick.random() < 0.9 else told)
    peer = made.text("spiffe://rehab/eventstore") if pick.random() < 0.2 else ""

    def work() -> None:
        who = asyncio.run(PEERS.authenticate({"authorization": shown, PEER: peer}))
        assert who.role != "service" or "dev.service" in shown, "a service by no certificate"
        assert not who.session_id or shown == f"Bearer {told}", "a token that nobody signed"

    return (shown + "\0" + peer).encode("utf-8", "surrogatepass"), work


def credential(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    key, refresh = api_key(HMAC, new_key_id(), new_secret()), refresh_token(new_id(), new_secret())
    told = made.text(made.random.choice((key, refresh)))

    def work() -> None:
        assert read_api_key(HMAC, told) is None or told == key
        assert read_refresh_token(told) is None or told.startswith("rt_")

    return told.encode(), work


def resume(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    hello = Hello.FromString(HELLO.SerializeToString())
    good = RESUME.issue(hello, 7)
    told = made.text(good)
    hello.resume_token = told

    def work() -> None:
        assert RESUME.read(hello) is None or told == good, "a token that was never given"

    return told.encode(), work


def greeting(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    good = Hello.FromString(HELLO.SerializeToString())
    good.device_time.FromDatetime(NOW)
    told = made.mutated(good.SerializeToString())
    return told, lambda: skew_ms(Hello.FromString(told), NOW)


def page(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    scope = (CLINIC, "patient")
    good = pages.issue(scope, [made.random.randrange(2**40), "text", True])
    if made.random.random() < 0.5:
        told = made.text(good)
    else:
        # anybody can compute the digest: it is no secret
        content = made.text(json.dumps([7, "text", True])).encode()
        told = base64.urlsafe_b64encode(pages._digest(scope, content) + content).decode()
    return told.encode(), lambda: pages.redeem(scope, told, SHAPE)


def door(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    """An event of a phone: its verdict names rules, and nothing of what it says."""
    told = made.mutated(event(made.random).SerializeToString())
    skew = made.random.choice((0, 0, 7_200_000, -(2**62)))

    def work() -> None:
        arrived = Event.FromString(told)
        error = refusal(arrived, CLINIC, 262_144, skew)
        if error is None:
            Told().and_of(arrived)
            return
        assert CANARY not in error.message + str(error.metadata), "the refusal quotes the event"
        KEPT.kept(arrived, error, PHONE)

    return told, work


def folds(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    """Events of a log with a wrong one in between: folds take them or hold the stream back."""
    pick = made.random
    kind = pick.choice(sorted(FOLDED & KINDS.keys() | {"access", "break_glass"}))
    stored = [recorded(event(pick, one), at) for at, one in enumerate((kind, kind, "consent"), 1)]
    wrong = stored[1]
    wrong.body = made.mutated(wrong.body)
    if pick.random() < 0.3:
        wrong.envelope.zone, wrong.envelope.corrects = made.text("UTC"), made.text("x")
    if kind in ("access", "break_glass"):
        wrong.envelope.subject_id = "audit-identity-0"
    told = RecordedEvent.SerializeToString(wrong)

    def work() -> None:
        assert CANARY not in str(_folded(stored)), "the reason quotes the event"

    return told, work


def through(made: Mutator) -> tuple[bytes, Callable[[], object]]:
    """What the door lets in, every fold takes: nobody's phone can hold back a patient's stream."""
    pick = made.random
    kind = pick.choice(sorted(FOLDED & KINDS.keys() - SUITE_ONLY))
    events = [event(pick, one) for one in (kind, kind, "plan", "exercise_session")]
    make_wild(events[1].body, pick)
    if pick.random() < 0.3:
        make_wild(events[1].envelope, pick)
    told = events[1].SerializeToString()

    def work() -> None:
        Told().and_of(events[1])
        held = _folded([recorded(one, at) for at, one in enumerate(events, 1)])
        assert not held, f"the stream is held back: {held}"

    return told, work if refusal(events[1], CLINIC, 262_144) is None else lambda: None


def _folded(stored: Sequence[RecordedEvent]) -> Sequence[object]:
    """By the read models and by identity; what is held back, and why."""
    UPCASTERS.bring_forward(stored)
    batch = Batch()
    batch.open(one for one in stored if one.envelope.kind in FOLDED)
    for fact, one in batch.facts:
        batch.fold(fact, one)
    changes = fold({}, stored, 0, touched(stored, {}))
    for record in changes.records:
        assert load_record(dump_record(record)) == record
    return batch.changes().parked


TARGETS = {
    one.__name__: one for one in (token, credential, resume, greeting, page, door, folds, through)
}
ALLOWED = (RehabError, DecodeError)


def throw(target: str, seed: int, number: int) -> None:
    """Input `number` of a run. Raises Finding."""
    made = Mutator(f"{seed}:{target}:{number}")
    told, work = TARGETS[target](made)
    try:
        work()
    except ALLOWED:
        pass
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise Finding(target, seed, number, told, what) from error
