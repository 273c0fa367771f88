"""What the log proves for remote therapeutic monitoring. A worksheet, not a claim."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from rehab.projections.v1 import billing_service_pb2 as pb
from rehab_sdk.paged import Reader
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import MAX_WAIT_S, Days, window


class AsyncBilling(Reader):
    """Every figure names the events that prove it. Months end in `clinic_zone`, in the patient's
    zone when it is empty."""

    async def evidence(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        clinic_zone: str = "",
        payer: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> pb.GetBillingEvidenceResponse:
        """Device periods and management months that touch the window."""
        request = self._asked(
            pb.GetBillingEvidenceRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            clinic_zone=clinic_zone,
            payer=payer,
        )
        answer: pb.GetBillingEvidenceResponse = await self._answer(
            self._stub.GetBillingEvidence, request, max_wait_s
        )
        return answer

    async def gaps(
        self,
        clinic: str,
        *,
        as_of: datetime | None = None,
        clinic_zone: str = "",
        payer: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.BillingGap]:
        """What is missing to codes that can still be reached, patient by patient."""
        request = self._asked(
            pb.ListBillingGapsRequest(),
            min_position,
            max_wait_s,
            clinic_id=clinic,
            as_of=as_of,
            clinic_zone=clinic_zone,
            payer=payer,
        )
        async for gap in self._items(self._stub.ListBillingGaps, request, "gaps", max_wait_s):
            yield gap
