"""One call of StreamObservations from Hello to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import grpc

from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import Calls, Metadata, new_correlation_id
from rehab_sdk.clock import Clock
from rehab_sdk.errors import TimedOut, Unavailable, from_rpc_error
from rehab_sdk.machine import Ask, Effect, Leave, Machine, OutOfTurn, Phase, StartOver, Verdict
from rehab_sdk.options import StreamOptions
from rehab_sdk.receipt import Signal

Call = Any  # grpc.aio.StreamStreamCall
AskServer = Callable[[Sequence[bytes]], Awaitable[Sequence[Verdict]]]


class Link:
    """Moves messages between the machine and the server. `wake` says that there is more to send or
    that `closing` was set; every effect that is not the link's own goes to `on_effect`."""

    def __init__(
        self,
        *,
        stub: IngestServiceStub,
        calls: Calls,
        machine: Machine,
        clock: Clock,
        options: StreamOptions,
        wake: Signal,
        ask: AskServer,
        on_effect: Callable[[Effect], None],
    ) -> None:
        self.closing = False
        self.clock_skew_ms = 0
        """How far this device's clock was ahead of the server's at the last Welcome."""
        self.lasted_s = 0.0
        """How long the last link held after its welcome."""
        self.shown: Metadata = ()
        """The metadata of the last call."""
        self._welcomed_at: float | None = None
        self._stub = stub
        self._calls = calls
        self._machine = machine
        self._clock = clock
        self._options = options
        self._wake = wake
        self._ask = ask
        self._on_effect = on_effect
        self._pause_s = 0.0

    async def converse(self) -> float:
        """Run until the call ends in good order: the pause in seconds that the server asked for.
        Raises RehabError when it ended otherwise; then everything unsettled is sent again."""
        self._pause_s = self.lasted_s = 0.0
        self._welcomed_at = None
        self.shown = ()
        loop = asyncio.get_running_loop()
        correlation_id = new_correlation_id()
        self.shown = await self._calls.admitted(correlation_id)
        call = self._stub.StreamObservations(metadata=self.shown)
        try:
            await self._greet(call)
            self._welcomed_at = loop.time()
            await self._exchange(call)
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed, correlation_id) from failed
        except TimeoutError as silence:
            raise TimedOut("the server said nothing while events were in flight") from silence
        except asyncio.InvalidStateError as ended:  # grpc.aio: written to after the call's end
            raise Unavailable("the connection was lost") from ended
        except OutOfTurn as fault:
            raise Unavailable(f"the server broke off the course of the stream: {fault}") from fault
        finally:
            call.cancel()  # grpc.aio never ends an abandoned call by itself
            self._machine.cut()
            if self._welcomed_at is not None:
                self.lasted_s = loop.time() - self._welcomed_at
        return self._pause_s

    async def _greet(self, call: Call) -> None:
        try:
            async with asyncio.timeout(self._options.hello_timeout_s):
                await call.write(self._machine.greet(self._clock.now()))
                while self._machine.phase is Phase.GREETING:
                    if not await self._take(call) and self._machine.phase is Phase.GREETING:
                        raise Unavailable("the server ended the stream before its welcome")
        except TimeoutError as late:
            raise TimedOut("the server did not welcome the stream in time") from late

    async def _exchange(self, call: Call) -> None:
        if self._machine.phase is Phase.OFFLINE:
            return  # to start over with a new epoch
        async with asyncio.timeout(None) as stalled:
            reader = asyncio.ensure_future(self._read(call, stalled))
            writer = asyncio.ensure_future(self._write(call, stalled))
            try:
                await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
                if not reader.done():
                    writer.result()  # a fault of ours shows itself here
                    await asyncio.wait((reader,), timeout=self._options.close_timeout_s)
                if reader.done():
                    reader.result()
            finally:
                reader.cancel()
                writer.cancel()
                await asyncio.gather(reader, writer, return_exceptions=True)

    async def _read(self, call: Call, stalled: asyncio.Timeout) -> None:
        while await self._take(call):
            self._watch(stalled)
        if self._machine.phase is not Phase.LEAVING and not self.closing:
            raise Unavailable("the server ended the stream")

    async def _write(self, call: Call, stalled: asyncio.Timeout) -> None:
        while self._machine.phase is not Phase.LEAVING and not self.closing:
            if self._machine.hello_is_outdated:
                self._machine.leave()
                continue
            batch = self._machine.next_batch()
            if batch is None:
                await self._wake.wait()
                continue
            if stalled.when() is None:
                self._watch(stalled)
            await call.write(batch)
        await call.done_writing()

    def _watch(self, stalled: asyncio.Timeout) -> None:
        now = asyncio.get_running_loop().time()
        stall_s = self._options.stall_timeout_s
        stalled.reschedule(now + stall_s if self._machine.in_flight else None)

    async def _take(self, call: Call) -> bool:
        """The next message of the server; False when it ended the call."""
        message: object = await call.read()
        if not isinstance(message, pb.StreamObservationsResponse):  # grpc.aio.EOF
            return False
        if message.WhichOneof("content") == "welcome" and message.welcome.HasField("server_time"):
            ahead = (
                self._clock.now().timestamp() * 1000 - message.welcome.server_time.ToMilliseconds()
            )
            self.clock_skew_ms = round(ahead)
        effects = self._machine.received(message)
        while effects:
            effect = effects.pop(0)
            match effect:
                case Ask(events):
                    effects += self._machine.answered(await self._ask(events))
                case Leave(after_s):
                    self._pause_s = after_s
                case StartOver():
                    return False
                case _:
                    self._on_effect(effect)
        self._wake.fire()  # there may be room now
        return True
