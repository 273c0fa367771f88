"""Nobody reaches a handler whom the gate does not admit, and the log tells of who does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from rehab.identity.v1 import consent_service_pb2 as pb
from rehab.projections.v1 import projections_service_pb2 as work_pb
from rehab_runtime.access.facts import Care, Consent, PatientFacts
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.rules import Rule
from rehab_runtime.access.table import (
    ACCOUNTS,
    ANYBODY,
    CONSENTS,
    FIGURES,
    NOBODY_YET,
    OWN_ACCOUNT,
    QUEUE,
    RECORD,
)
from rehab_runtime.access.trail import Told, Trail
from rehab_runtime.auth import (
    ROLES,
    DevelopmentAuthenticator,
    Principal,
    bearer,
    current_principal,
    service_principal,
)
from rehab_runtime.channels import channel
from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import (
    RehabError,
    Unavailable,
    from_rpc_error,
)
from rehab_runtime.server import serve_grpc
from rehab_runtime.settings import ServiceSettings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
TREATED = PatientFacts(
    "patient-1",
    "clinic-1",
    team=(Care("ann", NOW - DAY),),
    consents=(Consent("c-1", "treatment", NOW - DAY),),
)
PATIENTS = {
    one.patient_id: one
    for one in (
        TREATED,
        replace(TREATED, patient_id="patient-2", consents=()),
        PatientFacts("patient-3", "clinic-2"),
        PatientFacts("patient-4", "clinic-1", erased=True),
    )
}
SERVICE = "test.Gated"
TABLE = {
    f"/{SERVICE}/{name}": rule
    for name, rule in {
        "Record": RECORD,
        "Watched": RECORD,
        "Consents": CONSENTS,
        "Queue": QUEUE,
        "Figures": FIGURES,
        "Accounts": ACCOUNTS,
        "Account": OWN_ACCOUNT,
        "Anybody": ANYBODY,
        "Open": NOBODY_YET,
        "Suite": Rule({"service": ANYBODY.who["service"]}),
        "Streamed": replace(QUEUE, clinic=""),
    }.items()
}


@dataclass
class World:
    """What the gate stands on, and what the handlers saw."""

    reached: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    error: RehabError | None = None
    away: bool = False
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    gate: Any = None
    address: str = ""

    async def facts_of(self, patient_ids: Iterable[str]) -> Mapping[str, PatientFacts]:
        if self.away:
            raise Unavailable("identity")
        return {one: PATIENTS.get(one, PatientFacts(one)) for one in patient_ids}

    async def tell(self, told: Sequence[Told]) -> None:
        if self.error is not None:
            raise self.error
        self.told += told

    async def ask(self, rpc: str, request: Any, who: Principal | None, kind: str = "") -> Any:
        metadata = (bearer(who),) if who is not None else ()
        async with channel(self.address) as connection:
            make = getattr(connection, kind or "unary_unary")
            call = make(
                f"/{SERVICE}/{rpc}",
                request_serializer=lambda one: one.SerializeToString(),
                response_deserializer=bytes,
            )
            try:
                if kind == "unary_stream":
                    return [one async for one in call(request, metadata=metadata, timeout=10)]
                if kind == "stream_unary":
                    return await call(iter([request]), metadata=metadata, timeout=10)
                return await call(request, metadata=metadata, timeout=10)
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error) from None

    async def verdict(self, rpc: str, request: Any, who: Principal | None, kind: str = "") -> str:
        """What the caller learns: "answered", or the name of the error and its reason."""
        before = len(self.reached)
        try:
            await self.ask(rpc, request, who, kind)
        except RehabError as error:
            assert len(self.reached) == before, "a handler ran for who was turned away"
            reason = error.metadata.get("reason", "")
            return f"{type(error).__name__} {reason}".strip()
        return "answered"


class _Servicer:
    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        def of(name: str) -> Any:
            async def unary(request: Any, _: Any) -> bytes:
                self.world.reached.append(name)
                if name == "Queue":
                    found = await self.world.gate.decide_each(f"/{SERVICE}/Queue", PATIENTS)
                    return " ".join(sorted(one for one in found if found[one].allowed)).encode()
                return b"" if name == "Open" else current_principal().id.encode()

            return unary

        async def watched(request: Any, _: Any) -> AsyncIterator[bytes]:
            self.world.reached.append("Watched")
            yield b"one"
            yield b"two"

        async def streamed(requests: AsyncIterator[Any], _: Any) -> bytes:
            self.world.reached.append("Streamed")
            return b""

        list_ = pb.ListConsentsRequest.FromString
        queue = work_pb.ListWorkQueueRequest.FromString
        parse = dict.fromkeys(("Queue", "Figures", "Accounts"), queue)
        names = [one.rsplit("/", 1)[1] for one in TABLE] + ["Unlisted"]
        made = {
            name: grpc.unary_unary_rpc_method_handler(of(name), parse.get(name, list_), bytes)
            for name in names
        }
        made["Watched"] = grpc.unary_stream_rpc_method_handler(watched, list_, bytes)
        made["Streamed"] = grpc.stream_unary_rpc_method_handler(streamed, queue, bytes)
        return made


@asynccontextmanager
async def gated() -> AsyncIterator[World]:
    world = World()
    trail = Trail(world.tell, world.clock, covered_s=60, pace_s=0)
    running = asyncio.create_task(trail.run())
    world.gate = Gate(TABLE, world, trail, world.clock)

    def add(server: grpc.aio.Server) -> list[str]:
        server.add_registered_method_handlers(SERVICE, _Servicer(world).handlers())
        return [SERVICE]

    settings = ServiceSettings(metrics_listen="", drain_s=1)
    async with serve_grpc(
        settings, add, authenticator=DevelopmentAuthenticator(), gate=world.gate
    ) as server:
        world.address = server.address
        yield world
    await trail.close()
    await running


def principal(role: str, name: str = "", clinic: str = "clinic-1") -> Principal:
    name = name or {"therapist": "ann", "patient": "patient-1"}.get(role, f"{role}-1")
    if role == "service":
        return service_principal("emr")
    return Principal(name, role, clinic)


def about(patient_id: str) -> pb.ListConsentsRequest:
    return pb.ListConsentsRequest(patient_id=patient_id)


def of_clinic(clinic_id: str = "clinic-1") -> work_pb.ListWorkQueueRequest:
    return work_pb.ListWorkQueueRequest(clinic_id=clinic_id)


ANSWERED = "answered"
ROLE = "PermissionDenied role"
CELLS = [
    ("Record", principal("therapist"), "patient-1", ANSWERED),
    ("Record", principal("therapist"), "patient-2", "PermissionDenied no_consent"),
    ("Record", principal("therapist"), "patient-3", "NotFound"),
    ("Record", principal("therapist"), "patient-4", "NotFound"),
    ("Record", principal("therapist"), "patient-9", "NotFound"),
    ("Record", principal("therapist", "bob"), "patient-1", "PermissionDenied no_relationship"),
    ("Record", principal("therapist", "ann", "clinic-2"), "patient-1", "NotFound"),
    ("Record", principal("patient"), "patient-1", ANSWERED),
    ("Record", principal("patient"), "patient-2", "PermissionDenied no_relationship"),
    ("Record", principal("admin"), "patient-1", ROLE),
    ("Record", principal("emergency"), "patient-1", "PermissionDenied no_relationship"),
    ("Record", principal("service"), "patient-3", ANSWERED),
    ("Record", principal("service"), "", ANSWERED),
    ("Record", principal("patient"), "", "InvalidArgument"),
    ("Record", principal("therapist"), "x" * 65, "InvalidArgument"),
    ("Record", None, "patient-1", "Unauthenticated"),
    ("Consents", principal("admin"), "patient-2", ANSWERED),
    ("Consents", principal("admin"), "patient-3", "NotFound"),
    ("Suite", principal("admin"), "", ROLE),
    ("Suite", principal("service"), "", ANSWERED),
    ("Anybody", principal("patient"), "", ANSWERED),
    ("Anybody", None, "", "Unauthenticated"),
    ("Open", None, "", ANSWERED),
    ("Unlisted", principal("service"), "", "PermissionDenied unlisted"),
    ("Account", principal("patient"), "", ANSWERED),
]


@pytest.mark.parametrize(("rpc", "who", "patient", "verdict"), CELLS)
async def test_a_caller_is_admitted_or_turned_away(
    rpc: str, who: Principal | None, patient: str, verdict: str
) -> None:
    async with gated() as world:
        assert await world.verdict(rpc, about(patient), who) == verdict


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_clinics_figures_are_for_who_belongs_to_it(role: str) -> None:
    async with gated() as world:
        for rpc in ("Figures", "Accounts", "Queue"):
            rule = TABLE[f"/{SERVICE}/{rpc}"]
            expected = ANSWERED if role in rule.who else ROLE
            assert await world.verdict(rpc, of_clinic(), principal(role)) == expected
            if role in rule.who and role != "service":
                elsewhere = await world.verdict(rpc, of_clinic("clinic-2"), principal(role))
                assert elsewhere == "NotFound"
                nowhere = await world.verdict(rpc, of_clinic(""), principal(role))
                assert nowhere == "InvalidArgument"


async def test_streams_are_admitted_before_their_first_message() -> None:
    async with gated() as world:
        ann, bob = principal("therapist"), principal("therapist", "bob")
        found = await world.ask("Watched", about("patient-1"), ann, "unary_stream")
        assert found == [b"one", b"two"]
        denied = await world.verdict("Watched", about("patient-1"), bob, "unary_stream")
        assert denied == "PermissionDenied no_relationship"
        assert await world.verdict("Streamed", of_clinic(), ann, "stream_unary") == ANSWERED
        patient = principal("patient")
        assert await world.verdict("Streamed", of_clinic(), patient, "stream_unary") == ROLE


async def test_the_log_tells_of_an_access_before_the_handler_runs() -> None:
    async with gated() as world:
        await world.ask("Record", about("patient-1"), principal("therapist"))
        (told,) = world.told
        assert told.subjects == ["patient-1"]
        assert told.reading == (
            *("ann", "therapist", f"{SERVICE}/Record", True, "treats", "treatment", "c-1"),
            "clinic-1",
        )
        world.error = Unavailable("the log")
        assert await world.verdict("Record", about("patient-1"), principal("therapist")) == ANSWERED
        world.clock.advance(60)
        gone = await world.verdict("Record", about("patient-1"), principal("therapist"))
        assert gone == "Unavailable"


async def test_denials_are_told_with_whom_they_were_about_if_that_is_known() -> None:
    async with gated() as world:
        for patient in ("patient-1", "patient-9", "patient-3"):
            await world.verdict("Record", about(patient), principal("therapist", "bob"))
        await world.verdict("Unlisted", about("patient-1"), principal("therapist"))
    told = [(one.reading.reason, list(one.subjects)) for one in world.told]
    assert told == [
        ("no_relationship", ["patient-1"]),
        ("unknown_patient", []),
        ("other_clinic", ["patient-3"]),
        ("unlisted", []),
    ]
    assert not any(one.reading.allowed for one in world.told)


async def test_a_queue_shows_the_patients_whom_the_rule_allows_and_tells_of_them() -> None:
    async with gated() as world:
        found = await world.ask("Queue", of_clinic(), principal("therapist"))
        assert found == b"patient-1"
        allowed = [one for one in world.told if one.reading.allowed]
        assert [(one.reading.consent_id, list(one.subjects)) for one in allowed] == [
            ("c-1", ["patient-1"])
        ]
    told = [one for one in world.told if not one.reading.allowed]
    denied = {one.reading.reason: list(one.subjects) for one in told}
    assert denied == {
        "no_consent": ["patient-2"],
        "other_clinic": ["patient-3"],
        "erased": ["patient-4"],
    }


async def test_nobody_is_admitted_while_identity_does_not_answer() -> None:
    async with gated() as world:
        world.away = True
        assert await world.verdict("Record", about("patient-1"), principal("patient")) == (
            "Unavailable"
        )
        assert await world.verdict("Anybody", about(""), principal("patient")) == ANSWERED
