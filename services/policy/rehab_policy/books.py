"""The rules that this replica decides by: which version, from when on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rehab_policy.domain.engine import Engine, Live
from rehab_policy.domain.expressions import Language
from rehab_policy.domain.loading import load
from rehab_policy.domain.problems import BookError
from rehab_policy.domain.rules import RuleSet
from rehab_policy.domain.snapshot import fingerprint
from rehab_policy.storage.rule_sets import RuleSetRow, RuleSets
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger
from rehab_runtime.tasks import set_within

LEAD = timedelta(seconds=2)
"""So long before it counts a change is told. What was recorded before the last look, and LOOK_S
after it, is therefore decided by the right version on every replica."""
LOOK_S = 0.5
STALE_S = 1.0
LIVE = 0

log = get_logger("books")


@dataclass(frozen=True)
class Track:
    """A fold of patients by rules. That of the live versions, one after the other, is carried out;
    of one in the shadow it is only counted. `id` is LIVE, or the version in the shadow;
    `generation` grows when its rules become others."""

    id: int
    engine: Engine
    since: datetime
    changed_at: datetime
    """When its newest rules begin to count."""
    until: datetime | None = None
    generation: int = 1
    emergencies: frozenset[str] = frozenset()
    """Kinds of events that may be emergencies."""
    fingerprint: str = ""
    """Of the rules of all times; states of other ones are not its."""

    @property
    def shadow(self) -> bool:
        return self.id != LIVE

    def at(self, moment: datetime) -> bool:
        """Whether it folds what was recorded then. The live one folds all, and decides later."""
        if not self.shadow:
            return True
        return self.since <= moment and (self.until is None or moment < self.until)


class Books:
    """`run` is its task. It looks for other rules when PostgreSQL tells it to, and every LOOK_S."""

    def __init__(self, rule_sets: RuleSets, language: Language, clock: Clock) -> None:
        self.changed = asyncio.Event()
        """Set anew when tracks became others."""
        self._rule_sets = rule_sets
        self._language = language
        self._clock = clock
        self._tracks: tuple[Track, ...] = ()
        self._known: tuple[tuple[object, ...], ...] = ()
        self._texts: dict[int, RuleSet] = {}
        self._looked_at = float("-inf")
        self._news = asyncio.Event()

    def look(self) -> None:
        """Versions may be elsewhere."""
        self._news.set()

    async def run(self) -> None:
        while True:
            await set_within(self._news, LOOK_S)
            self._news.clear()
            with contextlib.suppress(RehabError):  # whoever folds tells that PostgreSQL is away
                await self._look()

    async def tracks(self) -> Sequence[Track]:
        """As they are for everything recorded up to now. Raises Unavailable when that is not to be
        known."""
        if self._clock.monotonic() - self._looked_at > STALE_S:
            await self._look()
        return self._tracks

    async def rules_of(self, version: int) -> RuleSet:
        """The rules of a version that is kept, checked when it was put. Raises Unavailable,
        KeyError."""
        if version not in self._texts:
            row = await self._rule_sets.get(version)
            if row is None:
                raise KeyError(version)
            self._texts[version] = load(row.files, self._language)
        return self._texts[version]

    async def _look(self) -> None:
        began = self._clock.monotonic()
        rows = [one for one in reversed(await self._rule_sets.all()) if _evaluated(one)]
        known = tuple((one.version, one.shadow_from, one.live_from, one.ended_at) for one in rows)
        if known != self._known:
            self._tracks = await self._tracks_of(rows)
            self._known = known
            log.info("decides by these rules", live=_live_version(rows), tracks=len(self._tracks))
            changed, self.changed = self.changed, asyncio.Event()
            changed.set()
        self._looked_at = began

    async def _tracks_of(self, rows: Sequence[RuleSetRow]) -> tuple[Track, ...]:
        before = {one.id: one for one in self._tracks}
        tracks = []
        rows = [one for one in rows if await self._is_usable(one)]
        ever_live = sorted(
            (one.live_from, one.version) for one in rows if one.live_from is not None
        )
        if ever_live:
            live = [Live(since, await self.rules_of(version)) for since, version in ever_live]
            same = before.get(LIVE)
            if same is not None and same.generation == len(live):
                tracks.append(same)
            else:
                began, newest = ever_live[0][0], ever_live[-1][0]
                engine, kinds = Engine(live), _emergencies(live[-1].rules)
                told = (LIVE, engine, began, newest, None, len(live), kinds, fingerprint(live))
                tracks.append(Track(*told))
        for row in rows:
            if row.shadow_from is None or row.ended_at is not None:
                continue
            since, known = row.shadow_from, before.get(row.version)
            if known is not None:
                tracks.append(replace(known, until=row.live_from))
            else:
                engine = Engine([Live(since, await self.rules_of(row.version))])
                tracks.append(Track(row.version, engine, since, since, row.live_from))
        return tuple(tracks)

    async def _is_usable(self, row: RuleSetRow) -> bool:
        """A version of long ago may say what this release does not know any more: without it, what
        was recorded in its time is decided by the one before. Raises BookError for the live one."""
        try:
            await self.rules_of(row.version)
        except BookError as error:
            if row.status == "live":
                raise
            log.error(
                "a version of the rules cannot be used", version=row.version, reason=str(error)
            )
            return False
        return True


def _evaluated(row: RuleSetRow) -> bool:
    return row.shadow_from is not None or row.live_from is not None


def _live_version(rows: Sequence[RuleSetRow]) -> int:
    return next((one.version for one in rows if one.status == "live"), 0)


def _emergencies(rules: RuleSet) -> frozenset[str]:
    return frozenset(kind for rule in rules.rules if rule.emergency for kind in rule.on)
