"""A Vault over a real socket, as its API documents it: transit with versions and batches, tokens
that end, the Kubernetes login, and the ways in which it fails."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime.clock import Clock

Json = dict[str, Any]
Answer = tuple[int, Json]
TTL_S, MAX_TTL_S = 300, 1000


class UserError(Exception):
    """Of one item of a batch."""


@dataclass
class TransitKey:
    versions: list[AESGCM] = field(default_factory=lambda: [new_version()])
    min_decryption_version: int = 1

    def encrypt(self, plaintext: bytes) -> str:
        nonce = os.urandom(12)
        sealed = nonce + self.versions[-1].encrypt(nonce, plaintext, None)
        return f"vault:v{len(self.versions)}:{b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> bytes:
        name, version, text = [*ciphertext.split(":"), "", ""][:3]
        if name != "vault" or not version[1:].isdigit() or not text:
            raise UserError("invalid ciphertext: no prefix")
        number = int(version[1:])
        if number > len(self.versions):
            raise UserError("invalid ciphertext: version is too new")
        if number < self.min_decryption_version:
            raise UserError("ciphertext or signature version is disallowed by policy (too old)")
        sealed = b64decode(text)
        try:
            return self.versions[number - 1].decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError):
            raise UserError("invalid ciphertext: unable to decrypt") from None


@dataclass
class Token:
    ends: float | None
    last: float
    renewable: bool = True


class VaultServer:
    """`troubles` are what the next requests meet: a status, `cut` or `hang` (until `release`)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.keys = {"patients": TransitKey()}
        self.tokens: dict[str, Token] = {}
        self.jwts = {"pod-jwt": "eventstore"}
        self.sealed = False
        self.forbidden: set[str] = set()
        self.troubles: deque[int | str] = deque()
        self.release = threading.Event()
        self.requests: list[tuple[str, Json]] = []
        self.logins = 0
        self.address = ""

    @property
    def key(self) -> TransitKey:
        return self.keys["patients"]

    def rotate(self) -> None:
        self.key.versions.append(new_version())

    def issue(self, ttl_s: float | None = TTL_S, *, renewable: bool = True) -> str:
        token = f"hvs.{os.urandom(9).hex()}"
        now = self.clock.monotonic()
        self.tokens[token] = Token(
            None if ttl_s is None else now + ttl_s, now + MAX_TTL_S, renewable
        )
        return token

    def answer(self, method: str, path: str, token: str, body: Json) -> Answer:
        if self.sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if path == "auth/kubernetes/login":
            return self._log_in(body)
        found = self.tokens.get(token)
        if found is None or (found.ends is not None and found.ends <= self.clock.monotonic()):
            return 403, {"errors": ["permission denied", "invalid token"]}
        if path.startswith("auth/token/"):
            return self._token(path.removeprefix("auth/token/"), token, found)
        return self._transit(method, *[*path.split("/"), "", ""][:3], body)

    def _log_in(self, body: Json) -> Answer:
        self.logins += 1
        if self.jwts.get(body.get("jwt", "")) != body.get("role"):
            return 403, {"errors": ["permission denied"]}
        return self._auth(self.issue())

    def _auth(self, token: str) -> Answer:
        ends = self.tokens[token].ends
        left = 0 if ends is None else int(ends - self.clock.monotonic())
        auth = {"client_token": token, "lease_duration": left, "renewable": True}
        return 200, {"data": None, "auth": auth}

    def _token(self, action: str, name: str, token: Token) -> Answer:
        now = self.clock.monotonic()
        if action == "lookup-self":
            left = 0 if token.ends is None else int(token.ends - now)
            return 200, {"data": {"id": name, "ttl": left, "renewable": token.renewable}}
        if not token.renewable:
            return 400, {"errors": ["lease is not renewable"]}
        token.ends = min(now + TTL_S, token.last)
        return self._auth(name)

    def _transit(self, method: str, engine: str, action: str, name: str, body: Json) -> Answer:
        if engine != "transit":
            return 404, {"errors": [f"no handler for route {engine!r}"]}
        if action in self.forbidden:
            return 403, {"errors": ["1 error occurred: permission denied"]}
        key = self.keys.get(name)
        if key is None:
            return (404, {"errors": []}) if method == "GET" else (400, {"errors": ["not found"]})
        if action == "keys":
            return 200, {"data": {"latest_version": len(key.versions), "type": "aes256-gcm96"}}
        asked = {"encrypt": _encrypt, "decrypt": _decrypt, "rewrap": _rewrap}[action]
        items = body.get("batch_input")
        if not items:
            return 400, {"errors": ["missing batch input to process"]}
        results = [_item(asked, key, item) for item in items]
        failed = any("error" in result for result in results)
        return (400 if failed else 200), {"data": {"batch_results": results}}


def new_version() -> AESGCM:
    return AESGCM(os.urandom(32))


def _encrypt(key: TransitKey, item: Json) -> Json:
    return {"ciphertext": key.encrypt(b64decode(item["plaintext"])), "key_version": 1}


def _decrypt(key: TransitKey, item: Json) -> Json:
    return {"plaintext": b64encode(key.decrypt(item["ciphertext"])).decode()}


def _rewrap(key: TransitKey, item: Json) -> Json:
    # `associated_data` is not known here, as in Vault
    return {"ciphertext": key.encrypt(key.decrypt(item["ciphertext"])), "key_version": 1}


def _item(asked: Callable[[TransitKey, Json], Json], key: TransitKey, item: Json) -> Json:
    try:
        return asked(key, item)
    except UserError as error:
        return {"error": str(error)}


def box_in(vault: VaultServer, folder: Path) -> dict[str, Any]:
    """Settings of a service whose box has its keys wrapped there."""
    token = folder / "token"
    token.write_text(vault.issue(None))
    return {
        "keys": "vault",
        "vault_address": vault.address,
        "vault_key": "patients",
        "vault_token_file": str(token),
        "box_lead_s": 0,
    }


@contextmanager
def serving(clock: Clock, tls: SSLContext | None = None) -> Iterator[VaultServer]:
    vault = VaultServer(clock)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # an answer in one piece: pieces wait for each other's acknowledgement

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            path = self.path.removeprefix("/v1/")
            vault.requests.append((path, body))
            trouble = vault.troubles.popleft() if vault.troubles else None
            if trouble == "hang":
                vault.release.wait(30)
            if isinstance(trouble, str):
                self.close_connection = True
                return
            token = self.headers.get("X-Vault-Token", "")
            status, told = (
                (trouble, {"errors": [f"trouble, and the request was {body}"]})
                if trouble
                else vault.answer(self.command, path, token, body)
            )
            text = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    vault.address = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    try:
        yield vault
    finally:
        vault.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
