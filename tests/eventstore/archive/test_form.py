"""The form of a segment, and what goes into which."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_eventstore.archive.form import (
    FRAME_BYTES,
    KEY_BYTES,
    Damaged,
    Kept,
    Segment,
    Span,
    Writer,
    kept_of,
)
from rehab_eventstore.archive.library import Frames
from rehab_eventstore.archive.plan import Limits, Movable, segments
from rehab_eventstore.domain.chain import Link, canonical, parsed
from rehab_eventstore.settings import Settings
from rehab_runtime.settings import SettingsError, load
from rehab_runtime.slices import SLICES

KEY = bytes(range(KEY_BYTES))
TEXTS = st.text(max_size=20)
LINKS = st.builds(
    Link,
    st.integers(0, 63),
    st.integers(1, 2**63 - 1),
    st.integers(1, 2**63 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(1, 1000),
    st.booleans(),
    *([TEXTS] * 6),
    st.binary(max_size=32),
    st.binary(max_size=300),
    st.binary(max_size=300),
)


def link(position: int, body: bytes = b"body") -> Link:
    return Link(
        0, position, position, 1, 1, False, "p-1", "id", "c-1", "alert", "", "", b"f", b"m", body
    )


def span_of(count: int) -> Span:
    return Span("0.0000-0063.1-9.00", 0, "incarnation", 0, 63, 1, count, count)


def made(count: int, body_bytes: int = 100) -> tuple[Span, bytes, dict[int, Kept]]:
    span = span_of(count)
    writer = Writer(span, KEY)
    rows = {
        position: kept_of(link(position, os.urandom(body_bytes)), position, os.urandom(32))
        for position in range(1, count + 1)
    }
    for position, kept in rows.items():
        writer.add(position, kept)
    return span, writer.finish(), rows


@given(LINKS)
def test_an_event_is_what_its_canonical_form_says(one: Link) -> None:
    assert parsed(canonical(one)) == one


@given(LINKS, st.data())
def test_a_canonical_form_that_is_cut_or_prolonged_is_none(one: Link, data: st.DataObject) -> None:
    told = canonical(one)
    shorter = data.draw(st.integers(0, len(told) - 1))
    for other in (told[:shorter], told + b"x"):
        with pytest.raises(ValueError, match=r"cut off|of another length"):
            parsed(other)


def test_a_segment_gives_back_what_was_put_in() -> None:
    span, whole, rows = made(3000)
    segment = Segment(span, KEY, len(whole))
    assert dict(segment.open_all(whole)) == rows
    assert len(segment.index) > 1
    assert sum(entry.rows for entry in segment.index) == 3000


def test_one_frame_is_opened_without_the_others() -> None:
    span, whole, rows = made(3000)
    segment = Segment(span, KEY, len(whole))
    at, length, frames = segment.index_range(whole[-32:])
    segment.open_index(whole[at : at + length], frames)
    entry = segment.index[segment.frame_of(2000)]
    part = whole[entry.offset : entry.offset + entry.length]
    opened = segment.open_frame(segment.frame_of(2000), part)
    assert opened[2000] == rows[2000]
    assert len(opened) < 3000
    with pytest.raises(Damaged):
        segment.open_frame(segment.frame_of(2000) - 1, part)


def test_an_event_larger_than_a_frame_has_one_of_its_own() -> None:
    span, whole, rows = made(3, FRAME_BYTES + 1)
    segment = Segment(span, KEY, len(whole))
    assert dict(segment.open_all(whole)) == rows
    assert [entry.rows for entry in segment.index] == [1, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        {"name": "0.0000-0063.1-9.01"},
        {"shard": 1},
        {"incarnation": "other"},
        {"first_slice": 1},
        {"last_slice": 62},
        {"first_position": 2},
        {"last_position": 9},
        {"events": 8},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_segment_is_bound_to_what_it_is_of(other: dict[str, str | int]) -> None:
    span, whole, _ = made(10)
    with pytest.raises(Damaged):
        dict(Segment(replace(span, **other), KEY, len(whole)).open_all(whole))


def test_another_key_opens_nothing() -> None:
    span, whole, _ = made(10)
    with pytest.raises(Damaged):
        dict(Segment(span, bytes(KEY_BYTES), len(whole)).open_all(whole))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_byte_can_be_changed_unnoticed(at: int, by: int) -> None:
    content = bytearray(WHOLE)
    content[at % len(content)] ^= by
    with pytest.raises(Damaged):
        dict(Segment(SPAN, KEY, len(content)).open_all(bytes(content)))


SPAN, WHOLE, _ROWS = made(20)


def test_bodies_cannot_be_read_in_an_object() -> None:
    span = span_of(1)
    writer = Writer(span, KEY)
    writer.add(1, kept_of(link(1, b"plain words of a body"), 0, bytes(32)))
    assert b"plain words" not in writer.finish()


@given(
    st.lists(st.tuples(st.integers(0, SLICES - 1), st.integers(1, 50)), max_size=60),
    st.integers(1, 64),
    st.integers(1, 10),
    st.integers(1, 100),
)
def test_every_event_goes_into_one_segment_of_its_slices_within_the_limits(
    told: list[tuple[int, int]], runs: int, events: int, size: int
) -> None:
    movable = [Movable(place, *one) for place, one in enumerate(told, 1)]
    found = list(segments(movable, Limits(runs, events, size)))
    by_position = {one.position: one for one in movable}
    assert sorted(one for chosen in found for one in chosen.positions) == sorted(by_position)
    for chosen in found:
        inside = [by_position[position] for position in chosen.positions]
        assert chosen.positions == sorted(chosen.positions)
        assert all(chosen.first_slice <= one.slice <= chosen.last_slice for one in inside)
        assert 1 <= len(inside) <= events
        assert len(inside) == 1 or sum(one.size for one in inside) <= size


@given(st.integers(1, SLICES))
def test_runs_share_all_slices_without_overlap(runs: int) -> None:
    limits = Limits(runs, 1, 1)
    covered = [limits.slices(run) for run in range(runs)]
    assert [one for first, last in covered for one in range(first, last + 1)] == list(range(SLICES))
    assert all(
        limits.run_of(first) == limits.run_of(last) == run
        for run, (first, last) in enumerate(covered)
    )


def test_frames_that_were_not_used_make_room() -> None:
    frames = Frames(3000)
    one = {1: Kept(b"", 0, bytes(1000))}
    for number in range(3):
        frames.put((0, number), one)
        assert frames.get((0, 0)) is not None
    assert frames.get((0, 1)) is None
    assert frames.get((0, 2)) is not None


@pytest.mark.parametrize(
    "url", ["archive", "s3://", "https://x/y", "memory:///", "file://host/x", "s3://key:secret@b/p"]
)
def test_a_url_that_is_none_is_refused_and_not_repeated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTSTORE_POSTGRES_DSN", "postgresql://u:p@127.0.0.1:1/d")
    monkeypatch.setenv("EVENTSTORE_NATS_URL", "nats://127.0.0.1:1")
    monkeypatch.setenv("EVENTSTORE_ARCHIVE_URL", url)
    with pytest.raises(SettingsError, match="EVENTSTORE_ARCHIVE_URL: must be file") as raised:
        load(Settings)
    assert "secret" not in str(raised.value)
