"""`rehab log verify` and `rehab log checkpoint`: whether the log is what was written."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError

from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1 import proof_service_pb2 as pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking, shards_of
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out, problem
from rehab_cli.errors import SuiteError
from rehab_runtime.signed import checkpoint_message, is_signed, key_id_of

KEY_BYTES = 32
Tell = Callable[[pb.Verdict, int], int]
"""Tells what came of a shard's walk, and returns the exit code for it."""


@dataclass(frozen=True)
class Trusted:
    """What the caller knows from elsewhere than the log: the keys that may have signed, none for
    whichever did, and checkpoints kept apart."""

    keys: list[bytes]
    kept: list[pb.SignedCheckpoint]


PublicKeys = Annotated[
    list[str] | None,
    typer.Option("--public-key", help="Ed25519 key that may have signed (base64); repeatable."),
]
Expected = Annotated[
    Path | None, typer.Option("--expect-checkpoint", help="Checkpoints exported before.")
]


def verify(
    first: Annotated[int, typer.Option("--from", min=0, help="First position.")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="Last position; 0 for the end.")] = 0,
    public_keys: PublicKeys = None,
    expect: Expected = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Walk the chain of hashes and the signed checkpoints; exits 1 at the first bad position."""
    run(
        lambda: _verify(
            find(data, port_base), first, last, _trusted(public_keys or [], expect), _tell_log
        )
    )


def verify_audit(
    public_keys: PublicKeys = None,
    expect: Expected = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Show that the trail is whole: the chain of hashes from its beginning to its end, with the
    signed checkpoints, for an event that is missing may be one of the trail; exits 1 at the first
    bad position."""
    run(
        lambda: _verify(
            find(data, port_base), 0, 0, _trusted(public_keys or [], expect), _tell_audit
        )
    )


def checkpoint(
    export: Annotated[
        Path | None, typer.Option("--export", help="Write it there, to be kept apart.")
    ] = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Sign where the log stands now."""
    run(lambda: _checkpoint(find(data, port_base), export))


def _trusted(public_keys: list[str], expect: Path | None) -> Trusted:
    keys = [_key(told) for told in public_keys]
    kept = []
    if expect is not None:
        try:
            told = json.loads(expect.read_text())
            kept = [ParseDict(one, pb.SignedCheckpoint()) for one in told["checkpoints"]]
        except (OSError, ValueError, KeyError, TypeError, ParseError):
            raise SuiteError(f"{expect} holds no checkpoints") from None
    return Trusted(keys, kept)


def _key(told: str) -> bytes:
    try:
        key = b64decode(told, validate=True)
    except ValueError:
        raise SuiteError("--public-key is not base64") from None
    if len(key) != KEY_BYTES:
        raise SuiteError(f"--public-key has {len(key)} bytes instead of {KEY_BYTES}")
    return key


async def _verify(addresses: Addresses, first: int, last: int, trusted: Trusted, tell: Tell) -> int:
    async with asking(addresses.eventstore) as connection:
        stub = ProofServiceStub(connection)
        code = 0
        for shard in range(await shards_of(connection)):
            asked = pb.VerifyLogRequest(
                shard=shard, from_position=first, to_position=last, public_keys=trusted.keys
            )
            code |= tell(await _walk(stub, asked), shard)
            code |= await _compare(connection, shard, trusted)
    return code


async def _walk(stub: Any, request: pb.VerifyLogRequest) -> pb.Verdict:
    verdict = pb.Verdict()
    with bar("events") as moved:
        async for step in stub.VerifyLog(request, metadata=METADATA):
            if step.HasField("verdict"):
                verdict = step.verdict
                continue
            now = step.progress
            moved(now.verified, now.total)
    return verdict


def _tell_log(verdict: pb.Verdict, shard: int) -> int:
    return _tell(verdict, shard, f"{verdict.verified:,} events")


def _tell_audit(verdict: pb.Verdict, shard: int) -> int:
    return _tell(verdict, shard, f"{verdict.audit_events:,} audit events of {verdict.verified:,}")


def _tell(verdict: pb.Verdict, shard: int, proven: str) -> int:
    if not verdict.HasField("finding"):
        out.print(
            f"shard {shard}: {proven} up to position {verdict.position:,} are "
            f"what was written; {verdict.checkpoints:,} signed checkpoints hold, the last one of "
            f"position {verdict.signed_position:,}"
        )
        return 0
    finding = verdict.finding
    damage = pb.Damage.Name(finding.damage).removeprefix("DAMAGE_").lower()
    problem(f"shard {shard}: position {finding.position}: {damage}: {finding.message}")
    return 1


async def _compare(connection: grpc.aio.Channel, shard: int, trusted: Trusted) -> int:
    """Hold the log against the checkpoints that the caller kept."""
    code = 0
    for one in trusted.kept:
        if one.shard != shard:
            continue
        wrong = await _wrong(connection, one, trusted.keys)
        if wrong:
            problem(f"shard {shard}: position {one.position}: {wrong}")
            code = 1
        else:
            out.print(f"shard {shard}: the checkpoint kept of position {one.position:,} holds")
    return code


async def _wrong(connection: grpc.aio.Channel, kept: pb.SignedCheckpoint, keys: list[bytes]) -> str:
    if not any(_signed(kept, key) for key in keys or [kept.public_key]):
        return "the checkpoint kept is not signed by its key"
    request = store_pb.ReadAllRequest(
        shard=kept.shard, after_position=kept.position - 1, until_position=kept.position, limit=1
    )
    pages = EventStoreServiceStub(connection).ReadAll(request, metadata=METADATA, timeout=TIMEOUT_S)
    async for page in pages:
        if page.incarnation != kept.incarnation:
            return "the log is another one than the checkpoint kept is of"
        for event in page.events:
            same = event.hash == kept.hash
            return "" if same else "the log holds another event than the checkpoint kept was of"
    return "the log ends before the checkpoint kept"


def _signed(one: pb.SignedCheckpoint, key: bytes) -> bool:
    message = checkpoint_message(
        one.shard, one.incarnation, one.position, one.hash, one.signed_at.ToDatetime(UTC)
    )
    return one.key_id == key_id_of(key) and is_signed(key, message, one.signature)


async def _checkpoint(addresses: Addresses, export: Path | None) -> int:
    async with asking(addresses.eventstore) as connection:
        stub = ProofServiceStub(connection)
        made = []
        for shard in range(await shards_of(connection)):
            request = pb.SignCheckpointRequest(shard=shard)
            answer = await stub.SignCheckpoint(request, metadata=METADATA, timeout=TIMEOUT_S)
            if not answer.HasField("checkpoint"):
                continue
            one = answer.checkpoint
            made.append(one)
            key = b64encode(one.public_key).decode()
            out.print(
                f"shard {shard}: position {one.position:,}, hash {one.hash.hex()}, "
                f"signed by {one.key_id} (public key {key})"
            )
    if export is not None:
        told = [MessageToDict(one, preserving_proto_field_name=True) for one in made]
        await asyncio.to_thread(export.write_text, json.dumps({"checkpoints": told}, indent=1))
        out.print(f"kept in {export}: store it where nobody who can change the log can")
    return 0
