"""Erasure by destroying keys, over a real channel: what is left, who may, what cannot stop it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from nats import connect as connect_to_broker

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE, ERASURE_STAGE_REQUESTED, Erasure
from rehab.events.v1.event_pb2 import Body, LogMessage, RecordedEvent
from rehab.eventstore.v1 import erasure_service_pb2 as pb
from rehab.eventstore.v1 import proof_service_pb2 as proof_pb
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.bodies import Bodies
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import (
    Erased,
    InvalidArgument,
    LegalHold,
    NotFound,
    PermissionDenied,
)
from rehab_runtime.eventlog import EventLog
from rehab_runtime.folding import Fold, Snapshots, fold_stream
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, copy, event, some_stream
from tests.eventstore.store import Store, refused, rules, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(module_dsn: str, nats: Nats) -> AsyncIterator[tuple[Store, Store]]:
    """Two replicas of one event store."""
    told = settings_for(module_dsn, nats.url, checkpoint_ms=20)
    async with store(told) as one, store(told) as other:
        yield one, other


async def with_events(made: Store, count: int = 3) -> str:
    """A stream with sealed events and one in the clear."""
    stream = some_stream()
    sealed = [event(stream, b"secret %d" % n, phi=True, consent_id="c-1") for n in range(count)]
    await made.append(append(stream, *sealed, event(stream, b"clear", kind="note")))
    return stream


async def test_every_read_of_an_erased_subject_answers_envelopes_only(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    head = (await one.head()).position
    stream = await with_events(one)
    neighbour = await with_events(other)
    live = one.subscribe(after_position=head)
    shown = (await anext(live)).page.events
    assert not any(event_.erased for event_ in shown)
    done = await Erasing(one).erase(stream)
    assert done.keys == 1
    for replica in two:
        for read in (
            await replica.stream(stream),
            await replica.stream(stream, backwards=True),
            [e for e in await replica.all(after_position=head) if e.envelope.subject_id == stream],
            [
                event_
                for message in [await anext(replica.subscribe(after_position=head))]
                for event_ in message.page.events
                if event_.envelope.subject_id == stream
            ],
        ):
            sealed = [event_ for event_ in read if event_.envelope.phi]
            assert len(sealed) == 3
            assert all(event_.erased and event_.body == b"" for event_ in sealed)
            (clear,) = [e for e in read if e.envelope.kind == "note"]
            assert (clear.body, clear.erased) == (b"clear", False)
        untouched = await replica.stream(neighbour)
        await replica.open(untouched)
        assert [e.body for e in untouched if e.envelope.phi] == [b"secret %d" % n for n in range(3)]
    await live.aclose()  # type: ignore[attr-defined]


async def test_the_log_tells_of_an_erasure_where_its_answer_says(two: tuple[Store, Store]) -> None:
    one, other = two
    stream = await with_events(one)
    (key_id,) = {e.key_id for e in await one.stream(stream) if e.key_id}
    done = await Erasing(one).erase(stream)
    told = (await other.stream(stream))[-1]
    assert (told.envelope.kind, told.envelope.position) == ("erasure", done.position)
    erasure = Body.FromString(told.body).erasure
    assert erasure.stage == ERASURE_STAGE_DONE
    assert (erasure.reason, list(erasure.key_ids)) == ("request", [key_id])
    assert not told.envelope.phi
    assert told.envelope.actor.id == "cli"


async def test_nothing_is_added_to_an_erased_stream_by_any_replica(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    stream = await with_events(one)
    await other.append(append(stream, event(stream, b"more", phi=True, consent_id="c-1")))
    await Erasing(one).erase(stream)
    for replica in two:
        for new in (
            event(stream, b"late", phi=True, consent_id="c-1"),
            event(stream, b"late", kind="note"),
        ):
            assert isinstance(await refused(replica.append(append(stream, new))), Erased)
    assert len(await one.stream(stream)) == 6


async def test_an_erased_subject_never_gets_a_key_again(two: tuple[Store, Store]) -> None:
    one, other = two
    stream = some_stream()
    await one.append(append(stream, event(stream, b"clear", kind="note")))
    assert (await Erasing(one).erase(stream)).keys == 0
    late = append(stream, event(stream, b"late", phi=True, consent_id="c-1"))
    assert isinstance(await refused(other.append(late)), Erased)
    report = await Erasing(one).report(stream)
    assert list(report.keys) == []
    assert report.complete


async def test_a_token_confirms_one_subject_for_one_caller_until_it_expires(
    two: tuple[Store, Store], nats: Nats
) -> None:
    one, _ = two
    stream, another = await with_events(one), await with_events(one)
    token = (await Erasing(one).prepare(stream)).token
    wrong = await refused(Erasing(one).confirm(another, token))
    assert isinstance(wrong, InvalidArgument)
    assert rules(wrong) == [("token", "token.of_this")]
    stranger = Erasing(one, service_principal("identity"))
    assert rules(await refused(stranger.confirm(stream, token))) == [("token", "token.of_this")]
    assert rules(await refused(Erasing(one).confirm(stream, "x"))) == [("token", "token.form")]
    longer = token.replace(token.split(".")[1], "99999999999")
    assert rules(await refused(Erasing(one).confirm(stream, longer))) == [
        ("token", "token.of_this")
    ]
    hasty = settings_for(one.settings.postgres_dsn, nats.url, erasure_token_s=0.001)
    async with store(hasty) as brief:
        late = (await Erasing(brief).prepare(stream)).token
        await asyncio.sleep(1.1)
        assert rules(await refused(Erasing(brief).confirm(stream, late))) == [
            ("token", "token.expired")
        ]
    assert not any(e.erased for e in await one.stream(stream))


async def test_an_erasure_confirmed_twice_is_done_once(two: tuple[Store, Store]) -> None:
    one, other = two
    stream = await with_events(one)
    token = (await Erasing(one).prepare(stream)).token
    answers = await asyncio.gather(
        *(Erasing(replica).confirm(stream, token) for replica in (one, other, one))
    )
    assert len({answer.position for answer in answers}) == 1
    told = [e for e in await one.stream(stream) if e.envelope.kind == "erasure"]
    assert len(told) == 1
    assert isinstance(await refused(Erasing(one).prepare(stream)), Erased)


async def test_a_legal_hold_forbids_an_erasure_until_it_is_released(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    stream = await with_events(one)
    token = (await Erasing(one).prepare(stream)).token
    await Erasing(other).hold(stream)
    assert isinstance(await refused(Erasing(one).prepare(stream)), LegalHold)
    assert isinstance(await refused(Erasing(one).confirm(stream, token)), LegalHold)
    held = await Erasing(one).ask("ListLegalHolds", pb.ListLegalHoldsRequest())
    assert [(h.subject_id, h.reason, h.placed_by) for h in held.holds] == [(stream, "court", "cli")]
    await Erasing(one).release(stream)
    assert isinstance(await refused(Erasing(one).release(stream)), NotFound)
    assert (await Erasing(one).confirm(stream, token)).keys == 1
    assert isinstance(await refused(Erasing(one).hold(stream)), Erased)


async def test_who_is_not_there_is_neither_erased_nor_held(two: tuple[Store, Store]) -> None:
    one, _ = two
    assert isinstance(await refused(Erasing(one).prepare("nobody")), NotFound)
    assert isinstance(await refused(Erasing(one).hold("nobody")), NotFound)


@pytest.mark.parametrize(
    "principal",
    [service_principal("ingest"), Principal("admin-1", "admin", "clinic-1")],
    ids=["another service", "a person"],
)
async def test_only_the_services_named_for_it_may_erase(
    two: tuple[Store, Store], principal: Principal
) -> None:
    one, _ = two
    stranger = Erasing(one, principal)
    for asked in (
        stranger.prepare("patient-1"),
        stranger.confirm("patient-1", "t"),
        stranger.hold("patient-1"),
        stranger.release("patient-1"),
        stranger.report("patient-1"),
        stranger.ask("ListLegalHolds", pb.ListLegalHoldsRequest()),
    ):
        assert isinstance(await refused(asked), PermissionDenied)


async def test_that_an_erasure_is_done_nobody_else_can_tell(two: tuple[Store, Store]) -> None:
    one, _ = two
    stream = await with_events(one)

    def told(stage: Any) -> Any:
        body = Body(erasure=Erasure(stage=stage, reason="request")).SerializeToString()
        return append(stream, event(stream, body, kind="erasure"))

    error = await refused(one.append(told(ERASURE_STAGE_DONE)))
    assert rules(error) == [("events[0].body.erasure.stage", "erasure.requested_only")]
    await one.append(told(ERASURE_STAGE_REQUESTED))


async def test_the_report_shows_that_no_key_is_left(two: tuple[Store, Store]) -> None:
    one, _ = two
    stream = await with_events(one)
    done = await Erasing(one).erase(stream)
    report = await Erasing(one).report(stream)
    assert report.complete
    assert (report.position, report.sealed_events) == (done.position, 3)
    assert (report.living_keys, report.snapshots) == (0, 0)
    assert [key.HasField("destroyed_at") for key in report.keys] == [True]
    assert report.event_hash == (await one.stream(stream))[-1].hash
    connection = await asyncpg.connect(one.settings.postgres_dsn)
    try:
        assert await connection.fetch(
            "SELECT wrapped FROM data_key WHERE stream_id = $1", stream
        ) == [(None,)]
        # as if a backup had brought it back
        await connection.execute(
            "UPDATE data_key SET wrapped = '\\x00', destroyed_at = NULL WHERE stream_id = $1",
            stream,
        )
        report = await Erasing(one).report(stream)
        assert (report.complete, report.living_keys) == (False, 1)
    finally:
        await connection.close()


async def test_a_consumer_that_kept_a_key_closes_what_an_erasure_tells(
    two: tuple[Store, Store],
) -> None:
    one, _ = two
    stream = await with_events(one)
    consumer = Bodies(one.connection, service_principal("projections"))
    before = [copy(e) for e in await one.stream(stream)]
    read = [copy(e) for e in before]
    await consumer.open(read)
    assert [e.body for e in read if e.envelope.phi] == [b"secret %d" % n for n in range(3)]
    await Erasing(one).erase(stream)
    # as it would come from the broker: sealed, then the erasure
    stale = [*(copy(e) for e in before), (await one.stream(stream))[-1]]
    await consumer.open(stale)
    assert all(e.erased and e.body == b"" for e in stale if e.envelope.phi)


async def test_an_erasure_that_was_begun_is_finished_by_whoever_starts(
    database_dsn: str, nats: Nats
) -> None:
    told = settings_for(database_dsn, nats.url)
    async with store(told) as made:
        stream = await with_events(made)
        token = (await Erasing(made).prepare(stream)).token
        connection = await asyncpg.connect(database_dsn)
        # what would end it fails, as if the replica had been killed between the steps
        await connection.execute("ALTER TABLE snapshot RENAME TO snapshot_gone")
        await refused(Erasing(made).confirm(stream, token))
        await connection.execute("ALTER TABLE snapshot_gone RENAME TO snapshot")
        report = await Erasing(made).report(stream)
        assert (report.complete, report.living_keys) == (False, 1)
        assert isinstance(
            await refused(made.append(append(stream, event(stream, kind="note")))), Erased
        )
    async with store(told) as made:
        async with asyncio.timeout(10):
            while not (await Erasing(made).report(stream)).complete:
                await asyncio.sleep(0.02)
        told_of = [e for e in await made.stream(stream) if e.envelope.kind == "erasure"]
        assert len(told_of) == 1
    await connection.close()


async def test_appends_that_race_an_erasure_are_before_it_or_refused(
    two: tuple[Store, Store],
) -> None:
    one, other = two
    stream = await with_events(one)
    stop = asyncio.Event()
    outcomes: list[Any] = []

    async def append_on(replica: Store) -> None:
        while not stop.is_set():
            new = append(stream, event(stream, b"racing", phi=True, consent_id="c-1"))
            try:
                outcomes.append(await replica.append(new))
            except Erased as error:
                outcomes.append(error)

    racing = [asyncio.create_task(append_on(replica)) for replica in two for _ in range(4)]
    while len(outcomes) < 40:
        await asyncio.sleep(0.005)
    done = await Erasing(one).erase(stream)
    while not all(isinstance(outcome, Erased) for outcome in outcomes[-8:]):
        await asyncio.sleep(0.005)
    stop.set()
    await asyncio.gather(*racing)
    appended = [outcome for outcome in outcomes if not isinstance(outcome, Erased)]
    assert all(one_.last_position < done.position for one_ in appended)
    read = await other.stream(stream)
    assert len(read) == 4 + len(appended) + 1
    assert read[-1].envelope.kind == "erasure"
    assert (await Erasing(other).report(stream)).complete


async def test_no_copy_of_an_erased_subject_can_be_opened_and_the_log_still_proves_itself(
    database_dsn: str, nats: Nats
) -> None:
    """The table, the broker, snapshots: what is left of them is noise."""
    told = settings_for(database_dsn, nats.url)
    async with store(told) as made:
        stream = await with_events(made)
        principal = service_principal("projections")
        fold = Fold("count", 1, int, lambda n, _: n + 1, lambda n: b"%d" % n, int)
        await fold_stream(
            EventLog(made.connection, principal),
            Snapshots(made.connection, principal),
            stream,
            fold,
            every=1,
        )
        async with asyncio.timeout(10):
            while (head := await made.head()).published < head.position:
                await asyncio.sleep(0.01)
        await Erasing(made).erase(stream)
        copies = await from_broker(nats, told.log_stream)
        connection = await asyncpg.connect(database_dsn)
        stored = await connection.fetch("SELECT * FROM events WHERE key_id <> ''")
        assert await connection.fetchval("SELECT count(*) FROM snapshot") == 0
        assert await connection.fetchval("SELECT count(wrapped) FROM data_key") == 0
        await connection.close()
        sealed = [one for one in copies if one.key_id]
        assert len(sealed) == len(stored) == 3
        # the bytes are still there, in both places, and nobody has what opens them
        assert [one.body for one in sealed] == [row["body"] for row in stored]
        await Bodies(made.connection, principal).open(sealed)
        assert all(one.erased and not one.body for one in sealed)
        steps = ProofServiceStub(made.connection).VerifyLog(
            proof_pb.VerifyLogRequest(), metadata=(bearer(principal),), timeout=30
        )
        verdict = [step async for step in steps][-1].verdict
        assert not verdict.HasField("finding")
        # beside the sealed ones: one in the clear, the erasure, and who was lent the key
        assert verdict.verified == len(stored) + 3


async def from_broker(server: Nats, stream: str) -> list[RecordedEvent]:
    """Every event that the broker keeps."""
    client = await connect_to_broker(server.url)
    try:
        js = client.jetstream()
        last = (await js.stream_info(stream)).state.last_seq
        messages = [await js.get_msg(stream, seq) for seq in range(1, last + 1)]
    finally:
        await client.close()
    return [
        one for message in messages for one in LogMessage.FromString(message.data or b"").events
    ]
