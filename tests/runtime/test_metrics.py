"""Metrics say what they mean and what to do."""

from __future__ import annotations

import socket
import urllib.request
import uuid

import pytest

from rehab_runtime.metrics import catalogue, declare_counter, declare_gauge, serve
from rehab_runtime.startup import StartupError


def test_a_metric_without_meaning_or_remedy_is_refused() -> None:
    for meaning, remedy in (("", "do it"), ("it means", "")):
        with pytest.raises(ValueError, match="says what it means"):
            declare_counter(f"nameless_{uuid.uuid4().hex}", meaning, remedy)


def test_the_catalogue_lists_every_metric_with_meaning_and_remedy() -> None:
    name = f"sample_{uuid.uuid4().hex}"
    declare_gauge(name, "How much.", "do less")
    (mine,) = [one for one in catalogue() if one.name == name]
    assert (mine.kind, mine.meaning, mine.remedy) == ("gauge", "How much.", "do less")


async def test_metrics_are_served_where_it_is_told_while_it_is_told() -> None:
    async with serve("127.0.0.1:0") as address:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as answer:  # noqa: ASYNC210
            assert b"rpc_handled_total" in answer.read()
    async with serve("") as address:
        assert address == ""


async def test_a_taken_port_is_told_with_its_variable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(StartupError, match="SAMPLE_METRICS_LISTEN"):
            async with serve(f"127.0.0.1:{taken.getsockname()[1]}", "SAMPLE_METRICS_LISTEN"):
                pass
