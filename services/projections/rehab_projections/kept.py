"""Answers about patients, kept sealed in Valkey for whoever asks the same next.

An entry stands for one version of the patient's row: the version is part of what the seal binds, so
an entry of another version cannot even be opened. The version is read, and the caller's rights are
checked, in PostgreSQL each time; only the folding is spared.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError, Message

from rehab_projections import metrics
from rehab_projections.storage.vanishing import Vanishing
from rehab_runtime.clock import Clock
from rehab_runtime.valkey import Away

M = TypeVar("M", bound=Message)
NONCE_BYTES = 12
LARGEST_BYTES = 256 * 1024
_AT = struct.Struct(">q")
TTL_S = 600
"""Answers that no clock changes; what is left of an erased patient ends as soon."""


@dataclass(frozen=True)
class Question:
    """A read's question about a patient, as asked at one version of the patient's row. `lasting`
    says that no clock changes the answer."""

    patient_id: str
    content: bytes
    version: str
    lasting: bool


class KeptAnswers:
    """`key` seals, and makes the names of entries; replicas that share it share entries. An answer
    as of now is good for `live_s`."""

    def __init__(self, entries: Vanishing, clock: Clock, *, key: bytes, live_s: float) -> None:
        self._entries = entries
        self._clock = clock
        self._live_s = live_s
        self._names = hmac.digest(key, b"names of entries", "sha256")
        self._aead = AESGCM(hmac.digest(key, b"seals of entries", "sha256"))
        self._code = code_digest()

    async def get(self, question: Question, answer: type[M]) -> M | None:
        field = self._name(question.content)
        try:
            sealed = await self._entries.get(self._name(question.patient_id.encode()), field)
        except Away:
            metrics.kept_answers.labels("away").inc()
            return None
        found = self._opened(question, field, sealed, answer) if sealed else None
        metrics.kept_answers.labels("miss" if found is None else "hit").inc()
        return found

    async def put(self, question: Question, answer: Message) -> None:
        content = answer.SerializeToString()
        if len(content) > LARGEST_BYTES:
            return
        field, nonce = self._name(question.content), os.urandom(NONCE_BYTES)
        told = _AT.pack(self._now_us()) + content
        sealed = nonce + self._aead.encrypt(nonce, told, self._bound(question, field))
        with contextlib.suppress(Away):
            await self._entries.put(self._name(question.patient_id.encode()), field, sealed)

    async def forget(self, patient_id: str) -> None:
        """What is left of a patient who is gone. It cannot be opened any more anyway."""
        with contextlib.suppress(Away):
            await self._entries.drop(self._name(patient_id.encode()))

    def _opened(self, question: Question, field: str, sealed: bytes, answer: type[M]) -> M | None:
        try:
            told = self._aead.decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(question, field)
            )
            (at_us,) = _AT.unpack_from(told)
            age_s = (self._now_us() - at_us) / 1e6
            if not 0 <= age_s <= (TTL_S if question.lasting else self._live_s):
                return None
            return answer.FromString(told[_AT.size :])
        except (InvalidTag, DecodeError, ValueError, struct.error):
            return None

    def _name(self, of: bytes) -> str:
        return hmac.digest(self._names, of, "sha256")[:16].hex()

    def _bound(self, question: Question, field: str) -> bytes:
        """An entry is good for one patient, question, version of the row and of the code."""
        return b"\0".join(
            (self._code, question.patient_id.encode(), field.encode(), question.version.encode())
        )

    def _now_us(self) -> int:
        return int(self._clock.now().timestamp() * 1e6)


def code_digest() -> bytes:
    """Of all code of this package: another version of it may answer otherwise."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(one for one in package.rglob("*") if one.suffix in (".py", ".sql")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.digest()


def question_of(request: Any, version: str) -> Question:
    """What makes a question another one: all but how fresh its answer is to be."""
    plain = type(request)()
    plain.CopyFrom(request)
    plain.ClearField("consistency")
    timeless = "as_of" not in request.DESCRIPTOR.fields_by_name
    pinned = not timeless and (
        request.HasField("as_of") or bool(getattr(request, "page_token", ""))
    )
    name = request.DESCRIPTOR.full_name.encode()
    return Question(
        patient_id=request.patient_id,
        content=name + b"\0" + plain.SerializeToString(deterministic=True),
        version=version,
        lasting=timeless or pinned,
    )
