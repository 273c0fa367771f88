"""What every outbox promises."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rehab_sdk.outbox import MemoryOutbox, Outbox, Refusal, new_epoch
from tests.sdk.given import REFUSAL


@pytest.fixture(params=[MemoryOutbox])
def new_outbox(request: pytest.FixtureRequest) -> Callable[[], Outbox]:
    make: Callable[[], Outbox] = request.param
    return make


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
    assert [outbox.append(event) for event in (b"a", b"b", b"c")] == [1, 2, 3]
    assert outbox.last_seq == 3


def test_unsettled_events_are_read_in_order_from_any_place(
    new_outbox: Callable[[], Outbox],
) -> None:
    outbox = filled(new_outbox(), b"a", b"b", b"c", b"d")
    assert list(outbox.unsettled(1, 2)) == [b"b", b"c"]
    assert list(outbox.unsettled(3, 10)) == [b"d"]


def test_settled_events_are_gone_and_numbers_go_on(new_outbox: Callable[[], Outbox]) -> None:
    outbox = filled(new_outbox(), b"a", b"b", b"c")
    outbox.settle(2, "mark", [Refusal(1, b"a", REFUSAL)])
    assert (outbox.settled_seq, outbox.resume_token) == (2, "mark")
    assert list(outbox.unsettled(2, 10)) == [b"c"]
    assert outbox.append(b"d") == 4


def test_settling_without_a_token_keeps_the_one_before(
    new_outbox: Callable[[], Outbox],
) -> None:
    outbox = filled(new_outbox(), b"a", b"b")
    outbox.settle(1, "mark")
    outbox.settle(2, "")
    assert outbox.resume_token == "mark"


def test_a_new_epoch_numbers_the_unsettled_from_one(new_outbox: Callable[[], Outbox]) -> None:
    outbox = filled(new_outbox(), b"a", b"b", b"c")
    outbox.settle(1, "mark")
    before = outbox.epoch
    outbox.begin_epoch()
    assert outbox.epoch > before
    assert (outbox.settled_seq, outbox.last_seq, outbox.resume_token) == (0, 2, "")
    assert list(outbox.unsettled(0, 10)) == [b"b", b"c"]


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
