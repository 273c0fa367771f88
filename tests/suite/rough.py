"""Bytes that no client of HTTP/2 or gRPC would send, by what is wrong with them."""

from __future__ import annotations

import random
from collections.abc import Mapping

from rehab_runtime.auth import Principal
from tests.support.hostile import CANARY
from tests.support.http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PRIORITY,
    PUSH,
    RST_STREAM,
    SETTINGS,
    WINDOW,
    begun,
    call,
    frame,
    header,
    message,
)

PATH = "/rehab.ingest.v1.IngestService/LogEvent"
WHO = Principal("patient_id", "patient", "clinic_id")
OPEN = PREFACE + frame(SETTINGS, 0, 0)
NOISE = random.Random(7).randbytes(5000)
MANY = 2000


def of_connection() -> Mapping[str, bytes]:
    """Before there is a call."""
    return {
        "nothing": b"",
        "HTTP/1.1": f"GET /{CANARY} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + NOISE[:600],
        "noise": NOISE,
        "a text": CANARY.encode() * 500,
        "half a preface": PREFACE[:11],
        "noise after the preface": PREFACE + NOISE,
        "noise after settings": OPEN + NOISE,
        "half a frame": OPEN + frame(PING, 0, 0, b"12345678")[:12],
        "a frame that says it is 16 MB": OPEN + frame(DATA, 0, 1, b"", 2**24 - 1) + NOISE,
        "settings of 16 MB": PREFACE + frame(SETTINGS, 0, 0, b"", 2**24 - 1) + NOISE,
        "settings cut": PREFACE + frame(SETTINGS, 0, 0, b"\x00\x03\x00"),
        "settings of a stream": PREFACE + frame(SETTINGS, 0, 1, b""),
        "a window of 4 GB": OPEN + frame(SETTINGS, 0, 0, b"\x00\x04\xff\xff\xff\xff"),
        "frames of no size": OPEN + frame(SETTINGS, 0, 0, b"\x00\x05\x00\x00\x00\x00"),
        "an answer to no settings": OPEN + frame(SETTINGS, ACK, 0, b"1"),
        "settings without end": OPEN + frame(SETTINGS, 0, 0) * MANY,
        "pings without end": OPEN + frame(PING, 0, 0, b"12345678") * MANY,
        "a ping cut": OPEN + frame(PING, 0, 0, b"1"),
        "a ping of a stream": OPEN + frame(PING, 0, 3, b"12345678"),
        "farewells without end": OPEN + frame(GOAWAY, 0, 0, bytes(8) + CANARY.encode()) * 50,
        "kinds that there are none of": OPEN + frame(99, 255, 7, NOISE[:100]) * 50,
        "a push": OPEN + frame(PUSH, END_HEADERS, 1, b"\x00\x00\x00\x02"),
        "data of no stream": OPEN + frame(DATA, 0, 0, b"x") + frame(DATA, 0, 9, b"x"),
        "a reset of no stream": OPEN + frame(RST_STREAM, 0, 9, bytes(4)),
        "a window that grows by nothing": OPEN + frame(WINDOW, 0, 0, bytes(4)),
        "a window that overflows": OPEN + frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff") * 3,
        "a priority of its own": OPEN + frame(PRIORITY, 0, 3, b"\x00\x00\x00\x03\x01"),
        "a continuation of nothing": OPEN + frame(CONTINUATION, END_HEADERS, 1, b""),
    }


def _headers(block: bytes, flags: int = END_HEADERS | END_STREAM, stream: int = 1) -> bytes:
    return OPEN + frame(HEADERS, flags, stream, block)


def of_headers() -> Mapping[str, bytes]:
    good, long = call(PATH, WHO), CANARY * 10_000
    return {
        "none": _headers(b""),
        "an index of nothing": _headers(b"\xff\xff\xff\xff\x0f"),
        "a number without end": _headers(b"\xff" + b"\x80" * 100),
        "a text that is cut": _headers(b"\x00\x7f\xff\xff\x7f" + CANARY.encode()),
        "a table of 4 GB": _headers(b"\x3f\xe1\xff\xff\xff\x0f" + good),
        "a stream of the server's": _headers(good, stream=2),
        "no stream": _headers(good, stream=0),
        "another content type": _headers(good + header("content-type", CANARY)),
        "another encoding": _headers(good + header("grpc-encoding", CANARY)),
        "a time there is none of": _headers(good + header("grpc-timeout", CANARY)),
        "a size there is none of": _headers(good + header("content-length", CANARY)),
        "a method of HTTP": _headers(header(":method", CANARY) + good),
        "a path that is no path": _headers(call(f"\x00{CANARY}", WHO)),
        "a service there is none of": _headers(call(f"/{CANARY}/{CANARY}", WHO)),
        "a name in capitals": _headers(good + header("X-Canary", CANARY)),
        "a name of noise": _headers(good + header(b"\x00\r\n:", CANARY)),
        "lines in a value": _headers(good + header("x", f"{CANARY}\r\nforged: 1\r\n\r\n")),
        "credentials of noise": _headers(good + header("authorization", NOISE[:200])),
        "a binary value that is none": _headers(good + header("x-bin", f"%%% {CANARY}")),
        "a value of 130 kB": _headers(good + header("x", "a")) + b"".join(_split(long)),
        "twice": _headers(good, END_HEADERS) + frame(HEADERS, END_HEADERS, 1, good),
        "without end": OPEN
        + frame(HEADERS, 0, 1, good)
        + frame(CONTINUATION, 0, 1, header("x", "y" * 500)) * MANY,
        "resets without end": OPEN
        + b"".join(
            frame(HEADERS, END_HEADERS, 2 * n + 1, good) + frame(RST_STREAM, 0, 2 * n + 1, bytes(4))
            for n in range(MANY)
        ),
    }


def _split(value: str) -> list[bytes]:
    """Fields that are larger than a frame, on a stream of their own."""
    block = call(PATH, WHO) + header("x-long", value)
    pieces = [block[at : at + 16_000] for at in range(0, len(block), 16_000)]
    last = len(pieces) - 1
    return [
        frame(CONTINUATION if at else HEADERS, END_HEADERS if at == last else 0, 3, one)
        for at, one in enumerate(pieces)
    ]


def of_messages() -> Mapping[str, bytes]:
    """Of a call that began as it should."""
    start = begun(PATH, WHO)

    def sent(raw: bytes, flags: int = END_STREAM) -> bytes:
        return start + frame(DATA, flags, 1, raw)

    return {
        "none": start + frame(DATA, END_STREAM, 1),
        "half a prefix": sent(b"\x00\x00"),
        "less than it says": sent(message(b"\x0a\x00", size=100)),
        "4 GB, it says": sent(message(b"\x0a\x00", size=2**32 - 1)),
        "more than it says": sent(message(b"\x0a\x02ab", size=1)),
        "two where there is one": sent(message(b"\x0a\x00") * 2),
        "compressed by nothing": sent(message(NOISE[:50], compressed=1)),
        "a flag there is none of": sent(message(b"\x0a\x00", compressed=0xFE)),
        "noise": sent(NOISE[:100]),
        "nothing more": start,
        "padding that is more than the frame": start
        + frame(DATA, 0x8 | END_STREAM, 1, b"\xff\x00"),
        "after its end": sent(message(b"\x0a\x00")) + frame(DATA, END_STREAM, 1, message(b"\x0a")),
        "more than there is room for": start + frame(DATA, 0, 1, NOISE * 3) * 60,
    }
