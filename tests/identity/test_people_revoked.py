"""What was revoked is believed no more, and who is let in again is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rehab_runtime.clock import FixedClock
from rehab_runtime.errors import Unauthenticated
from tests.identity.house import START, House, house, signed
from tests.identity.test_people_tokens import CLAIMS, FOREIGN, HEADER, NOW, of_keys, shown


async def test_an_account_that_is_let_in_again_is_believed_by_newer_tokens() -> None:
    clock = FixedClock(START)
    authenticator = of_keys(FOREIGN, clock)
    old = signed(FOREIGN, HEADER, CLAIMS)
    await shown(authenticator, old)
    authenticator.revoke(["ann"])
    with pytest.raises(Unauthenticated):
        await shown(authenticator, old)
    clock.advance(2)
    new = signed(FOREIGN, HEADER, {**CLAIMS, "iat": NOW + 2, "sid": "s2"})
    assert (await shown(authenticator, new)).session_id == "s2"


async def test_who_was_let_in_again_stays_in_when_the_revocation_is_told_once_more() -> None:
    clock = FixedClock(START)
    authenticator = of_keys(FOREIGN, clock)
    began = clock.now().timestamp()
    # identity's clock is a little behind
    assert authenticator.revoke_at({"ann": began - 5}) == ["ann"]
    clock.advance(2)
    new = signed(FOREIGN, HEADER, {**CLAIMS, "iat": NOW - 3, "sid": "s2"})
    assert (await shown(authenticator, new)).session_id == "s2"
    clock.advance(60)
    assert authenticator.revoke_at({"ann": began - 5}) == []
    assert (await shown(authenticator, new)).session_id == "s2"
    assert authenticator.revoke_at({"ann": began + 50}) == ["ann"]
    with pytest.raises(Unauthenticated):
        await shown(authenticator, new)


async def test_what_another_replica_revokes_is_refused_here(
    home: House, database_dsn: str, tmp_path: Path
) -> None:
    tokens = await home.log_in("ann")
    async with house(database_dsn, tmp_path / "identity.json", home.clock) as replica:
        assert (await replica.let_in(tokens.access_token)).id == "ann"
        await home.ask("EndSession", tokens.access_token)
        async with asyncio.timeout(10):
            while await _believed(replica, tokens.access_token):
                await asyncio.sleep(0.02)
    # and by one that starts after it
    async with house(database_dsn, tmp_path / "identity.json", home.clock) as late:
        with pytest.raises(Unauthenticated):
            await late.let_in(tokens.access_token)


async def _believed(home: House, token: str) -> bool:
    try:
        await home.let_in(token)
    except Unauthenticated:
        return False
    return True
