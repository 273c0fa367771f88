"""Histories against a model of the log that fits on a page: both answer alike."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.errors import EventIdReused, RehabError, VersionConflict, from_failure
from tests.eventstore.given import append, copy, event
from tests.eventstore.store import Store

pytestmark = pytest.mark.asyncio(loop_scope="module")
STREAMS = 3
KINDS = ("pain_report", "note")
_histories = itertools.count()

Answer = tuple[Any, ...]
"""(stream version, duplicate) for each append of a request, or the name of its error."""


@dataclass
class Model:
    """Streams of (event id, kind, body)."""

    streams: dict[str, list[tuple[str, str, bytes]]] = field(default_factory=dict)

    def append(self, request: pb.AppendRequest) -> Answer:
        return self.atomic([request], ())

    def atomic(self, requests: list[pb.AppendRequest], guards: Any) -> Answer:
        """All or none of the requests, each for a stream of its own."""
        known = [self._known(request) for request in requests]
        if "EventIdReused" in known:
            return ("EventIdReused",)
        if any(place is None for places in known for place in places):
            for part in [*requests, *guards]:
                if not self._holds(part):
                    return ("VersionConflict",)
        return tuple(self._write(request) for request in requests)

    def _known(self, request: pb.AppendRequest) -> Any:
        """Where each event stands, None where it does not."""
        there = {one[0]: one for one in self.streams.get(request.stream, ())}
        places: list[Any] = []
        for one in request.events:
            stored = there.get(one.envelope.event_id)
            if stored is not None and stored != _kept(one):
                return "EventIdReused"
            places.append(stored)
        return places

    def _holds(self, part: Any) -> bool:
        version = len(self.streams.get(part.stream, ()))
        match part.expected.WhichOneof("condition"):
            case "none":
                return version == 0
            case "exists":
                return version > 0
            case "exactly":
                return bool(version == part.expected.exactly)
        return True

    def _write(self, request: pb.AppendRequest) -> tuple[int, bool]:
        stored = self.streams.setdefault(request.stream, [])
        before = len(stored)
        there = [one[0] for one in stored]
        for one in request.events:
            if one.envelope.event_id not in there:
                stored.append(_kept(one))
                there.append(one.envelope.event_id)
        last = there.index(request.events[-1].envelope.event_id) + 1
        return last, len(stored) == before

    def read(self, asked: dict[str, Any]) -> list[tuple[int, str, str, bytes]]:
        rows = [(n, *one) for n, one in enumerate(self.streams.get(asked["stream"], ()), 1)]
        after, until = asked.get("after_version", 0), asked.get("until_version", 0)
        if asked.get("backwards"):
            rows = [row for row in rows if (not after or row[0] < after) and row[0] >= until]
            rows.reverse()
        else:
            rows = [row for row in rows if row[0] > after and (not until or row[0] <= until)]
        rows = [row for row in rows if not asked.get("kinds") or row[2] in asked["kinds"]]
        return rows[: asked.get("limit") or None]


def _kept(one: pb.NewEvent) -> tuple[str, str, bytes]:
    return one.envelope.event_id, one.envelope.kind, one.body


def name_of(error: RehabError) -> str:
    assert isinstance(error, VersionConflict | EventIdReused), error
    return type(error).__name__


conditions = st.sampled_from(["any", "none", "exists"]) | st.integers(0, 5)
streams = st.integers(0, STREAMS - 1)
new_events = st.lists(
    st.tuples(st.sampled_from(KINDS), st.binary(max_size=4)), min_size=1, max_size=3
)
appends = st.tuples(streams, conditions, new_events)
operations = st.one_of(
    st.tuples(st.just("append"), appends),
    st.tuples(st.just("batch"), st.lists(appends, min_size=1, max_size=4)),
    st.tuples(
        st.just("atomic"),
        st.lists(appends, min_size=1, max_size=2, unique_by=lambda one: one[0]),
        st.tuples(streams, conditions),
    ),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("altered"), st.integers(0, 50)),
    st.tuples(
        st.just("read"),
        streams,
        st.fixed_dictionaries(
            {},
            optional={
                "after_version": st.integers(0, 6),
                "until_version": st.integers(0, 6),
                "limit": st.integers(0, 4),
                "backwards": st.booleans(),
                "kinds": st.lists(st.sampled_from(KINDS), unique=True),
            },
        ),
    ),
)


class History:
    """One history, lived by the log and by the model."""

    def __init__(self, log: Store) -> None:
        self._log = log
        self._model = Model()
        self._name = f"history-{next(_histories)}"
        self._sent: list[pb.AppendRequest] = []

    async def live(self, operation: Any) -> None:
        match operation:
            case ("append", one):
                await self._append(self._request(one))
            case ("again", place) if self._sent:
                await self._append(self._sent[place % len(self._sent)])
            case ("altered", place) if self._sent:
                altered = copy(self._sent[place % len(self._sent)])
                altered.events[0].body += b"!"
                await self._append(altered)
            case ("batch", several):
                await self._batch([self._request(one) for one in several])
            case ("atomic", several, (stream, condition)):
                await self._atomic([self._request(one) for one in several], stream, condition)
            case ("read", stream, asked):
                await self._read({"stream": self._stream(stream), **asked})

    def _stream(self, number: int) -> str:
        return f"{self._name}-{number}"

    def _request(self, one: Any) -> pb.AppendRequest:
        number, condition, told = one
        stream = self._stream(number)
        made = [event(stream, body, kind=kind) for kind, body in told]
        request = append(stream, *made, expected=condition)
        self._sent.append(request)
        return request

    async def _append(self, request: pb.AppendRequest) -> None:
        expected = self._model.append(request)
        try:
            answer = await self._log.append(copy(request))
        except RehabError as error:
            assert (name_of(error),) == expected
        else:
            assert ((answer.stream_version, answer.duplicate),) == expected

    async def _batch(self, requests: list[pb.AppendRequest]) -> None:
        expected = [self._model.append(request) for request in requests]
        verdicts = await self._log.batch(*map(copy, requests))
        for verdict, wanted in zip(verdicts, expected, strict=True):
            if verdict.HasField("failure"):
                assert (name_of(from_failure(verdict.failure)),) == wanted
            else:
                one = verdict.appended
                assert ((one.stream_version, one.duplicate),) == wanted

    async def _atomic(self, requests: list[pb.AppendRequest], stream: int, condition: Any) -> None:
        written = {request.stream for request in requests}
        guarded = append(self._stream(stream), expected=condition)
        guards = [] if guarded.stream in written else [guarded]
        expected = self._model.atomic(requests, guards)
        asked = [pb.Guard(stream=one.stream, expected=one.expected) for one in guards]
        try:
            answers = await self._log.atomic(*map(copy, requests), guards=asked)
        except RehabError as error:
            assert (name_of(error),) == expected
        else:
            assert tuple((one.stream_version, one.duplicate) for one in answers) == expected

    async def _read(self, asked: dict[str, Any]) -> None:
        told = [
            (one.envelope.stream_version, one.envelope.event_id, one.envelope.kind, one.body)
            for one in await self._log.stream(**asked)
        ]
        assert told == self._model.read(asked)

    async def agrees(self) -> None:
        for number in range(STREAMS):
            await self._read({"stream": self._stream(number)})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(operations, min_size=3, max_size=25))
async def test_the_log_answers_as_its_model_does(shared: Store, history: list[Any]) -> None:
    living = History(shared)
    for operation in history:
        await living.live(operation)
    await living.agrees()
