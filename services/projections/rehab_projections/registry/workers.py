"""Work in processes of its own, which ends with whoever asked for it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from rehab_runtime.children import begin
from rehab_runtime.errors import Unavailable

NICE = 5
"""Who reads and folds live comes first."""
_CONTEXT = multiprocessing.get_context("spawn")


async def run_each(work: Callable[..., None], told: Sequence[tuple[Any, ...]], count: int) -> None:
    """Do the work with each of what is told, so many at once. When one fails, or the caller is
    cancelled, the others are killed. Raises Unavailable with what went wrong."""
    turn = asyncio.Semaphore(count)

    async def one(arguments: tuple[Any, ...]) -> None:
        async with turn:
            await _run(work, arguments)

    try:
        async with asyncio.TaskGroup() as tasks:
            for arguments in told:
                tasks.create_task(one(arguments))
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _run(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    reading, writing = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_work, args=(writing, work, arguments), daemon=True)
    process.start()
    writing.close()
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
        trouble = _trouble(reading)
    finally:
        loop.remove_reader(process.sentinel)
        process.kill()
        process.join()
        reading.close()
    if trouble:
        raise Unavailable(f"folding in a process of its own: {trouble}")


def _trouble(reading: Connection) -> str:
    """What the process said of itself in the end; nothing when it was killed."""
    try:
        return str(reading.recv())
    except EOFError:
        return "it died"


def _work(writing: Connection, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    begin(NICE)
    try:
        work(*arguments)
    except Exception as error:
        # its text may quote patient data
        writing.send(type(error).__name__)
    else:
        writing.send("")
