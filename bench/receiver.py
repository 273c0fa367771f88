"""A receiver of Bundles that stores nothing: what a record system costs is not ours to measure.

    python -m bench.receiver

It says {"url": ...} when it answers, and goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

import orjson
import uvicorn

RESOURCE = {
    "interaction": [{"code": "create"}, {"code": "update"}],
    "conditionalCreate": True,
    "conditionalUpdate": True,
}
CAPABILITIES = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "rest": [
        {
            "mode": "server",
            "resource": [{"type": "Observation", **RESOURCE}],
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
        }
    ],
}
HEADERS = [(b"content-type", b"application/fhir+json")]


class Receiver:
    """Answers a Bundle with as many entries, each created."""

    def __init__(self) -> None:
        self._stored = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        told = CAPABILITIES if scope["method"] == "GET" else self._answer(orjson.loads(body))
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": orjson.dumps(told)})

    def _answer(self, bundle: dict[str, Any]) -> dict[str, Any]:
        entries = []
        for _ in bundle["entry"]:
            self._stored += 1
            place = f"Observation/{self._stored}/_history/1"
            response = {"status": "201 Created", "location": place, "etag": 'W/"1"'}
            entries.append({"response": response})
        return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Receiver(), lifespan="off", log_config=None)
    logging.disable(logging.CRITICAL)
    port = listener.getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}/fhir"}), flush=True)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
