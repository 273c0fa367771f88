"""What a process begins with that works for a service: it gives way to others, and ends when the
service does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


def begin(nice: int) -> None:
    """To be called first in the process. `nice` is what is added to its niceness."""
    os.nice(nice)
    # Ctrl-C is for the service, which then ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
