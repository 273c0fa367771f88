"""What is done with rule sets, by whom: no version counts before a second person agreed."""

from __future__ import annotations

from collections.abc import Mapping

from rehab_policy.books import LEAD
from rehab_policy.domain.expressions import Language
from rehab_policy.domain.loading import load
from rehab_policy.domain.problems import BookError
from rehab_policy.errors import broken_rule, refused
from rehab_policy.settings import Settings
from rehab_policy.storage.rule_sets import By, RuleSetRow, RuleSets
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import AlreadyExists, NotFound, PermissionDenied
from rehab_runtime.logging import get_logger

SHIPPED = "rehab"
"""Author of the rule set that comes with this service."""
MAY_BECOME = {
    "shadow": frozenset({"draft", "approved"}),
    "live": frozenset({"shadow", "approved"}),
    "retired": frozenset({"draft", "shadow", "approved"}),
}

log = get_logger("administration")


class Administration:
    def __init__(
        self, rule_sets: RuleSets, language: Language, clock: Clock, settings: Settings
    ) -> None:
        self._rule_sets = rule_sets
        self._language = language
        self._clock = clock
        self._settings = settings

    async def begin(self, files: Mapping[str, str]) -> None:
        """The rule set that comes with this service counts from the first start on; later ones of
        it are put by whoever wants them. What was recorded before is folded, and tells nothing."""
        rules = load(files, self._language)
        by = By(SHIPPED, "service", self._clock.now())
        async with self._rule_sets.changing() as change:
            if (await change.newest())[0]:
                return
            version, digest = rules.version, bytes.fromhex(rules.sha256)
            told = (version, files, digest, len(rules.rules), "The rules that come with it.", by)
            await change.put(*told)
            await change.approve(version, by)
            await change.put_in("live", version, by.at, by)
        log.info("the rules that come with it are in force", version=version)

    async def put(self, caller: Principal, files: Mapping[str, str], note: str) -> RuleSetRow:
        """Raises PermissionDenied, InvalidArgument, AlreadyExists."""
        by = self._by(caller)
        try:
            rules = load(files, self._language)
        except BookError as error:
            raise refused(error) from None
        digest = bytes.fromhex(rules.sha256)
        async with self._rule_sets.changing() as change:
            newest, known = await change.newest()
            if (newest, known) != (rules.version, digest):
                if rules.version <= newest:
                    rule = f"must be {newest + 1} or more: a version that was put never changes"
                    raise broken_rule("version", "version.grows", rule)
                told = (rules.version, files, digest, len(rules.rules), note, by)
                await change.put(*told)
        return await self.get(rules.version)

    async def approve(self, caller: Principal, version: int, sha256: bytes) -> RuleSetRow:
        """Raises PermissionDenied for the author, NotFound, InvalidArgument."""
        by = self._by(caller)
        async with self._rule_sets.changing() as change:
            row = _known(await change.get(version))
            if row.sha256 != sha256:
                rule = "must be the hash of the version's text: approve what you have read"
                raise broken_rule("sha256", "sha256.of_version", rule)
            if row.author == by.actor:
                reason = {"reason": "own_work"}
                raise PermissionDenied("four eyes: the author does not approve", metadata=reason)
            if row.status not in ("draft", "shadow"):
                raise broken_rule("version", "status.draft", f"must not be {row.status}")
            if not row.approved_by:
                await change.approve(version, by)
        return await self.get(version)

    async def put_in(self, caller: Principal, version: int, status: str) -> RuleSetRow:
        """Raises PermissionDenied, NotFound, InvalidArgument, AlreadyExists while another version
        is about to go live."""
        by = self._by(caller)
        since = by.at + LEAD
        async with self._rule_sets.changing() as change:
            row = _known(await change.get(version))
            if row.status == status:
                return row
            if row.status not in MAY_BECOME[status]:
                raise broken_rule("status", "status.order", f"must not follow {row.status}")
            if status == "live":
                if not row.approved_by:
                    rule = "must be approved by a second administrator first"
                    raise broken_rule("version", "version.approved", rule)
                live = await change.get(0)
                if live is not None:
                    if live.live_from is not None and live.live_from >= since:
                        raise AlreadyExists("another version goes live at this moment")
                    await change.put_in("retired", live.version, since, by)
            await change.put_in(status, version, since, by)
        return await self.get(version)

    async def get(self, version: int) -> RuleSetRow:
        """The live one for 0. Raises NotFound."""
        return _known(await self._rule_sets.get(version))

    def _by(self, caller: Principal) -> By:
        self.require_allowed(caller)
        return By(caller.id, caller.role, self._clock.now())

    def require_allowed(self, caller: Principal) -> None:
        """Raises PermissionDenied for who does not look after the rules."""
        if caller.role != "service" and not self._settings.may_change_rules(caller.id):
            raise PermissionDenied("not named in POLICY_RULE_ADMINS")


def _known(row: RuleSetRow | None) -> RuleSetRow:
    if row is None:
        raise NotFound("no such version of the rules")
    return row
