"""python -m tests.support.subscriber FOLDER [--port N]: a system that is notified, says {"url": …}
when it answers, and goes on until it is killed. What it was told is in the folder. It needs nothing
but the standard library, so that it is there at once."""

from __future__ import annotations

import argparse
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HANG_S = 30.0


class Told:
    """Answers as its script says, one word a notification: a status, with the seconds of
    Retry-After behind it, or "hang" for no answer after it was taken; at its end, 200."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "told.jsonl"
        self._turn = threading.Lock()
        self.script: list[str] = []

    def notified(self, notice: dict[str, Any]) -> str:
        with self._turn:
            word = self.script.pop(0) if self.script else "200"
            with self._file.open("a") as file:
                file.write(json.dumps({"answer": word, **notice}) + "\n")
        return word

    def all(self) -> list[Any]:
        with self._turn:
            lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [json.loads(one) for one in lines]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    told: Told

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/_script":
            self.told.script = list(body)
            self._answer(200, {})
            return
        shown = self.headers.get("authorization", "")
        word = self.told.notified({"authorization": shown, "bundle": body})
        if word == "hang":
            time.sleep(HANG_S)
        status, _, wait = word.partition(":")
        self._answer(int(status) if status.isdigit() else 200, {}, wait)

    def do_GET(self) -> None:
        self._answer(200, self.told.all())

    def _answer(self, status: int, told: Any, wait: str = "") -> None:
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        if wait:
            self.send_header("retry-after", wait)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks may be killed before it is answered."""


def main() -> None:
    told = argparse.ArgumentParser()
    told.add_argument("folder", type=Path)
    told.add_argument("--port", type=int, default=0)
    asked = told.parse_args()
    Handler.told = Told(asked.folder)
    server = Server(("127.0.0.1", asked.port), Handler)
    url = f"http://localhost:{server.server_address[1]}/hook"
    print(json.dumps({"url": url}), flush=True)  # noqa: T201
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
