"""A link to PostgreSQL that breaks where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from urllib.parse import urlsplit, urlunsplit


class Break(Enum):
    """When the next break comes."""

    BEFORE_REQUEST = auto()  # what the client sends next is lost
    BEFORE_ANSWER = auto()  # it arrives, but the answer is lost


class BrokenLink:
    """Carries bytes both ways until it is to break; then both ends see the connection reset."""

    def __init__(self, dsn: str) -> None:
        self._place = urlsplit(dsn)
        self._connections: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._next: Break | None = None
        self.open = True
        self.silent = False
        self.breaks = 0
        self.dsn = ""

    def listening(self, port: int) -> None:
        credentials = self._place.netloc.rsplit("@", 1)[0]
        self.dsn = urlunsplit(self._place._replace(netloc=f"{credentials}@127.0.0.1:{port}"))

    def break_next(self, when: Break) -> None:
        self._next = when

    def cut(self) -> None:
        """Reset every connection now."""
        self.breaks += 1
        for writer in self._writers:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if self.open:
                await self._carry(reader, writer)
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._place.port is not None
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._place.port)
        ends = {writer, far_writer}
        self._writers |= ends
        pumps = [
            asyncio.create_task(self._pump(reader, far_writer, Break.BEFORE_REQUEST)),
            asyncio.create_task(self._pump(far_reader, writer, Break.BEFORE_ANSWER)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._writers -= ends
            far_writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, here: Break
    ) -> None:
        while chunk := await reader.read(65_536):
            if self._next is here:
                self._next = None
                self.breaks += 1
                return
            while self.silent:
                await asyncio.sleep(0.01)
            writer.write(chunk)
            await writer.drain()

    async def close(self) -> None:
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)


@asynccontextmanager
async def broken_link(dsn: str) -> AsyncIterator[BrokenLink]:
    link = BrokenLink(dsn)
    server = await asyncio.start_server(link.carry, "127.0.0.1", 0)
    link.listening(server.sockets[0].getsockname()[1])
    try:
        yield link
    finally:
        server.close()
        await link.close()
