"""A device's sequence: contiguous, bounded, settled once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab.ingest.v1.ingest_service_pb2 import Hello
from rehab_ingest.domain.sequence import Sequence
from rehab_ingest.domain.tokens import Tokens
from rehab_runtime.errors import SequenceGap, WindowExceeded


@given(st.integers(0, 50), st.lists(st.tuples(st.integers(1, 60), st.integers(1, 10)), max_size=30))
def test_every_number_is_received_once_and_none_is_left_out(
    acked: int, batches: list[tuple[int, int]]
) -> None:
    sequence = Sequence.resumed(acked, window=20)
    received: list[int] = []
    for first, count in batches:
        try:
            sequence, repeated = sequence.receive(first, count)
        except SequenceGap as gap:
            assert gap.metadata["expected_seq"] == str(sequence.received + 1)
            continue
        except WindowExceeded:
            sequence = sequence.settle(sequence.received)
            continue
        received += range(first + repeated, first + count)
    assert received == list(range(acked + 1, acked + 1 + len(received)))
    assert sequence.received == acked + len(received)


def test_settling_makes_room_in_the_window() -> None:
    sequence, _ = Sequence.resumed(0, window=2).receive(1, 2)
    with pytest.raises(WindowExceeded):
        sequence.receive(3, 1)
    assert sequence.settle(1).receive(3, 1)[0].received == 3


HELLO = Hello(clinic_id="c", device_id="d", epoch=1)


def test_a_token_tells_what_was_acknowledged_to_its_own_device_only() -> None:
    tokens = Tokens(b"key")
    token = tokens.issue(HELLO, 41)
    assert tokens.read(Hello(clinic_id="c", device_id="d", epoch=1, resume_token=token)) == 41
    for other in (
        Hello(clinic_id="x", device_id="d", epoch=1, resume_token=token),
        Hello(clinic_id="c", device_id="x", epoch=1, resume_token=token),
        Hello(clinic_id="c", device_id="d", epoch=2, resume_token=token),
        Hello(clinic_id="c", device_id="d", epoch=1, resume_token=token.replace(".41.", ".42.")),
        Hello(clinic_id="c", device_id="d", epoch=1, resume_token="nonsense"),
    ):
        assert tokens.read(other) is None
    assert (
        Tokens(b"other").read(Hello(clinic_id="c", device_id="d", epoch=1, resume_token=token))
        is None
    )
