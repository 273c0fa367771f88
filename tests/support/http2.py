"""HTTP/2 by hand (RFC 9113): frames as bytes, right or wrong, as no library would send them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing

from rehab_runtime.auth import Principal, bearer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 0x1, 0x1, 0x4
HEAD = 9
"""Bytes of a frame's head."""
CUT = struct.pack("ii", 1, 0)
"""SO_LINGER: a close is a reset, as of a phone that lost its network."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"", size: int = -1) -> bytes:
    """`size` is what it says of itself, when that is not the payload's."""
    told = len(payload) if size < 0 else size
    return told.to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def header(name: str | bytes, value: str | bytes) -> bytes:
    """A literal field without indexing, of HPACK (RFC 7541, 6.2.2)."""
    return b"\x00" + _text(name) + _text(value)


def _text(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    left, size = len(raw) - 127, bytearray([127])
    while left > 127:
        size.append(left & 127 | 128)
        left >>= 7
    return bytes([*size, left]) + raw


def call(path: str, who: Principal | None, more: Mapping[str, str] | None = None) -> bytes:
    """The fields of a gRPC call."""
    told = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "test"}
    told |= {"te": "trailers", "content-type": "application/grpc"}
    told |= dict([bearer(who)]) if who is not None else {}
    return b"".join(header(name, value) for name, value in {**told, **(more or {})}.items())


def message(raw: bytes, *, size: int = -1, compressed: int = 0) -> bytes:
    """A gRPC message with its prefix; `size` is what that says, when it is not the message's."""
    return struct.pack(">BI", compressed, len(raw) if size < 0 else size) + raw


def begun(path: str, who: Principal | None, stream: int = 1) -> bytes:
    """A connection's first bytes, with a call that goes on."""
    opened = PREFACE + frame(SETTINGS, 0, 0)
    return opened + frame(HEADERS, END_HEADERS, stream, call(path, who))


def opened(address: str, timeout_s: float = 10) -> socket.socket:
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout_s)


def cut(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT)
    connection.close()


def said(address: str, raw: bytes, wait_s: float = 10) -> bytes:
    """What is answered to these bytes until the other end closes, after this one has. Raises
    TimeoutError when it does not."""
    with closing(opened(address, wait_s)) as connection:
        answered = b""
        try:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                answered += chunk
        except (ConnectionError, BrokenPipeError):
            pass  # it closes in the middle of it
        return answered


def frames(raw: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each whole frame."""
    at = 0
    while at + HEAD <= len(raw):
        size = int.from_bytes(raw[at : at + 3])
        kind, flags = raw[at + 3], raw[at + 4]
        stream = int.from_bytes(raw[at + 5 : at + 9]) & 0x7FFFFFFF
        yield kind, flags, stream, raw[at + HEAD : at + HEAD + size]
        at += HEAD + size
