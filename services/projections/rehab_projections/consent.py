"""Whether a patient's record may be looked at from now on without asking each time, where no
identity service decides: in development."""

from __future__ import annotations

from rehab_projections.domain import rtm
from rehab_projections.storage.billing import consent_facts
from rehab_projections.storage.read import Reader
from rehab_runtime.auth import current_principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import ConsentNotInForce


class Consents:
    """The consents to treatment that the log tells."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock

    async def require(self, patient_id: str) -> None:
        """Raises ConsentNotInForce when consents were told and none is in force now. The patient's
        own screen needs none."""
        if current_principal().role == "patient":
            return
        async with self._reader.snapshot() as view:
            told = rtm.fold(await consent_facts(view, patient_id)).consents
        now = self._clock.now()
        if told and not any(consent.covers(now) for consent in told):
            raise ConsentNotInForce("the consent to treatment was withdrawn or has ended")
