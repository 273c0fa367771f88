"""Keys for the suite's services: what opens bodies, and never what seals them again."""

from __future__ import annotations

import grpc

from rehab.eventstore.v1 import key_service_pb2 as pb
from rehab.eventstore.v1 import key_service_pb2_grpc as pb_grpc
from rehab_eventstore.audit import KeyTrail
from rehab_eventstore.storage.keys import KeyStore, NamedKey
from rehab_runtime.validation import require_valid

GET_DATA_KEYS = "rehab.eventstore.v1.KeyService/GetDataKeys"


class KeyServicer(pb_grpc.KeyServiceServicer):
    def __init__(
        self, keys: KeyStore, trail: KeyTrail, readers: frozenset[str], ttl_s: int
    ) -> None:
        self._keys = keys
        self._trail = trail
        self._readers = readers
        self._ttl_s = ttl_s

    async def GetDataKeys(
        self, request: pb.GetDataKeysRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetDataKeysResponse:
        self._trail.admit(self._readers, GET_DATA_KEYS)
        require_valid(request)
        found = await self._keys.named(request.subject_ids, request.key_ids)
        await self._trail.read(GET_DATA_KEYS, {one.subject for one in found if one.key})
        return pb.GetDataKeysResponse(keys=map(_message, found), ttl_s=self._ttl_s)


def _message(named: NamedKey) -> pb.DataKey:
    return pb.DataKey(
        key_id=named.key_id,
        subject_id=named.subject,
        key=named.key.opening() if named.key is not None else b"",
        destroyed=named.key is None and not named.refused,
    )
