"""Once a subject is erased, or has withdrawn the consent, nobody goes on looking."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace
from typing import Any

import pytest

from rehab_runtime.auth import Principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import ConsentNotInForce, Erased, NotFound
from tests.eventstore.erasing import Erasing
from tests.projections.asking import asking
from tests.projections.given import CLINIC, PATIENT, event, whole_session
from tests.projections.given_care import agreed, withdrawn
from tests.projections.service import Clinic, Place, eventstore, projections, refused
from tests.projections.test_watched_reads import (
    ASKED,
    NOW,
    OF_CLINIC,
    OF_PATIENT,
    afterwards,
    all_of,
    beginning,
    hours_ago,
)

PATIENTS = [(service, rpc) for (service, rpc), asked in ASKED.items() if asked is not OF_CLINIC]
PATIENTS.remove(("Work", "ListWorkDays"))
SESSIONS = ("Projections", "ListSessions")


async def erase(clinic: Clinic, patient_id: str) -> int:
    async with channel(clinic.eventstore_address) as connection:
        store: Any = SimpleNamespace(connection=connection)
        return int((await Erasing(store).erase(patient_id)).position)


async def test_every_watch_of_an_erased_patient_ends_and_every_read_finds_nobody(running: Clinic):
    await running.reads.lag_at(await running.log.append(*beginning(), *afterwards()))
    async with asyncio.timeout(60), asking(running) as ask, AsyncExitStack() as open_watches:
        watches = []
        for service, rpc in PATIENTS:
            told = ask.watch(service, rpc, **ASKED[service, rpc])
            watches.append(await open_watches.enter_async_context(aclosing(told)))
            assert (await anext(told)).HasField("answer")
        lists = await open_watches.enter_async_context(aclosing(running.reads.watch()))
        assert (await anext(lists)).upserted.patient_id == PATIENT
        assert (await anext(lists)).HasField("listed")
        await running.reads.lag_at(await erase(running, PATIENT))
        ended = [await refused(all_of(told)) for told in watches]
        assert [type(error) for error in ended] == [Erased] * len(PATIENTS)
        assert (await anext(lists)).removed_item_id == f"work:{PATIENT}"
        for service, rpc in PATIENTS:
            assert isinstance(await refused(ask(service, rpc, **ASKED[service, rpc])), NotFound)
            again = ask.watch(service, rpc, **ASKED[service, rpc])
            assert isinstance(await refused(anext(again)), NotFound)
        assert not (await ask("Work", "ListTherapistLoads", **OF_CLINIC)).therapists
        assert not (await ask("Billing", "ListBillingGaps", **OF_CLINIC)).gaps
        assert not (await running.reads.work()).items


@pytest.mark.parametrize("folded_by", ["this replica", "another replica"])
async def test_a_watch_ends_when_the_consent_is_withdrawn(place: Place, folded_by: str):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log) as one,
        projections(place, address, log) as other,
        asking(one if folded_by == "this replica" else other) as ask,
        asking(one, Principal(PATIENT, "patient", CLINIC)) as own,
        asyncio.timeout(30),
    ):
        await one.reads.lag_at(await log.append(*beginning()))
        await other.reads.lag_at(await log.append(event(60, hours_ago(9), agreed(NOW, "c2"))))
        mine = own.watch(*SESSIONS, **OF_PATIENT)
        told = ask.watch(*SESSIONS, **OF_PATIENT)
        async with aclosing(mine), aclosing(told):
            assert (await anext(told)).HasField("answer")
            assert (await anext(mine)).HasField("answer")
            await one.reads.lag_at(
                await log.append(
                    event(61, hours_ago(1), withdrawn(hours_ago(1))),
                    *whole_session(70, "s2", hours_ago(2), [1]),
                )
            )
            assert len((await until_answer(told)).sessions) == 2  # the other consent is in force
            await log.append(event(62, NOW, withdrawn(hours_ago(0.1), "c2")))
            assert isinstance(await refused(all_of(told)), ConsentNotInForce)
            assert len((await until_answer(mine)).sessions) == 2
        again = await refused(anext(ask.watch(*SESSIONS, **OF_PATIENT)))
        assert isinstance(again, ConsentNotInForce)
        assert (await ask(*SESSIONS, **OF_PATIENT)).sessions  # what was recorded may be looked up


async def until_answer(told: Any) -> Any:
    async for one in told:
        if one.HasField("answer"):
            return one.answer
    raise AssertionError("the watch ended")
