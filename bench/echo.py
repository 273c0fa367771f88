"""A grpc.aio server that answers what it is told, with the suite's own options."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc

from rehab_runtime.server import SERVER_OPTIONS


class Echo(grpc.GenericRpcHandler):
    def service(self, _: Any) -> Any:
        async def say(asked: bytes, _: Any) -> bytes:
            return asked

        return grpc.unary_unary_rpc_method_handler(say)


async def main() -> None:
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((Echo(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
