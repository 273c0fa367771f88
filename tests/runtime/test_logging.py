"""Logs carry what is foreseen and nothing else."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import Body
from rehab_runtime import logging as runtime_logging
from rehab_runtime.logging import ALLOWED, LONGEST, configure, dropped, get_logger, place


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    before = structlog.get_config()
    handlers = logging.getLogger().handlers[:]
    configure("sample", "info", stream=stream)
    yield stream
    structlog.configure(**before)
    logging.getLogger().handlers = handlers


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_key_that_is_not_foreseen_is_dropped_and_counted(said: io.StringIO) -> None:
    before = dropped._value.get()
    get_logger("part").info("happened", position=7, patient_name="Ada Lovelace")
    (line,) = lines(said)
    assert line["position"] == 7
    assert "Ada" not in said.getvalue()
    assert dropped._value.get() == before + 1


@given(st.text(min_size=1, max_size=20).filter(lambda key: key not in ALLOWED))
def test_no_other_key_is_ever_printed(key: str) -> None:
    assert runtime_logging.only_allowed(None, "", {key: "x"}) == {}


def test_a_message_of_the_contract_stands_for_itself_by_its_type(said: io.StringIO) -> None:
    body = Body()
    body.pain_report.site = "knee"
    get_logger("part").info("happened", reason=body, error=ValueError("Ada fell"))
    (line,) = lines(said)
    assert line["reason"] == "<Body>"
    assert "Ada" not in said.getvalue()
    assert "knee" not in said.getvalue()


def test_ids_and_times_are_written_and_long_values_cut(said: io.StringIO) -> None:
    get_logger("part").info("happened", event_id=UUID(int=7), reason="x" * 5000)
    (line,) = lines(said)
    assert line["event_id"] == str(UUID(int=7))
    assert len(line["reason"]) == LONGEST + 1


def test_a_library_that_complains_is_told_by_type_and_place_only(said: io.StringIO) -> None:
    try:
        raise KeyError("Ada Lovelace")
    except KeyError:
        logging.getLogger("some.library").exception("failed for %s", "Ada Lovelace")
    (line,) = lines(said)
    assert line["error_type"] == "KeyError"
    assert "test_logging.py:" in line["where"]
    assert "Ada" not in said.getvalue()


def test_the_place_of_an_error_is_files_and_lines_innermost_first() -> None:
    def inner() -> None:
        raise ValueError("Ada")

    try:
        inner()
    except ValueError as error:
        told = place(error)
    assert told.count("test_logging.py:") == 2
    assert "Ada" not in told


def test_what_is_bound_to_a_call_stands_in_each_of_its_lines(said: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
        get_logger("part").info("one")
    get_logger("part").info("two")
    assert [line.get("correlation_id") for line in lines(said)] == ["c-1", None]
    assert {line["service"] for line in lines(said)} == {"sample"}


def test_lines_below_the_level_are_silent(said: io.StringIO) -> None:
    get_logger("part").debug("whisper")
    assert said.getvalue() == ""
