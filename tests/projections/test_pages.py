"""A page token may be forged: whatever it names is checked."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab.projections.v1 import progress_service_pb2, vitals_service_pb2
from rehab_projections.reads.spans import scope_of
from rehab_runtime import pages
from rehab_runtime.errors import InvalidArgument
from tests.projections.asking import asking
from tests.projections.given import CLINIC, PATIENT, at, event, item, prescribed, whole_session
from tests.projections.given_care import sample, samples
from tests.projections.service import Clinic, refused, rules_of

SCOPE = ("question", "patient-1")
BROKEN = [("page_token", "page_token.of_this_request")]
SHAPE = (datetime, datetime, date, str, int, bool)
NOW_US = 1_772_500_000_000_000
WRONG_PARTS = ["1", 1.5, None, [], {}, True, 10**30, -(10**17), "\0", "9999-12-31", "0001-01-01"]


def test_a_place_comes_back_as_it_was_told():
    now = datetime(2026, 3, 2, 8, 0, 0, 123, tzinfo=UTC)
    place = [now, now, date(2026, 3, 2), "é", -3, True]
    assert pages.redeem(SCOPE, pages.issue(SCOPE, place), SHAPE) == place
    assert pages.redeem(SCOPE, "", SHAPE) is None


parts = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(st.lists(parts, max_size=7), st.permutations(SHAPE))
def test_a_forged_place_is_one_of_the_shape_or_refused(place: list[Any], shape: Any):
    token = forged(SCOPE, json.dumps(place).encode())
    try:
        told = pages.redeem(SCOPE, token, tuple(shape))
    except InvalidArgument as error:
        assert rules_of(error) == BROKEN
    else:
        assert [type(part) for part in told or ()] == list(shape)
        assert pages.redeem(SCOPE, pages.issue(SCOPE, told or ()), tuple(shape)) == told


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 9000, b"1" * 5000, b"[NaN]"])
def test_a_forged_token_without_a_place_is_refused(content: bytes):
    with pytest.raises(InvalidArgument) as error:
        pages.redeem(SCOPE, forged(SCOPE, content), (int,))
    assert rules_of(error.value) == BROKEN


def forged(scope: tuple[str, ...], content: bytes) -> str:
    return base64.urlsafe_b64encode(pages._digest(scope, content) + content).decode()


def questions() -> dict[str, tuple[str, str, dict[str, Any], tuple[str, ...], list[Any]]]:
    """By read: the service, the call, what it asks, its tokens' scope and a sound place of it."""
    weeks = progress_service_pb2.ListAdherenceWeeksRequest(patient_id=PATIENT)
    readings = vitals_service_pb2.ListReadingsRequest(patient_id=PATIENT)
    patient, clinic, times = {"patient_id": PATIENT}, {"clinic_id": CLINIC}, [NOW_US, NOW_US]
    at_us, session = [NOW_US] * 2, {"session_id": "s1"}
    return {
        "weeks": (
            *("Progress", "ListAdherenceWeeks", patient, scope_of("weeks", weeks)),
            [*times, "2026-03-02"],
        ),
        "missed": (
            *("Progress", "ListMissedSessions", patient, scope_of("missed", weeks, "False")),
            [*times, *at_us, "plan-1"],
        ),
        "reps": (
            *("Progress", "ListReps", {**patient, **session}, ("reps", PATIENT, "s1", "")),
            ["knee_flexion", 0, 1, 1],
        ),
        "readings": (
            *("Vitals", "ListReadings", {**patient, "metric": "steps"}),
            *(scope_of("readings", readings, "step_count"), [*times, *at_us, "", "Watch"]),
        ),
        "days": (
            *("Vitals", "ListVitalDays", {**patient, "metrics": ["steps"]}),
            *(scope_of("days", readings, "step_count"), [*times, "2026-03-02"]),
        ),
        "gaps": (
            *("Billing", "ListBillingGaps", clinic, ("gaps", CLINIC, "", "")),
            [*times, "patient-0"],
        ),
    }


@pytest.mark.parametrize("name", questions())
async def test_a_forged_page_token_is_refused_by_name_and_never_a_fault_of_ours(
    running: Clinic, name: str
):
    begin = at("2026-03-02T08:00")
    told = [
        event(1, begin, prescribed(item())),
        *whole_session(10, "s1", begin, [10]),
        event(20, begin, samples(sample(begin, 5))),
    ]
    await running.reads.lag_at(await running.log.append(*told))
    service, rpc, asked, scope, sound = questions()[name]
    places = [sound[:-1], [*sound, 1], sound[0], {"0": sound}]
    places += [
        [*sound[:n], part, *sound[n + 1 :]] for n in range(len(sound)) for part in WRONG_PARTS
    ]
    async with asking(running) as ask:
        await ask(service, rpc, page_token=forged(scope, json.dumps(sound).encode()), **asked)
        for place in places:
            token = forged(scope, json.dumps(place).encode())
            try:
                await ask(service, rpc, page_token=token, **asked)
            except InvalidArgument as error:
                assert rules_of(error) == BROKEN, place
                continue
            changed = next(one for one, other in zip(place, sound, strict=True) if one != other)
            assert isinstance(changed, str | int), place


async def test_the_list_and_sessions_refuse_forged_places_too(running: Clinic):
    begin = at("2026-03-02T08:00")
    await running.reads.lag_at(await running.log.append(*whole_session(10, "s1", begin, [10])))
    for place in (["1", "s"], [NOW_US, 7], [NOW_US], [10**30, "s"], [NOW_US, "\0"]):
        token = pages.issue(("sessions", PATIENT), place)
        error = await refused(running.reads.sessions(patient_id=PATIENT, page_token=token))
        assert rules_of(error) == BROKEN
    scope = ("work", CLINIC, "", "1", "0")
    for place in ([NOW_US, NOW_US, 1, 1, NOW_US, "p"], [10**14, NOW_US, True, 1, NOW_US, "p"]):
        error = await refused(running.reads.work(page_token=pages.issue(scope, place)))
        assert rules_of(error) == BROKEN
    sound = pages.issue(("sessions", PATIENT), [NOW_US, "s9"])
    assert (await running.reads.sessions(patient_id=PATIENT, page_token=sound)).sessions
    sound = pages.issue(scope, [NOW_US, NOW_US, True, 1, NOW_US, "p"])
    assert not (await running.reads.work(page_token=sound)).items
