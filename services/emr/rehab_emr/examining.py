"""Reads again what receivers promise: a CapabilityStatement is of the day on which it was read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr import metrics
from rehab_emr.domain.conformance import Findings, examined, is_statement
from rehab_emr.errors import raised_at
from rehab_emr.net.receiver import NoAnswer
from rehab_emr.receivers import Receivers
from rehab_emr.settings import Settings
from rehab_emr.storage.endpoints import STATEMENT, Endpoint, Endpoints
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

AT_ONCE = 4
LOOK_S = 0.05
TICK_S = 60.0
"""How often it is looked whose statement is old."""

log = get_logger("examining")


class Examining:
    """`run` is its task."""

    def __init__(self, endpoints: Endpoints, receivers: Receivers, settings: Settings) -> None:
        self._endpoints = endpoints
        self._receivers = receivers
        self._old_s = settings.statement_h * 3600
        self._doubt_s = settings.statement_doubt_s
        self._answer_s = settings.request_timeout_ms / 1000
        self._tick_s = min(TICK_S, max(self._old_s / 4, 0.05))
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                while old := await self._endpoints.to_look_at(self._old_s, AT_ONCE):
                    await asyncio.gather(*(self._guarded(one) for one in old))
            except RehabError as error:
                log.debug("cannot look whose statement is old", reason=error.detail)
            await asyncio.sleep(self._tick_s)

    async def _guarded(self, endpoint: Endpoint) -> None:
        """One that cannot be looked at keeps nobody from the others."""
        try:
            await self._examine(endpoint)
        except RehabError as error:
            log.debug("a receiver cannot be looked at", reason=error.detail)
        except Exception as error:
            metrics.failures.labels("examining").inc()
            log.error(
                "a receiver cannot be looked at",
                endpoint_id=endpoint.endpoint_id,
                error_type=type(error).__name__,
                path=raised_at(error),
                remedy="this is a fault of the service: report it",
            )

    async def doubted(self, endpoint: Endpoint) -> bool:
        """What it promised does not seem to hold: look now, unless that was done a moment ago.
        Whether it is to be sent to in another way now, or not at all. Raises Unavailable."""
        turn = self._turns.setdefault(endpoint.endpoint_id, asyncio.Lock())
        async with turn:
            now = await self._endpoints.one(endpoint.endpoint_id)
            if now.revision == endpoint.revision:
                claimed = await self._endpoints.look_now(endpoint.endpoint_id, self._doubt_s)
                if claimed is not None:
                    await self._examine(claimed)
                else:
                    await self._read_elsewhere(endpoint.endpoint_id)
                now = await self._endpoints.one(endpoint.endpoint_id)
            return now.revision != endpoint.revision

    async def _read_elsewhere(self, endpoint_id: str) -> None:
        """Until another replica that reads it right now has done so: refused at one moment, both
        are to know what the first one finds out."""
        while await self._endpoints.is_being_read(endpoint_id, self._answer_s):
            await asyncio.sleep(LOOK_S)

    async def _examine(self, endpoint: Endpoint) -> None:
        try:
            with self._receivers.lent(endpoint) as receiver:
                statement = await receiver.capabilities()
        except NoAnswer as error:
            await self._unread(endpoint, error.code)
            return
        if not is_statement(statement):
            await self._unread(endpoint, "no_capability_statement")
            return
        found = examined(statement)
        wanted = as_found(endpoint, found)
        missing = lacking(endpoint, found)
        why = f"{STATEMENT}{'; '.join(missing)}" if missing else ""
        changed = [name for name in _FOUND if getattr(wanted, name) != getattr(endpoint, name)]
        stored = await self._endpoints.examined(wanted, why, changed=bool(changed))
        if stored is None:
            return  # it was registered anew meanwhile, or sends another way by now
        self._receivers.look()
        metrics.statements.labels("changed" if changed else "same").inc()
        if changed:
            log.warning(
                "a receiver promises something else than before",
                endpoint_id=endpoint.endpoint_id,
                changed=changed,
                remedy="rehab emr endpoints tells what it lacks now",
            )
        _tell_pause(endpoint, stored)

    async def _unread(self, endpoint: Endpoint, code: str) -> None:
        metrics.statements.labels("unread").inc()
        await self._endpoints.unread(endpoint.endpoint_id, code)
        log.warning(
            "a receiver's CapabilityStatement cannot be read: what it said last still holds",
            endpoint_id=endpoint.endpoint_id,
            reason=code,
            remedy="see whether [base]/metadata can be read with our access",
        )


_FOUND = (
    *("takes_transactions", "takes_batches", "takes_provenance", "takes_devices"),
    *("conditional_create", "conditional_update", "warnings", "disproved"),
)


def as_found(endpoint: Endpoint, found: Findings) -> Endpoint:
    """As its statement has it, but for what was seen not to be so since it began to say it."""
    promised = {"transactions": found.transactions, "batches": found.batches}
    disproved = tuple(one for one in endpoint.disproved if promised[one])
    return replace(
        endpoint,
        takes_transactions=found.transactions and "transactions" not in disproved,
        takes_batches=found.batches and "batches" not in disproved,
        takes_provenance=found.provenance,
        takes_devices=found.devices,
        conditional_create=found.manner.conditional_create,
        conditional_update=found.manner.conditional_update,
        warnings=found.warnings,
        disproved=disproved,
    )


def lacking(endpoint: Endpoint, found: Findings) -> Sequence[str]:
    """What it would have to take to be sent what its clinic wants, in plain words."""
    if endpoint.bundle_type == pb.BUNDLE_TYPE_TRANSACTION and not found.transactions:
        return (*found.missing, "it takes no transactions, which are asked for")
    return found.missing


def _tell_pause(before: Endpoint, after: Endpoint) -> None:
    if after.paused == before.paused:
        return
    if after.paused:
        metrics.paused.inc()
        log.error(
            "an endpoint no longer takes what is sent: it is paused",
            endpoint_id=after.endpoint_id,
            reason=after.paused,
            remedy="tell whoever runs it; it goes on by itself when its statement is good again",
        )
    else:
        log.info("an endpoint takes what is sent again: it goes on", endpoint_id=after.endpoint_id)
