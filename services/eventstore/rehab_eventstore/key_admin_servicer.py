"""Looking after keys: how many there are, and new ones. None is ever handed out here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from rehab.eventstore.v1 import key_admin_service_pb2 as pb
from rehab.eventstore.v1 import key_admin_service_pb2_grpc as pb_grpc
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.storage.keys import KekCount, KeyStore
from rehab_runtime.auth import require_service
from rehab_runtime.errors import Erased, InvalidArgument, NotFound, Violation
from rehab_runtime.keepers.opening import Keeper
from rehab_runtime.keepers.wrapper import Kek
from rehab_runtime.logging import get_logger
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext

log = get_logger("keys")


class KeyAdminServicer(pb_grpc.KeyAdminServiceServicer):
    def __init__(
        self, keeper: Keeper, keys: KeyStore, cache: KeyCache, allowed: frozenset[str]
    ) -> None:
        self._keeper = keeper
        self._keys = keys
        self._cache = cache
        self._allowed = allowed

    async def GetKeyStatus(
        self, request: pb.GetKeyStatusRequest, context: Context
    ) -> pb.GetKeyStatusResponse:
        require_service(self._allowed)
        newest = await self._keys.newest_kek()
        known = {one.kek: one for one in await self._keys.census()}
        known.setdefault(newest, KekCount(newest, 0, 0, 0))
        answer = pb.GetKeyStatusResponse(
            keeper=self._keeper.name,
            source=self._keeper.source,
            keks=[_status(one, newest) for _, one in sorted(known.items())],
        )
        oldest = await self._keys.oldest_sealing_at()
        if oldest is not None:
            answer.oldest_sealing_at.FromDatetime(oldest)
        return answer

    async def RotateKek(
        self, request: pb.RotateKekRequest, context: Context
    ) -> pb.RotateKekResponse:
        require_service(self._allowed)
        if self._keeper.rotate is None:
            broken = Violation(
                "",
                "kek.own",
                f"the key-encryption key is {self._keeper.name}'s: rotate it there, then rewrap",
            )
            raise InvalidArgument(violations=[broken])
        kek = await self._keeper.rotate()
        log.info("the key-encryption key was rotated", version=kek.version)
        return pb.RotateKekResponse(kek_id=kek.id, kek_version=kek.version)

    async def RotateDataKey(
        self, request: pb.RotateDataKeyRequest, context: Context
    ) -> pb.RotateDataKeyResponse:
        require_service(self._allowed)
        require_valid(request)
        had = await self._keys.named([request.subject_id], ())
        if not had:
            raise NotFound("a subject without a key")
        if all(one.key is None and not one.refused for one in had):
            raise Erased
        key_id = await self._keys.rotate(request.subject_id)
        self._cache.forget(request.subject_id)
        log.info("a data key was rotated", key_id=key_id)
        return pb.RotateDataKeyResponse(key_id=key_id)

    async def RewrapDataKeys(
        self, request: pb.RewrapDataKeysRequest, context: Context
    ) -> AsyncIterator[pb.RewrapDataKeysResponse]:
        require_service(self._allowed)
        newest = await self._keys.newest_kek()
        left = sum(one.living for one in await self._keys.census() if one.kek != newest)
        moved = refused = 0
        yield pb.RewrapDataKeysResponse(left=left)
        async for step in self._keys.rewrap():
            moved, refused = moved + step.moved, refused + step.refused
            yield pb.RewrapDataKeysResponse(
                moved=moved, left=max(0, left - moved - refused), refused=refused
            )
        log.info("data keys were wrapped anew", keys=moved)


def _status(one: KekCount, newest: Kek) -> pb.KekStatus:
    return pb.KekStatus(
        kek_id=one.kek.id,
        kek_version=one.kek.version,
        living=one.living,
        sealing=one.newest,
        destroyed=one.destroyed,
        newest=one.kek == newest,
    )
