"""Mutual TLS between services: who one is, and whom one speaks with.

A certificate names its service in a URI, spiffe://<trust domain>/service/<name>, as SPIFFE does;
any authority that issues such certificates will do (`rehab certs` is a small one). Files are looked
at anew when they have changed, so that certificates are renewed without a restart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import grpc

from rehab_runtime.logging import get_logger
from rehab_runtime.startup import StartupError

PEER = ":peer"
"""Where in a call's metadata the peer's name stands. No caller can send a name with a colon."""
_NAME = re.compile(r"spiffe://[a-z0-9.-]{1,255}/service/([a-z][a-z0-9_-]{0,31})")

log = get_logger("tls")


@dataclass(frozen=True)
class Tls:
    """Files in PEM: this service's certificate and key, and the authority of all services'."""

    cert: Path
    key: Path
    ca: Path

    def require_readable(self, prefix: str) -> None:
        """Raise StartupError, naming the setting, for a file that cannot be read."""
        for name in ("cert", "key", "ca"):
            path: Path = getattr(self, name)
            try:
                path.read_bytes()
            except OSError as error:
                raise StartupError(
                    f"cannot read {path} ({error.strerror})", f"correct {prefix}TLS_{name.upper()}"
                ) from None

    def for_server(self) -> grpc.ServerCredentials:
        """Whoever calls must show a certificate of the authority."""
        return grpc.dynamic_ssl_server_credentials(
            self._server_files(),
            _Changing(self).fetched,  # type: ignore[arg-type] # None means unchanged, as documented
            require_client_authentication=True,
        )

    def for_client(self) -> grpc.ChannelCredentials:
        """Of the files as they are now; a channel keeps them."""
        return grpc.ssl_channel_credentials(
            self.ca.read_bytes(), self.key.read_bytes(), self.cert.read_bytes()
        )

    def changed_at(self) -> tuple[int, ...]:
        return tuple(path.stat().st_mtime_ns for path in (self.cert, self.key, self.ca))

    def _server_files(self) -> grpc.ServerCertificateConfiguration:
        pair = (self.key.read_bytes(), self.cert.read_bytes())
        return grpc.ssl_server_certificate_configuration([pair], self.ca.read_bytes())


class _Changing:
    """Asked by gRPC at every new connection."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._seen = tls.changed_at()

    def fetched(self) -> grpc.ServerCertificateConfiguration | None:
        try:
            now = self._tls.changed_at()
            if now == self._seen:
                return None
            files = self._tls._server_files()
        except OSError as error:
            # half way through being replaced: what was there goes on
            log.warning("certificates cannot be read", reason=error.strerror)
            return None
        self._seen = now
        return files


def peer_of(context: grpc.aio.ServicerContext) -> str:
    """The URI of the service at the other end, as its certificate proves; empty without one."""
    told = list(context.auth_context().get("peer_spiffe_id") or ())
    return told[0].decode(errors="replace") if told else ""


def service_named(peer: str) -> str:
    """The service that a URI names; empty for any other."""
    found = _NAME.fullmatch(peer)
    return found[1] if found is not None else ""
