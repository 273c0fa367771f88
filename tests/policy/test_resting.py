"""A patient who does nothing for a while is closed into bytes, and goes on from them."""

from __future__ import annotations

import asyncio

import pytest

from rehab_policy import metrics, states
from tests.policy.given import arrived, pain, rep
from tests.policy.service import WAIT_S, Place, eventstore, policy


def in_memory(form: str) -> float:
    return float(metrics.in_memory.labels(form)._value.get())


def refolded() -> float:
    return float(metrics.refolded.labels("fold")._value.get())


async def closed(count: int) -> None:
    async with asyncio.timeout(WAIT_S):
        while (in_memory("open"), in_memory("closed")) != (0, count):
            await asyncio.sleep(0.01)


async def test_who_comes_again_goes_on_where_they_were(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "REST_S", 0.05)
    monkeypatch.setattr(states, "BETWEEN_S", 0.0)
    async with (
        eventstore(place) as (log, address),
        policy(place, address, log, emergency_patience_ms=0) as house,
    ):
        await house.folded(await log.append(*arrived(), pain(6)))
        await house.asks.alerts_of(1)
        before = refolded()
        for _ in range(3):
            await closed(1)
            await house.folded(await log.append(rep(90), pain(6)))
        await closed(1)
        await house.folded(await log.append(pain(7)))
        assert len(await house.asks.alerts_of(2)) == 2, "what fired before is not told again"
        assert refolded() == before, "nothing is folded from the log again"
