"""Who a patient is at a receiver: found once, kept sealed, and never made there."""

from __future__ import annotations

from rehab_emr.net.receiver import Receiver
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.lanes import Lane, Lanes
from rehab_runtime.box import Box


class Linking:
    def __init__(self, lanes: Lanes, box: Box) -> None:
        self._lanes = lanes
        self._box = box

    async def reference(self, lane: Lane, endpoint: Endpoint, receiver: Receiver) -> str:
        """Such as "Patient/17"; empty for a patient whom nobody has matched. Raises NoAnswer."""
        if lane.link is not None:
            return self.opened(lane.key, lane.link)
        if not endpoint.patient_system:
            return ""
        found = await receiver.found_by(endpoint.patient_system, lane.patient_id)
        if len(found) != 1:
            return ""
        await self._lanes.link_found(lane, self._sealed(lane.key, found[0]))
        return found[0]

    async def link(self, lane: tuple[str, str], reference: str) -> None:
        await self._lanes.link(*lane, self._sealed(lane, reference))

    async def known(self, lane: tuple[str, str]) -> str:
        sealed = await self._lanes.linked(*lane)
        return self.opened(lane, sealed) if sealed is not None else ""

    def opened(self, lane: tuple[str, str], sealed: bytes) -> str:
        return self._box.open(sealed, "link", *lane).decode()

    def _sealed(self, lane: tuple[str, str], reference: str) -> bytes:
        return self._box.seal(reference.encode(), "link", *lane)
