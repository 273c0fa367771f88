"""What the board keeps in memory never differs from what it would reckon anew."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from rehab_projections import board as board_module
from rehab_projections.answers import AsOf
from rehab_projections.board import Board
from tests.projections.given import (
    CLINIC,
    at,
    event,
    item,
    paused,
    prescribed,
    resumed,
    whole_session,
)
from tests.projections.test_storage import Log, Store, store

__all__ = ["store"]

BEGIN = at("2026-03-02T08:00")
MORNING = at("2026-03-30T10:00")
DAY = timedelta(days=1)


async def reckoned(store: Store, board: Board, now) -> list:
    async with store.reader.snapshot() as view:
        return await board.items(view, CLINIC, AsOf.at(None, now), live=True)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose adherence was judged, in order."""
    seen: list[str] = []
    judge = board_module.drop_since

    def noted(*told):
        seen.append("judged")
        return judge(*told)

    monkeypatch.setattr(board_module, "drop_since", noted)
    return seen


def three_weeks(policy: str = "COMPLETION_POLICY_DURING_WINDOW") -> list:
    events = [event(1, at("2026-02-01T00:00"), prescribed(item(sets=1, policy=policy)))]
    for n in range(21):
        events += whole_session(100 + 10 * n, f"s{n}", BEGIN + n * DAY, [10])
    return events


async def test_sessions_of_today_do_not_make_the_days_before_be_judged_again(
    store: Store, judged: list[str]
):
    board = Board()
    log = Log(three_weeks())
    runner = await store.runner(log)
    await runner.fold_on()
    before = await reckoned(store, board, MORNING)
    assert [[reason.code for reason in one.reasons] for one in before] == [
        ["no_session", "adherence_drop"]
    ]
    for n in range(5):
        log.append(*whole_session(900 + 10 * n, f"today{n}", MORNING - timedelta(hours=2), [10]))
        await runner.fold_on()
        (after,) = await reckoned(store, board, MORNING)
        assert [reason.code for reason in after.reasons] == ["adherence_drop"]
    assert judged == ["judged"]


@pytest.mark.parametrize(
    "told",
    [
        whole_session(900, "late", BEGIN + 25 * DAY, [10]),
        [event(900, MORNING, prescribed(item(sets=2), version=2))],
        [event(900, MORNING, paused())],
    ],
    ids=["a late session", "a revision", "a pause"],
)
async def test_what_concerns_the_days_before_makes_them_be_judged_again(
    store: Store, judged: list[str], told
):
    board = Board()
    log = Log(three_weeks())
    runner = await store.runner(log)
    await runner.fold_on()
    await reckoned(store, board, MORNING)
    log.append(*told)
    await runner.fold_on()
    assert await reckoned(store, board, MORNING) == await reckoned(store, Board(), MORNING)


async def test_a_new_local_day_is_judged_anew(store: Store, judged: list[str]):
    board = Board()
    await (await store.runner(Log(three_weeks()))).fold_on()
    for hours in (0, 11, 12):  # midnight in Berlin comes at 22:00 UTC
        await reckoned(store, board, MORNING + timedelta(hours=hours))
    assert judged == ["judged"] * 2


@pytest.mark.parametrize("policy", ["DURING_WINDOW", "SAME_DAY", "AFTER_START", "ANYTIME"])
async def test_a_board_with_a_memory_says_what_one_without_says(store: Store, policy: str):
    random = Random(policy)
    board = Board()
    log = Log(three_weeks(f"COMPLETION_POLICY_{policy}"))
    runner = await store.runner(log)
    await runner.fold_on()
    now = MORNING
    for n in range(25):
        begin = now - timedelta(hours=random.choice([1, 2, 8, 14, 30, 80]))
        told = [
            whole_session(1000 + 10 * n, f"x{n % 9}", begin, [random.randint(0, 10)]),
            [event(1000 + 10 * n, begin, random.choice([paused(), resumed()]))],
        ]
        log.append(*random.choices(told, [9, 1])[0])
        await runner.fold_on()
        assert await reckoned(store, board, now) == await reckoned(store, Board(), now)
        now += timedelta(hours=random.choice([0, 1, 7]))
