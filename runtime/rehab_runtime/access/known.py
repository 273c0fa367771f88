"""What decisions about patients rest on, kept near: told by identity, and forgotten as soon as it
tells of a change, or falls silent."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

import grpc

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.access.messages import facts_of
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.errors import RehabError, Unavailable, from_rpc_error
from rehab_runtime.logging import get_logger
from rehab_runtime.metrics import declare_counter, declare_gauge

SILENT_S = 3.0
"""After that long without a word nothing is known any more."""
ASK_TIMEOUT_S = 1.0
ASKED_AT_ONCE = 500
"""As rehab.identity.v1.GetPatientFactsRequest says."""
MAX_PATIENTS = 50_000
FIRST_RETRY_S, LONGEST_RETRY_S = 0.05, 2.0

log = get_logger("access")
asked = declare_counter(
    "access_facts_asked_total",
    "Patients whose facts were asked of identity, not being known here.",
    "identity's stream breaks often, or the service sees more patients than it may keep",
)
watching = declare_gauge(
    "access_facts_live",
    "1 while identity tells this service of changes, 0 while each decision asks it.",
    "this one falls: see whether identity answers, and IDENTITY_ADDRESS of this service",
)

Revoke = Callable[[Mapping[str, float]], object]
"""Told what was revoked, and when in seconds since 1970 by identity's clock."""


class Known:
    """A bounded memory of patients' facts. `run` is its task: without it every question is asked of
    identity. `revoked` is told what may do nothing any more, some of it more than once."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        principal: Principal,
        *,
        revoked: Revoke | None = None,
        clock: Clock | None = None,
        max_patients: int = MAX_PATIENTS,
    ) -> None:
        self._stub = IdentityServiceStub(channel)
        self._metadata = (bearer(principal),)
        self._revoked = revoked
        self._clock = clock or SystemClock()
        self._max = max_patients
        self._kept: OrderedDict[str, PatientFacts] = OrderedDict()
        self._flights: dict[str, asyncio.Future[PatientFacts]] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._heard_at: float | None = None

    @property
    def live(self) -> bool:
        """Whether what is kept may be believed."""
        heard = self._heard_at
        return heard is not None and self._clock.monotonic() - heard <= SILENT_S

    async def facts(self, patient_id: str) -> PatientFacts:
        """Raises Unavailable when they are not to be had."""
        return (await self.facts_of([patient_id]))[patient_id]

    async def facts_of(self, patient_ids: Iterable[str]) -> Mapping[str, PatientFacts]:
        """The same of several, asked for together. Of a patient who is not known only the id is."""
        wanted = list(dict.fromkeys(patient_ids))
        found: dict[str, PatientFacts] = {}
        if self.live:
            for one in wanted:
                if (kept := self._kept.get(one)) is not None:
                    self._kept.move_to_end(one)
                    found[one] = kept
        missing = [one for one in wanted if one not in found]
        flights = {one: self._flights[one] for one in missing if one in self._flights}
        new = [one for one in missing if one not in flights]
        for first in range(0, len(new), ASKED_AT_ONCE):
            flights |= self._ask(new[first : first + ASKED_AT_ONCE])
        for one, flight in flights.items():
            # shielded: others may wait for it too
            found[one] = await asyncio.shield(flight)
        return {one: found[one] for one in wanted}

    def _ask(self, patient_ids: Sequence[str]) -> dict[str, asyncio.Future[PatientFacts]]:
        loop = asyncio.get_running_loop()
        flights: dict[str, asyncio.Future[PatientFacts]] = {
            one: loop.create_future() for one in patient_ids
        }
        for flight in flights.values():
            flight.add_done_callback(_seen)
        self._flights |= flights
        task = loop.create_task(self._fly(flights), name="asks-for-facts")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return flights

    async def _fly(self, flights: Mapping[str, asyncio.Future[PatientFacts]]) -> None:
        try:
            answer = await self._answer(list(flights))
        except BaseException as error:
            told = error if isinstance(error, RehabError) else Unavailable("the asking was ended")
            for one, flight in flights.items():
                self._landed(one, flight)
                flight.set_exception(told)
            if not isinstance(error, RehabError):
                raise
            return
        for one, flight in flights.items():
            # a change that was told meanwhile has taken the flight away: then it is not kept
            if self._landed(one, flight) and self.live and answer[one].known:
                self._keep(answer[one])
            flight.set_result(answer[one])

    async def _answer(self, patient_ids: Sequence[str]) -> dict[str, PatientFacts]:
        asked.inc(len(patient_ids))
        request = pb.GetPatientFactsRequest(patient_ids=patient_ids)
        try:
            answer = await self._stub.GetPatientFacts(
                request, metadata=self._metadata, timeout=ASK_TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        found = {one.patient_id: facts_of(one) for one in answer.facts}
        if found.keys() != set(patient_ids):
            raise Unavailable("identity answered another question")
        return found

    def _landed(self, patient_id: str, flight: asyncio.Future[PatientFacts]) -> bool:
        mine = self._flights.get(patient_id) is flight
        if mine:
            del self._flights[patient_id]
        return mine

    def _keep(self, facts: PatientFacts) -> None:
        self._kept[facts.patient_id] = facts
        self._kept.move_to_end(facts.patient_id)
        while len(self._kept) > self._max:
            self._kept.popitem(last=False)

    async def run(self) -> None:
        """Listen to identity, for ever."""
        pause_s, told = FIRST_RETRY_S, False
        try:
            while True:
                try:
                    await self._listen()
                except (grpc.aio.AioRpcError, TimeoutError) as error:
                    heard = self._heard_at is not None
                    self._forget_all()
                    if heard or not told:
                        log.warning(
                            "identity does not tell of changes: asking it each time",
                            error_type=type(error).__name__,
                            remedy="start identity, or check where this service looks for it",
                        )
                    told = True
                    pause_s = FIRST_RETRY_S if heard else min(2 * pause_s, LONGEST_RETRY_S)
                await asyncio.sleep(pause_s)
        finally:
            self._forget_all()
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)

    async def _listen(self) -> None:
        """One stream, until it breaks or falls silent. One that was silent is not believed again:
        what it still holds may be older than it seems."""
        call = self._stub.WatchAccess(pb.WatchAccessRequest(), metadata=self._metadata)
        try:
            while True:
                async with asyncio.timeout(SILENT_S):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    raise TimeoutError("the stream ended")
                if self._heard_at is not None and not self.live:
                    raise TimeoutError("nothing was heard for too long")
                self._told(message)
        finally:
            call.cancel()

    def _told(self, message: pb.WatchAccessResponse) -> None:
        if self._heard_at is None or message.everything:
            self._forget_patients()
        self._heard_at = self._clock.monotonic()
        watching.set(1)
        for one in message.patient_ids:
            self._kept.pop(one, None)
            self._flights.pop(one, None)
        if message.revocations and self._revoked is not None:
            self._revoked({one.id: one.at.ToNanoseconds() / 1e9 for one in message.revocations})

    def _forget_all(self) -> None:
        self._heard_at = None
        watching.set(0)
        self._forget_patients()

    def _forget_patients(self) -> None:
        self._kept.clear()
        self._flights.clear()


def _seen(flight: asyncio.Future[PatientFacts]) -> None:
    """Whoever waited may have left."""
    if not flight.cancelled():
        flight.exception()
