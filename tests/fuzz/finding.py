"""What a run of the fuzzer finds, told so that it can be done again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rehab_runtime.errors import DOMAIN, catalogue
from tests.support.hostile import CANARY

SHOWN = 4000
FAULTS = ("UNKNOWN", "INTERNAL", "DATA_LOSS")


class Finding(AssertionError):
    """An input that a service or parser does not take as it should."""

    def __init__(self, target: str, seed: int, number: int, told: bytes, what: str) -> None:
        again = f"FUZZ_SEED={seed} FUZZ_FROM={number} FUZZ_INPUTS=1 FUZZ_ONLY={target}"
        shown = told[:SHOWN].hex() + ("…" if len(told) > SHOWN else "")
        super().__init__(f"{target}: {what}\n  again: make fuzz {again}\n  input: {shown}")


def untyped(error: grpc.RpcError | Any) -> str:
    """What is wrong with a refusal; empty when code, reason and text are the catalogue's and
    nothing of the request is in it."""
    code, details = error.code().name, error.details() or ""
    if CANARY in details or CANARY in repr(error.trailing_metadata()):
        return f"{code} quotes the request"
    if code == "RESOURCE_EXHAUSTED" and "larger than max" in details:
        return ""  # gRPC's own answer to what is too large: sizes, and nothing else
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        return f"{code} instead of what was answered: {details[:200]}"
    info = error_details_pb2.ErrorInfo()
    ours = any(one.Unpack(info) for one in (status.details if status else ()))
    known = {(one.status.name, one.public.rstrip(".")) for one in catalogue().values()}
    public = any(code == name and details.startswith(told) for name, told in known)
    if ours and public and info.domain == DOMAIN and code not in FAULTS:
        return ""
    if not ours and code == "DEADLINE_EXCEEDED":
        return "hangs"
    return f"{code} {info.reason or 'without a reason'}: {details[:200]}"


def quoted(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if CANARY in line]
