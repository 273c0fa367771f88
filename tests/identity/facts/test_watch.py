"""Changes are told at once, whichever replica made them; a memory of facts believes no silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from rehab_identity.facts.hub import Hub, News
from rehab_runtime.access.known import Known
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import SystemClock
from rehab_runtime.errors import RehabError, Unavailable
from rehab_runtime.postgres import Queries
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    Clinic,
    Place,
    clinic,
    identity,
    patient_of,
    refused,
    some_patient,
    until,
)
from tests.support.proxy import Proxy, proxy_to

WITHIN_S = 1.0


@asynccontextmanager
async def known(address: str, revoked: list[str] | None = None) -> AsyncIterator[Known]:
    async with channel(address) as connection:
        memory = Known(
            connection,
            service_principal("projections"),
            revoked=(revoked if revoked is not None else []).extend,  # ids: a mapping's keys
        )
        running = asyncio.create_task(memory.run())
        try:
            yield memory
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def live(memory: Known) -> bool:
    return memory.live


async def test_a_withdrawal_reaches_the_watchers_of_another_replica_within_a_second(
    place: Place,
) -> None:
    async with (
        clinic(place) as one,
        identity(place, one.log, one.eventstore_address) as other,
    ):
        patient = await one.treated(some_patient(), ANN.id)
        watch = other.asks.watch()
        first = await anext(watch)
        assert (first.patient_ids, first.revoked, first.everything) == ([], [], False)
        told = asyncio.create_task(_told_of(watch, patient))
        await one.as_(patient_of(patient)).revoke(patient, "c-1")
        async with asyncio.timeout(WITHIN_S):
            await told


async def _told_of(watch: AsyncIterator, patient: str) -> None:
    async for message in watch:
        if patient in message.patient_ids:
            return


async def test_who_may_nothing_any_more_is_told_of_and_told_again_to_who_comes_later(
    place: Place,
) -> None:
    async with clinic(place) as made:
        early: list[str] = []
        async with known(made.address, early) as memory:
            await until(lambda: live(memory))
            connection = await asyncpg.connect(place.dsn)
            async with connection.transaction():
                await connection.execute("INSERT INTO revocation (revoked) VALUES ('session-1')")
                await connection.execute("NOTIFY identity_access")
            await until(lambda: _holds(early, "session-1"))
            # and one whose notification is lost
            await connection.execute("INSERT INTO revocation (revoked) VALUES ('session-2')")
            await until(lambda: _holds(early, "session-2"))
            await connection.close()
        late: list[str] = []
        async with known(made.address, late):
            await until(lambda: _holds(late, "session-1"))
            assert "session-2" in late


async def _holds(told: list[str], one: str) -> bool:
    return one in told


async def test_revocations_that_become_visible_out_of_order_are_all_told(place: Place) -> None:
    async with clinic(place) as made:
        told: list[str] = []
        slow, quick = await asyncpg.connect(place.dsn), await asyncpg.connect(place.dsn)
        async with known(made.address, told) as memory:
            await until(lambda: live(memory))
            transaction = slow.transaction()
            await transaction.start()
            await slow.execute("INSERT INTO revocation (revoked) VALUES ('first')")
            await quick.execute("INSERT INTO revocation (revoked) VALUES ('second')")
            await until(lambda: _holds(told, "second"))
            await transaction.commit()
            await until(lambda: _holds(told, "first"))
            # and one by a clock that is far behind
            await quick.execute(
                "INSERT INTO revocation (revoked, at) VALUES ('late', now() - interval '2 hours')"
            )
            await until(lambda: _holds(told, "late"))
            assert len(told) == len(set(told))
        await slow.close()
        await quick.close()


async def test_facts_are_asked_for_once_and_forgotten_when_they_change(place: Place) -> None:
    async with clinic(place) as made, known(made.address) as memory:
        patient = await made.treated(some_patient(), ANN.id)
        await until(lambda: live(memory))
        found = await asyncio.gather(*(memory.facts(patient) for _ in range(20)))
        assert all(one is found[0] for one in found)
        assert await memory.facts(patient) is found[0]
        assert found[0].treated_by(ANN.id, SystemClock().now())
        await made.as_(ADMIN).release(patient, ANN.id)

        async def released() -> bool:
            return not (await memory.facts(patient)).treated_by(ANN.id, SystemClock().now())

        async with asyncio.timeout(WITHIN_S):
            await until(released)


async def test_a_patient_who_becomes_known_is_known(place: Place) -> None:
    async with clinic(place) as made, known(made.address) as memory:
        await until(lambda: live(memory))
        patient = some_patient()
        assert not (await memory.facts(patient)).known
        await made.known(patient)
        assert (await memory.facts(patient)).clinic_id == "clinic-1"


async def test_what_is_kept_is_bounded(place: Place) -> None:
    async with clinic(place) as made, channel(made.address) as connection:
        memory = Known(connection, service_principal("emr"), max_patients=2)
        running = asyncio.create_task(memory.run())
        await until(lambda: live(memory))
        patients = [await made.treated(some_patient()) for _ in range(3)]
        await memory.facts_of(patients)
        # told of while they were made: asked again they stay
        await memory.facts_of(patients)
        assert len(memory._kept) <= 2
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nothing_is_believed_when_identity_is_gone(place: Place) -> None:
    async with clinic(place) as made, proxy() as link:
        link.lead_to(made.address)
        patient = await made.treated(some_patient(), ANN.id)
        async with known(link.address) as memory:
            await until(lambda: live(memory))
            await memory.facts(patient)
            link.close()
            await until(lambda: _fails(memory, patient))
            assert not memory.live
            link.reopen()
            await until(lambda: live(memory))
            assert (await memory.facts(patient)).known


async def test_a_link_that_carries_nothing_is_not_believed_for_more_than_three_seconds(
    place: Place,
) -> None:
    async with clinic(place) as made, proxy() as link:
        link.lead_to(made.address)
        patient = await made.treated(some_patient(), ANN.id)
        async with known(link.address) as memory:
            await until(lambda: live(memory))
            await memory.facts(patient)
            link.stall()
            before = asyncio.get_running_loop().time()
            await made.as_(patient_of(patient)).revoke(patient, "c-1")
            await until(lambda: _denies(memory, patient))
            # 3 s of silence, and a second for the question that is not answered
            assert asyncio.get_running_loop().time() - before < 3 + 1 + 1.5


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    async with proxy_to("127.0.0.1:1") as link:
        yield link


async def _fails(memory: Known, patient: str) -> bool:
    try:
        await memory.facts(patient)
    except Unavailable:
        return True
    return False


async def _denies(memory: Known, patient: str) -> bool:
    try:
        facts = await memory.facts(patient)
    except RehabError:
        return True
    return facts.consent_to("treatment", SystemClock().now()) is None


async def test_no_decision_is_allowed_after_a_withdrawal_was_answered(place: Place) -> None:
    async with (
        clinic(place) as one,
        identity(place, one.log, one.eventstore_address) as other,
    ):
        for _ in range(10):
            patient = await one.treated(some_patient(), ANN.id)
            answered = asyncio.Event()
            askers = [
                asyncio.create_task(_wrongly_allowed(made, patient, answered))
                for made in (one, other)
                for _ in range(4)
            ]
            await one.as_(patient_of(patient)).revoke(patient, "c-1")
            answered.set()
            assert not any(await asyncio.gather(*askers))


async def _wrongly_allowed(made: Clinic, patient: str, answered: asyncio.Event) -> int:
    """Decisions that were asked for after the withdrawal was answered, and allowed."""
    wrong = after = 0
    while after < 3:
        late = answered.is_set()
        allowed, _ = await made.asks.may(ANN, patient)
        wrong += late and allowed
        after += late
    return wrong


async def test_watchers_are_sent_away_when_the_database_is_not_heard(place: Place) -> None:
    async with clinic(place) as made:
        watch = made.asks.watch()
        await anext(watch)
        admin = await asyncpg.connect(place.postgres.dsn())
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = $1 AND application_name = 'identity-listener'",
            f"identity_{place.name}",
        )
        await admin.close()
        assert isinstance(await refused(_to_the_end(watch)), Unavailable)
        async with asyncio.timeout(10):
            assert not (await anext(made.asks.watch())).patient_ids


async def test_a_watcher_who_is_slow_to_read_learns_that_something_was_missed(
    place: Place,
) -> None:
    async with clinic(place):
        queries = Queries.load("rehab_identity.facts", "queries.sql")
        hub = Hub(place.dsn, queries, SystemClock(), kept=timedelta(hours=1))
        running = asyncio.create_task(hub.run())
        async with aclosing(hub.watch()) as slow:
            await anext(slow)
            await anext(slow)
            connection = await asyncpg.connect(place.dsn)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'identity-listener'"
            )
            await connection.close()
            # all is well again before it reads on
            async with aclosing(hub.watch()) as quick:
                await until(lambda: _has_missed(hub))
                assert await anext(quick) == News()
            with pytest.raises(Unavailable):
                await anext(slow)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _has_missed(hub: Hub) -> bool:
    return any(one.missed for one in hub._watchers)


async def _to_the_end(watch: AsyncIterator) -> None:
    async for _ in watch:
        pass
