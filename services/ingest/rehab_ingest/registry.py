"""The devices streaming to this replica, and the saving of how far they came."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_ingest.storage import Storage
from rehab_ingest.stream import DeviceStream
from rehab_runtime.errors import RehabError, StreamSuperseded, Unauthenticated, Violation
from rehab_runtime.logging import get_logger

log = get_logger("registry")


class Registry:
    def __init__(self, storage: Storage, flush_s: float) -> None:
        self._storage = storage
        self._flush_s = flush_s
        self._streams: dict[tuple[str, str], DeviceStream] = {}
        self._patients: dict[tuple[str, str], set[DeviceStream]] = {}
        self.draining = False

    def revoke(self, ids: Collection[str]) -> None:
        """End the streams of sessions, keys, devices and accounts that may do nothing any more."""
        gone = frozenset(ids)
        for stream in self._streams.values():
            if gone & stream.shown:
                stream.end(Unauthenticated("revoked while it streamed"))

    def hears(self, clinic_id: str, patient_id: str) -> bool:
        """Whether a device of the patient streams here."""
        return (clinic_id, patient_id) in self._patients

    def say(self, clinic_id: str, patient_id: str, feedback: pb.LiveFeedback) -> bool:
        """Tell the devices of the session it is for; whether there is one."""
        heard = [
            stream
            for stream in self._patients.get((clinic_id, patient_id), ())
            if stream.hello.session_id == feedback.session_id
        ]
        for stream in heard:
            stream.say(feedback=feedback)
        return bool(heard)

    def __len__(self) -> int:
        return len(self._streams)

    def add(self, stream: DeviceStream) -> None:
        """A device streams once: the newer stream takes over."""
        key = stream.hello.clinic_id, stream.hello.device_id
        older = self._streams.get(key)
        if older is not None:
            older.end(_superseded())
        self._streams[key] = stream
        self._patients.setdefault(stream.patient, set()).add(stream)

    async def remove(self, stream: DeviceStream) -> None:
        key = stream.hello.clinic_id, stream.hello.device_id
        if self._streams.get(key) is stream:
            del self._streams[key]
        others = self._patients.get(stream.patient, set())
        others.discard(stream)
        if not others:
            self._patients.pop(stream.patient, None)
        await self._flush([stream])

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            await self._flush(list(self._streams.values()))

    async def _flush(self, streams: list[DeviceStream]) -> None:
        dirty = [stream for stream in streams if stream.dirty]
        if not dirty:
            return
        for stream in dirty:
            stream.dirty = False
        try:
            ours = await self._storage.flush([stream.cursor for stream in dirty])
        except RehabError as error:
            # a lower bound is enough: what is sent again is known by its ids
            log.warning("devices' cursors were not saved", reason=error.detail, count=len(dirty))
            return
        for stream in dirty:
            if stream.owner not in ours:
                stream.end(_superseded())

    async def drain(self, seconds: float) -> None:
        """Ask every device to go elsewhere, and wait until what it sent is settled."""
        self.draining = True
        for stream in self._streams.values():
            stream.ask_to_reconnect()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._streams and loop.time() < deadline:
            await asyncio.sleep(0.01)


def _superseded() -> StreamSuperseded:
    rule = Violation("hello.epoch", "epoch.one_stream", "one stream per device and epoch at a time")
    return StreamSuperseded(violations=[rule])
