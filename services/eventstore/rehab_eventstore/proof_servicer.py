"""Proof of the log for the suite's services: message to call, result to message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from rehab.eventstore.v1 import proof_service_pb2 as pb
from rehab.eventstore.v1 import proof_service_pb2_grpc as pb_grpc
from rehab_eventstore.proof.checkpoints import Checkpoint, Checkpoints
from rehab_eventstore.proof.finding import Finding
from rehab_eventstore.proof.signing import Signer
from rehab_eventstore.proof.verify import Asked, Progress, Verdict, Verifier
from rehab_eventstore.shard import Shards
from rehab_eventstore.storage.read import LAST, Reader
from rehab_runtime.auth import require_service
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
LISTED = 100


class ProofServicer(pb_grpc.ProofServiceServicer):
    """`signer` is None where checkpoints are not signed."""

    def __init__(
        self,
        shards: Shards,
        reader: Reader,
        verifier: Verifier,
        checkpoints: Checkpoints,
        signer: Signer | None,
        clock: Clock,
    ) -> None:
        self._shards = shards
        self._reader = reader
        self._verifier = verifier
        self._checkpoints = checkpoints
        self._signer = signer
        self._clock = clock

    async def VerifyLog(
        self, request: pb.VerifyLogRequest, context: Context
    ) -> AsyncIterator[pb.VerifyLogResponse]:
        require_service()
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        first, last = min(request.from_position, LAST), min(request.to_position, LAST)
        asked = Asked(shard, first, last, tuple(request.public_keys))
        async with aclosing(self._verifier.verify(asked)) as steps:
            async for step in steps:
                yield _step(step, shard)

    async def ListCheckpoints(
        self, request: pb.ListCheckpointsRequest, context: Context
    ) -> pb.ListCheckpointsResponse:
        require_service()
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        listed = await self._checkpoints.listed(shard, request.limit or LISTED)
        return pb.ListCheckpointsResponse(checkpoints=map(_checkpoint, listed))

    async def SignCheckpoint(
        self, request: pb.SignCheckpointRequest, context: Context
    ) -> pb.SignCheckpointResponse:
        require_service()
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        if self._signer is None:
            rule = Violation("", "signing_key.set", "EVENTSTORE_SIGNING_KEY_FILE must be set")
            raise InvalidArgument(violations=[rule])
        head = await self._reader.head(shard)
        if not head.position:
            return pb.SignCheckpointResponse()
        made = await self._checkpoints.sign(head, self._signer, self._clock.now())
        return pb.SignCheckpointResponse(checkpoint=_checkpoint(made))


def _step(step: Progress | Verdict, shard: int) -> pb.VerifyLogResponse:
    if isinstance(step, Progress):
        progress = pb.Progress(verified=step.verified, total=step.total)
        return pb.VerifyLogResponse(progress=progress)
    verdict = pb.Verdict(
        verified=step.verified,
        checkpoints=step.checkpoints,
        position=step.position,
        finding=_finding(step.finding, shard) if step.finding is not None else None,
        signed_position=step.signed,
        key_ids=sorted(step.signers),
        audit_events=step.audit,
    )
    return pb.VerifyLogResponse(verdict=verdict)


def _finding(finding: Finding, shard: int) -> pb.Finding:
    damage = pb.Damage.Value(f"DAMAGE_{finding.damage.name}")
    # what stands before the log has a position that no log has
    position = max(0, finding.position)
    return pb.Finding(shard=shard, position=position, damage=damage, message=finding.message)


def _checkpoint(one: Checkpoint) -> pb.SignedCheckpoint:
    told = pb.SignedCheckpoint(
        shard=one.shard,
        incarnation=one.incarnation,
        position=one.position,
        hash=one.hash,
        key_id=one.key_id,
        signature=one.signature,
        public_key=one.public_key,
    )
    told.signed_at.FromDatetime(one.signed_at)
    return told
