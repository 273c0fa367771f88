"""Messages as commands, answers as messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.checks import check_stream
from rehab_eventstore.domain.commands import (
    ANY,
    Appended,
    Command,
    Condition,
    Expected,
    Guard,
    StreamAppend,
)
from rehab_eventstore.domain.decide import Verdict
from rehab_eventstore.envelopes import new_events, own_event
from rehab_eventstore.queue import Priority
from rehab_eventstore.storage.read import LAST, Filter, StreamRange
from rehab_runtime.errors import InvalidArgument, RehabError, Violation, to_failure

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime.max.replace(tzinfo=UTC)


def priority_of(request: pb.AppendRequest) -> Priority:
    return Priority.IMPORT if request.priority == pb.PRIORITY_IMPORT else Priority.LIVE


def append_command(request: pb.AppendRequest) -> Command:
    """Takes the request's events apart. Raises InvalidArgument, EventTooLarge."""
    return Command([_stream_append(request, "")])


def own_command(event: pb.NewEvent) -> Command:
    """What the log itself tells: of an erasure, of its archive. The event may be used again."""
    told = pb.NewEvent.FromString(event.SerializeToString())
    return Command([StreamAppend(told.envelope.subject_id, ANY, [own_event(told)])])


def atomic_command(request: pb.AppendAtomicRequest) -> Command:
    """Takes the request's events apart. Raises InvalidArgument, EventTooLarge."""
    written: set[str] = set()
    for index, append in enumerate(request.appends):
        if append.stream in written:
            raise _invalid(
                f"appends[{index}].stream", "appends.different_streams", "must be different streams"
            )
        written.add(append.stream)
    for index, guard in enumerate(request.guards):
        if guard.stream in written:
            raise _invalid(
                f"guards[{index}].stream", "guards.not_written", "must not be written by an append"
            )
    return Command(
        [
            _stream_append(append, f"appends[{index}].")
            for index, append in enumerate(request.appends)
        ],
        [Guard(guard.stream, _expected(guard.expected)) for guard in request.guards],
    )


def _invalid(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, rule, message)])


def _stream_append(request: pb.AppendRequest, prefix: str) -> StreamAppend:
    stream = request.stream
    check_stream(stream, f"{prefix}stream")
    return StreamAppend(
        stream,
        _expected(request.expected) if request.HasField("expected") else ANY,
        new_events(stream, request.events, prefix),
    )


def _expected(message: pb.ExpectedVersion) -> Expected:
    condition = message.WhichOneof("condition")
    if condition == "exactly":
        return Expected(Condition.EXACTLY, message.exactly)
    return Expected(Condition[condition.upper()]) if condition else ANY


def moment(timestamp: Timestamp) -> datetime:
    """To the microsecond, rounded down."""
    return _EPOCH + timedelta(seconds=timestamp.seconds, microseconds=timestamp.nanos // 1000)


def appended_message(appended: Appended, shard: int) -> pb.Appended:
    message = pb.Appended()
    _tell(message, appended, shard)
    return message


def verdict_message(verdict: Verdict, shard: int) -> pb.AppendVerdict:
    if isinstance(verdict, RehabError):
        return pb.AppendVerdict(failure=to_failure(verdict))
    (appended,) = verdict
    message = pb.AppendVerdict()
    _tell(message.appended, appended, shard)
    return message


def _tell(message: pb.Appended, appended: Appended, shard: int) -> None:
    """In place: a message made from fields is copied into the one around it, for twice the time."""
    message.first_position = appended.first_position
    message.last_position = appended.last_position
    message.stream_version = appended.stream_version
    message.duplicate = appended.duplicate
    message.shard = shard
    for place in appended.places:
        message.places.add(
            position=place.position,
            stream_version=place.stream_version,
            duplicate=place.duplicate,
        )


def filter_of(message: pb.Filter) -> Filter:
    return Filter(frozenset(message.kinds), frozenset(message.streams), frozenset(message.slices))


def range_of(request: pb.ReadStreamRequest) -> StreamRange:
    """Forwards from after `after_version`, backwards from before it, to `until_version`. Raises
    InvalidArgument for a time that there is not."""
    after, until = bounded(request.after_version), bounded(request.until_version)
    if request.backwards:
        first, last = max(1, until), after - 1 if after else LAST
    else:
        first, last = min(LAST, after + 1), until or LAST
    return StreamRange(
        stream=request.stream,
        first_version=first,
        last_version=last,
        until=_until(request.until_time) if request.HasField("until_time") else _LATEST,
        kinds=list(request.kinds),
        limit=request.limit or LAST,
        backwards=request.backwards,
    )


def _until(timestamp: Timestamp) -> datetime:
    try:
        return moment(timestamp)
    except OverflowError:
        rule = "must lie in the years 1 to 9999"
        raise _invalid("until_time", "timestamp.range", rule) from None


def bounded(number: int) -> int:
    """A position or version as PostgreSQL can hold it."""
    return min(number, LAST)
