"""python -m tests.support.fhir_server FOLDER [options]: says {"url": …} when it answers, and goes
on until it is killed. What it stores is in the folder."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import socket
import ssl
from pathlib import Path

import uvicorn

from tests.support.fhir_server.app import App
from tests.support.fhir_server.smart import Doorkeeper
from tests.support.fhir_server.store import Store


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("folder", type=Path)
    told.add_argument("--port", type=int, default=0)
    told.add_argument("--bearer", default="")
    told.add_argument("--jwks-url", default="")
    told.add_argument("--client-id", default="")
    told.add_argument("--token-s", type=float, default=300)
    told.add_argument("--cert", default="")
    told.add_argument("--key", default="")
    told.add_argument("--client-ca", default="")
    asked = told.parse_args()
    listener = socket.create_server(("127.0.0.1", asked.port))
    # asyncio does so only where the protocol is told: without, an answer may wait 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    scheme = "https" if asked.cert else "http"
    base = f"{scheme}://localhost:{listener.getsockname()[1]}/fhir"
    store = Store(asked.folder / "store.db")
    doorkeeper = Doorkeeper(
        store,
        bearer=asked.bearer,
        jwks_url=asked.jwks_url,
        client_id=asked.client_id,
        life_s=asked.token_s,
    )
    config = uvicorn.Config(
        App(asked.folder, doorkeeper, store, base),
        lifespan="off",
        log_config=None,
        ssl_certfile=asked.cert or None,
        ssl_keyfile=asked.key or None,
        ssl_ca_certs=asked.client_ca or None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if asked.client_ca else ssl.CERT_NONE,
    )
    logging.disable(logging.CRITICAL)  # a connection that is cut on purpose is no news
    print(json.dumps({"url": base}), flush=True)  # noqa: T201
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
