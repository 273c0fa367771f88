"""The trail of who was lent keys and snapshots."""

from __future__ import annotations

from collections.abc import Collection

from rehab_runtime.access.trail import Reading, Trail
from rehab_runtime.auth import current_principal, require_service
from rehab_runtime.errors import PermissionDenied

ALLOWED, DENIED = "key_reader", "not_a_key_reader"


class KeyTrail(Trail):
    """A reader who reads a subject again is covered for as long as a key may be kept anyway, and
    used as often."""

    def admit(self, readers: frozenset[str], rpc: str) -> None:
        """Let a service of these names in. Raises PermissionDenied, and tells of it."""
        try:
            require_service(readers)
        except PermissionDenied:
            self.deny(_reading(rpc, allowed=False))
            raise

    async def read(self, rpc: str, subjects: Collection[str]) -> None:
        """Return once the log tells that the caller reads these subjects. Raises Overloaded,
        Unavailable, Draining: then nothing may be handed out."""
        await self.allow(_reading(rpc, allowed=True), subjects)


def _reading(rpc: str, *, allowed: bool) -> Reading:
    caller = current_principal()
    return Reading(caller.id, caller.role, rpc, allowed, ALLOWED if allowed else DENIED)
