"""NATS from its wheel."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from rehab_runtime.embedded.server import EmbeddedError, Server


class Nats(Server):
    """NATS with JetStream that acknowledges only what is synced to disk."""

    name = "NATS"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        program = shutil.which(
            "nats-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        if program is None:
            raise EmbeddedError("NATS: nats-server is not installed; run make setup")
        return [program, "--config", str(self._config)]

    @property
    def _config(self) -> Path:
        return self.data_dir / "nats.conf"

    async def prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            "max_payload: 8MB\n"
            # sync_interval: the default syncs every two minutes and loses acknowledged messages in
            # a power cut. max_file_store: streams reserve their max_bytes from it when they are
            # made; by default it is three quarters of the free disk, which a small disk lacks.
            f'jetstream {{ store_dir: "{self.data_dir / "store"}", sync_interval: always, '
            "max_file_store: 1PB }\n"
        )

    async def ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            return (await reader.readline()).startswith(b"INFO")
        except OSError:
            return False
        finally:
            writer.close()
