"""Resume tokens: proof that this suite acknowledged a device's sequence number."""

from __future__ import annotations

import hashlib
import hmac

from rehab.ingest.v1.ingest_service_pb2 import Hello


class Tokens:
    def __init__(self, key: bytes) -> None:
        self._key = key

    def issue(self, hello: Hello, seq: int) -> str:
        return f"1.{seq}.{self._sign(hello, seq)}"

    def read(self, hello: Hello) -> int | None:
        """The sequence number acknowledged; None when the token is not one of ours for this device
        and epoch."""
        version, _, rest = hello.resume_token.partition(".")
        seq, _, signature = rest.partition(".")
        if version != "1" or not seq.isascii() or not seq.isdigit() or len(seq) > 19:
            return None
        if seq != str(int(seq)):
            return None
        if not hmac.compare_digest(signature.encode(), self._sign(hello, int(seq)).encode()):
            return None
        return int(seq)

    def _sign(self, hello: Hello, seq: int) -> str:
        text = "\n".join((hello.clinic_id, hello.device_id, str(hello.epoch), str(seq)))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]
