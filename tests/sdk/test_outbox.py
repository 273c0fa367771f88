"""What every outbox promises."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rehab_sdk.outbox import MemoryOutbox, Outbox, Refusal, new_epoch
from rehab_sdk.spool import Spool
from tests.sdk.given import CLINIC, DEVICE, REFUSAL, context, pain

A, B, C, D = (pain(number, context()).SerializeToString() for number in range(4))


@pytest.fixture(params=["memory", "spool", "encrypted spool"])
def new_outbox(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Outbox]]:
    with ExitStack() as made:
        numbers = itertools.count()

        def spool() -> Outbox:
            path = tmp_path / f"spool-{next(numbers)}"
            key = bytes(32) if request.param == "encrypted spool" else None
            spool = Spool(path, clinic_id=CLINIC, device_id=DEVICE, key=key)
            made.callback(spool.close)
            return spool

        yield MemoryOutbox if request.param == "memory" else spool


def filled(outbox: Outbox, *events: bytes) -> Outbox:
    for event in events:
        outbox.append(event)
    return outbox


def test_a_new_one_is_empty(new_outbox: Callable[[], Outbox]) -> None:
    outbox = new_outbox()
    assert (outbox.settled_seq, outbox.last_seq, outbox.resume_token) == (0, 0, "")
    assert list(outbox.unsettled(0, 10)) == []


def test_numbers_are_contiguous_from_one(new_outbox: Callable[[], Outbox]) -> None:
    outbox = new_outbox()
    assert [outbox.append(event) for event in (A, B, C)] == [1, 2, 3]
    assert outbox.last_seq == 3


def test_unsettled_events_are_read_in_order_from_any_place(
    new_outbox: Callable[[], Outbox],
) -> None:
    outbox = filled(new_outbox(), A, B, C, D)
    assert list(outbox.unsettled(1, 2)) == [B, C]
    assert list(outbox.unsettled(3, 10)) == [D]


def test_settled_events_are_gone_and_numbers_go_on(new_outbox: Callable[[], Outbox]) -> None:
    outbox = filled(new_outbox(), A, B, C)
    outbox.settle(2, "mark", [Refusal(1, A, REFUSAL)])
    assert (outbox.settled_seq, outbox.resume_token) == (2, "mark")
    assert list(outbox.unsettled(2, 10)) == [C]
    assert outbox.append(D) == 4


def test_settling_without_a_token_keeps_the_one_before(
    new_outbox: Callable[[], Outbox],
) -> None:
    outbox = filled(new_outbox(), A, B)
    outbox.settle(1, "mark")
    outbox.settle(2, "")
    assert outbox.resume_token == "mark"


def test_a_new_epoch_numbers_the_unsettled_from_one(new_outbox: Callable[[], Outbox]) -> None:
    outbox = filled(new_outbox(), A, B, C)
    outbox.settle(1, "mark")
    before = outbox.epoch
    outbox.begin_epoch()
    assert outbox.epoch > before
    assert (outbox.settled_seq, outbox.last_seq, outbox.resume_token) == (0, 2, "")
    assert list(outbox.unsettled(0, 10)) == [B, C]


def test_a_new_epoch_is_above_what_is_asked(new_outbox: Callable[[], Outbox]) -> None:
    outbox = new_outbox()
    above = outbox.epoch + 10**15
    outbox.begin_epoch(above)
    assert outbox.epoch > above


def test_two_outboxes_have_two_epochs(new_outbox: Callable[[], Outbox]) -> None:
    assert new_outbox().epoch < new_outbox().epoch


def test_epochs_rise_within_a_microsecond() -> None:
    epochs = [new_epoch() for _ in range(1000)]
    assert epochs == sorted(set(epochs))
