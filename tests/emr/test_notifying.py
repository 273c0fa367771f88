"""Systems that are notified: what happened is told in its order, without a gap, at least once, and
never with two meanings, whatever they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_runtime.errors import InvalidArgument
from tests.emr.given import CLINIC, PATIENT, arrived, pain, withdrew
from tests.emr.house import Place, stored
from tests.emr.pulls import EMPTY, FULL, PullHouse, pull_housed, require_one_meaning


@pytest_asyncio.fixture
async def house(place: Place) -> AsyncIterator[PullHouse]:
    async with pull_housed(place) as made:
        yield made


async def refusal(house: PullHouse, **told: Any) -> tuple[str, str]:
    with pytest.raises(InvalidArgument) as refused:
        await house.registered(**told)
    (broken,) = refused.value.violations
    return broken.field, broken.message


async def test_whoever_does_not_answer_the_handshake_is_refused(house: PullHouse) -> None:
    await house.hook.says("404")
    field, message = await refusal(house)
    assert field == "endpoint.base_url"
    assert message == "it must answer the handshake with 2xx, and does not (status 404)"
    await house.hook.kill()
    assert (await refusal(house))[1] == "nobody answers at its address"
    await house.hook.start()
    answer = await house.registered(bearer="hook-secret")
    assert answer.endpoint.notify.content == pb.NOTIFICATION_CONTENT_ID_ONLY
    assert len(answer.pull_token) > 50
    first, second = await house.hook.notices()
    assert (first.kind, second.kind) == ("handshake", "handshake")
    assert second.authorization == "Bearer hook-secret"
    assert second.stands["status"] == "requested"
    assert second.stands["subscription"]["reference"].endswith("/fhir/Subscription/hospital")
    assert (await house.registered()).pull_token == ""  # it is told once
    inside = await refusal(house, endpoint_id="inside", base_url="https://10.0.0.1/hook")
    assert inside[1] == "its address is not public, and is not in EMR_ALLOWED_NETWORKS"
    smart = await refusal(house, endpoint_id="smart", smart=pb.SmartBackend(client_id="rehab"))
    assert smart[0] == "smart.token_url"


async def test_the_way_of_an_endpoint_stays_what_it_was(house: PullHouse) -> None:
    await house.register()
    with pytest.raises(InvalidArgument) as refused:
        await house.house.register()
    (broken,) = refused.value.violations
    assert (broken.field, broken.rule) == ("endpoint.notify", "unchangeable")


async def test_where_nothing_is_served_nobody_can_be_asked_to_pull(place: Place) -> None:
    async with pull_housed(place, http_listen="") as house:
        field, message = await refusal(house)
        assert field == "endpoint.notify"
        assert "EMR_HTTP_LISTEN" in message


async def test_events_are_numbered_over_all_patients_and_their_deliveries_end(
    house: PullHouse,
) -> None:
    await house.register(most_entries=3)
    for patient in (PATIENT, "patient-2"):
        await house.house.log.append(*arrived(patient), *(pain(n, patient) for n in range(4)))
    found = require_one_meaning(await house.hook.until_told(8))
    assert len({event.focus for event in found.values()}) == 8
    assert all("/fhir/Observation/" in event.focus for event in found.values())
    assert all("/fhir/Provenance/" in event.beside for event in found.values())
    assert {len(one.events) for one in await house.hook.notices()} <= {0, 1, 2, 3}
    await house.house.until_all("delivered", 8)
    stands = await house.subscription()
    assert (stands.status, stands.events, stands.accepted) == ("active", 8, 8)
    # of ids that tell nothing there is nothing to account for
    assert await house.house.disclosures(PATIENT) == []


async def test_a_correction_is_an_event_of_the_same_resource_and_no_news_is_none(
    house: PullHouse,
) -> None:
    first = pain(3)
    await house.register()
    await house.house.log.append(*arrived(), first)
    await house.hook.until_told(1)
    await house.house.log.append(pain(3, corrects=first.envelope.event_id))
    await house.house.log.append(pain(7, "patient-2"), *arrived("patient-2"))
    notices = await house.hook.until_told(3)
    assert len({event.focus for event in require_one_meaning(notices).values()}) == 2
    await house.house.until_all("delivered", 2)


async def test_what_is_not_taken_is_told_again_the_same(place: Place) -> None:
    wrong = ("503:1", "500", "hang", "429:0")
    async with pull_housed(place, request_timeout_ms=300) as house:
        await house.register(most_entries=2)
        await house.hook.says(*wrong)
        await house.house.log.append(*arrived(), pain(0))
        await house.hook.until(lambda found: found[-1].answer == wrong[0])
        # what happens meanwhile is told afterwards: what left together leaves together again
        await house.house.log.append(*(pain(n) for n in range(1, 5)))
        notices = await house.hook.until_told(5)
        require_one_meaning(notices)
        told = [one for one in notices if one.kind == "event-notification"]
        assert [one.answer for one in told[:5]] == [*wrong, "200"]
        assert all(one.bundle == told[0].bundle for one in told[:5])


async def test_whoever_finds_a_notification_too_large_gets_smaller_ones_from_then_on(
    house: PullHouse,
) -> None:
    await house.register(most_entries=8)
    await house.hook.says("413")
    *known, shares = arrived()
    await house.house.log.append(*known, *(pain(n) for n in range(8)), shares)
    notices = await house.hook.until_told(8)
    require_one_meaning(notices)
    told = [one for one in notices if one.kind == "event-notification"]
    assert [len(one.events) for one in told] == [8, 4, 4]


async def test_what_is_folded_anew_is_not_told_anew(place: Place) -> None:
    """As after the log's incarnation changed: the tables that the error names are emptied."""
    async with pull_housed(place) as house:
        await house.register()
        await house.house.log.append(*arrived(), pain(1), pain(2))
        await house.house.until_all("delivered", 2)
        before = await house.hook.notices()
    await stored(place, "TRUNCATE log_position, patient, lane, delivery")
    async with pull_housed(place) as house:
        await house.house.until_all("delivered", 2)
        assert await house.hook.notices() == before
        stands = await house.subscription()
        assert (stands.events, stands.accepted) == (2, 2)


