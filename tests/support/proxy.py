"""A link that can be cut: a TCP proxy between a client and a real server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

CHUNK_BYTES = 16 * 1024


class Proxy:
    def __init__(self, target: str) -> None:
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))
        self._writers: set[asyncio.StreamWriter] = set()
        self._stalled: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open = True
        self.address = ""
        self.cuts = 0
        self.bytes_up = 0
        """Bytes carried towards the server."""

    def cut(self) -> None:
        """Break every connection at once; what is under way in either direction is lost."""
        self.cuts += 1
        for writer in self._writers:
            writer.transport.abort()

    def lead_to(self, target: str) -> None:
        """New connections go to another server."""
        host, port = target.rsplit(":", 1)
        self._target = (host, int(port))

    def stall(self) -> None:
        """Connections that stand carry nothing any more, and nobody is told."""
        self._stalled |= self._writers

    def close(self) -> None:
        """Break every connection, and refuse new ones until `reopen`."""
        self._open = False
        self.cut()

    def reopen(self) -> None:
        self._open = True

    async def carry(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(near_out)
        far_out: asyncio.StreamWriter | None = None
        try:
            if not self._open:
                return
            far_in, far_out = await asyncio.open_connection(*self._target)
            self._writers.add(far_out)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(near_in, far_out, up=True))
                both.create_task(self._pump(far_in, near_out, up=False))
        except* OSError:
            pass  # the link broke, as links do here
        finally:
            for writer in (near_out, far_out):
                if writer is not None:
                    self._writers.discard(writer)
                    self._stalled.discard(writer)
                    writer.transport.abort()
            self._tasks.discard(task)

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, up: bool
    ) -> None:
        while chunk := await source.read(CHUNK_BYTES):
            if sink in self._stalled:
                continue
            self.bytes_up += len(chunk) if up else 0
            sink.write(chunk)
            await sink.drain()
        raise ConnectionResetError  # one side ended: so does the other

    async def end(self) -> None:
        self.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def proxy_to(target: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """With `tls` it is where TLS ends."""
    proxy = Proxy(target)
    server = await asyncio.start_server(proxy.carry, "127.0.0.1", 0, ssl=tls)
    host, port = server.sockets[0].getsockname()[:2]
    proxy.address = f"{host}:{port}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
