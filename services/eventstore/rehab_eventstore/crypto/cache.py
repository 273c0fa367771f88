"""Opened data keys, kept for a short while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from rehab_eventstore.crypto.keys import Keyring
from rehab_runtime.clock import Clock

Load = Callable[[Collection[str]], Awaitable[Mapping[str, Keyring]]]
"""Opens the keys of patients; one who has none, or none any more, is not in the answer."""


class _Flight:
    """A load under way; `living` are the patients that have not been forgotten since it began."""

    def __init__(self, patients: Collection[str]) -> None:
        self.patients = frozenset(patients)
        self.living = set(patients)
        self.task: asyncio.Task[Mapping[str, Keyring]]


class _Wait:
    """A call under way, and who was forgotten since it began."""

    def __init__(self) -> None:
        self.forgotten: set[str] = set()


class KeyCache:
    """Keyrings by patient, each for `ttl_s` after it was opened and no longer.

    What is asked for by several at once is opened once. What `load` raises goes to all who wait
    and is not remembered; neither is that a patient has no keys. Once `forget` has returned, keys
    that were opened before it are not handed out again: those who waited for them ask anew.
    """

    def __init__(
        self, load: Load, clock: Clock, *, ttl_s: float = 60, max_patients: int = 10_000
    ) -> None:
        if ttl_s <= 0 or max_patients < 1:
            raise ValueError("ttl_s must be above 0, max_patients at least 1")
        self._load = load
        self._clock = clock
        self._ttl_s = ttl_s
        self._max_patients = max_patients
        # from the oldest to the newest: all live equally long, so the first expires first
        self._held: dict[str, tuple[float, Keyring]] = {}
        self._flights: dict[str, _Flight] = {}
        self._waits: set[_Wait] = set()

    def __len__(self) -> int:
        return len(self._held)

    def peek(self, patient: str) -> Keyring | None:
        """The patient's keys if they are at hand."""
        held = self._held.get(patient)
        if held is None:
            return None
        until, keyring = held
        if until <= self._clock.monotonic():
            del self._held[patient]
            return None
        return keyring

    async def get(self, patient: str) -> Keyring | None:
        """The patient's keys; None if there are none. Raises what loading raises."""
        return self.peek(patient) or (await self.get_many([patient])).get(patient)

    async def get_many(self, patients: Collection[str]) -> dict[str, Keyring]:
        """The keys of those patients who have some, opened in one go where need be."""
        wait = _Wait()
        self._waits.add(wait)
        try:
            return await self._gather(frozenset(patients), wait)
        finally:
            self._waits.remove(wait)

    async def _gather(self, patients: Collection[str], wait: _Wait) -> dict[str, Keyring]:
        found: dict[str, Keyring] = {}
        asked = set(patients)
        while asked:
            for patient in list(asked):
                if keyring := self.peek(patient):
                    found[patient] = keyring
                    asked.remove(patient)
            self._start(asked - self._flights.keys())
            for flight in {self._flights[patient] for patient in asked}:
                # shielded: others may wait for it too
                loaded = await asyncio.shield(flight.task)
                found.update((one, loaded[one]) for one in asked & loaded.keys())
                asked -= flight.patients
            asked |= wait.forgotten & frozenset(patients)
            wait.forgotten.clear()
            for patient in asked:
                found.pop(patient, None)
        return found

    def forget(self, patient: str) -> None:
        """Drop a patient's keys: they were erased or rotated."""
        self._held.pop(patient, None)
        flight = self._flights.pop(patient, None)
        if flight is not None:
            flight.living.discard(patient)
        for wait in self._waits:
            wait.forgotten.add(patient)

    def clear(self) -> None:
        for patient in {*self._held, *self._flights}:
            self.forget(patient)

    def sweep(self) -> None:
        """Drop what has expired; to be called now and then, for patients nobody asks for."""
        now = self._clock.monotonic()
        for patient, (until, _) in list(self._held.items()):
            if until > now:
                break
            del self._held[patient]

    def _start(self, patients: Collection[str]) -> None:
        if not patients:
            return
        flight = _Flight(patients)
        self._flights.update(dict.fromkeys(patients, flight))
        flight.task = asyncio.create_task(self._fly(flight), name="open keys")
        flight.task.add_done_callback(_seen)

    async def _fly(self, flight: _Flight) -> Mapping[str, Keyring]:
        try:
            loaded = await self._load(flight.patients)
            _require_own(loaded, flight.patients)
            for patient in flight.living & loaded.keys():
                self._keep(loaded[patient])
            return loaded
        finally:
            for patient in flight.living:
                del self._flights[patient]

    def _keep(self, keyring: Keyring) -> None:
        self.sweep()
        self._held.pop(keyring.patient, None)
        while len(self._held) >= self._max_patients:
            del self._held[next(iter(self._held))]
        self._held[keyring.patient] = self._clock.monotonic() + self._ttl_s, keyring

    def __repr__(self) -> str:
        return f"KeyCache({len(self._held)} patients)"


def _require_own(loaded: Mapping[str, Keyring], patients: Collection[str]) -> None:
    """A fault of whoever loads must not hand one patient's keys to another."""
    for patient, keyring in loaded.items():
        if keyring.patient != patient or patient not in patients:
            raise RuntimeError("keys of another patient were loaded")


def _seen(task: asyncio.Task[Mapping[str, Keyring]]) -> None:
    # all who waited may have been cancelled: then nobody else takes the error
    if not task.cancelled():
        task.exception()