async def test_whoever_was_away_is_in_error_and_is_told_all_when_it_is_back(
    place: Place,
) -> None:
    async with pull_housed(place, breaker_failures=2) as house:
        puller = await house.register(most_entries=2)
        await house.hook.kill()
        await house.house.log.append(*arrived(), *(pain(n) for n in range(5)))
        await house.until_status("error")
        assert (await puller.read("Subscription/hospital"))["status"] == "error"
        # it may ask, too: what happened has its number, whoever was told
        async with asyncio.timeout(20):
            while (await house.subscription()).events < 5:
                await asyncio.sleep(0.02)
        await house.hook.start()
        require_one_meaning(await house.hook.until_told(5))
        await house.until_status("active")
        await house.house.until_all("delivered", 5)


async def test_silence_is_broken_by_a_heartbeat(house: PullHouse) -> None:
    await house.register(heartbeat_s=1)
    await house.house.log.append(*arrived(), pain(1))
    beaten = await house.hook.until(
        lambda found: any(
            one.kind == "heartbeat" and one.stands["events-since-subscription-start"] == "1"
            for one in found
        )
    )
    (told,) = [one for one in beaten if one.kind == "event-notification"]
    last = beaten[-1]
    assert (last.kind, last.events, len(last.bundle["entry"])) == ("heartbeat", [], 1)
    assert beaten.index(told) < len(beaten) - 1


async def test_whoever_refuses_everything_is_paused_until_a_person_looks(
    house: PullHouse,
) -> None:
    await house.register()
    await house.hook.says("403")
    await house.house.log.append(*arrived(), pain(1))
    while (await house.house.status()).paused != "http_403":
        await asyncio.sleep(0.02)
    assert (await house.subscription()).status == "error"
    resume = pb.ResumeRequest(clinic_id=CLINIC, endpoint_id="hospital")
    await house.house.asks("Resume", resume)
    require_one_meaning(await house.hook.until_told(1))


async def test_a_full_notification_is_a_disclosure_and_an_empty_one_says_nothing(
    house: PullHouse,
) -> None:
    report = pain(6)
    await house.register("full", FULL)
    await house.register("empty", EMPTY)
    await house.house.log.append(*arrived(), report)
    await house.house.until_all("delivered", 2)
    told = [one for one in await house.hook.notices() if one.kind == "event-notification"]
    full, empty = sorted(told, key=lambda one: len(one.bundle["entry"]), reverse=True)
    (there,) = full.resources
    assert there["valueQuantity"]["value"] == 6
    assert there["subject"]["identifier"]["value"] == PATIENT
    assert len(empty.bundle["entry"]) == 1
    assert [event.focus for event in empty.events] == [""]
    (disclosed,) = await house.house.disclosures(PATIENT)
    assert (disclosed.endpoint_id, disclosed.outcome) == ("full", "accepted")
    assert list(disclosed.event_ids) == [report.envelope.event_id]


async def test_after_a_withdrawal_a_full_notification_has_the_number_alone(
    place: Place,
) -> None:
    async with pull_housed(place, breaker_failures=2) as house:
        await house.register(content=FULL)
        await house.hook.kill()
        await house.house.log.append(*arrived(), pain(6))
        await house.until_status("error")
        before = await house.house.disclosures(PATIENT)
        assert [one.outcome for one in before] == ["pushed"]
        await house.house.log.append(withdrew())
        await house.hook.start()
        notices = await house.hook.until_told(1)
        assert [one.resources for one in notices if one.kind == "event-notification"] == [[]]


async def test_a_replay_tells_the_same_numbers_again(house: PullHouse) -> None:
    await house.register()
    await house.house.log.append(*arrived(), pain(1), pain(2))
    await house.house.until_all("delivered", 2)
    before = await house.hook.notices()
    replay = pb.ReplayRequest(clinic_id=CLINIC, endpoint_id="hospital", delivered=True)
    assert (await house.house.asks("Replay", replay)).replayed == 2
    after = await house.hook.until(
        lambda found: sum(len(one.events) for one in found) >= 4 and len(found) > len(before)
    )
    require_one_meaning(after)
    await house.house.until_all("delivered", 2)
    assert (await house.subscription()).events == 2
