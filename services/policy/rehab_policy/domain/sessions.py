"""Sessions of the last weeks as they were told, folded by the shared formulae when asked for."""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from sys import intern
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import Session
from rehab_clinical.days import local_date
from rehab_clinical.done import DoneByExercise, done_in
from rehab_clinical.facts import Fact, Stamp, moment
from rehab_clinical.session_fold import SessionFold
from rehab_clinical.sessions import SessionRecord, active_at

from rehab.events.v1 import event_pb2

KEPT = timedelta(days=45)
"""Four weeks, and what may still count for their first windows."""
MOST_SESSIONS = 400
MOST_EVENTS = 5_000
"""Of one session."""
_ENDS = frozenset({"completed", "abandoned"})
_NO_ENVELOPE = event_pb2.Envelope()


@dataclass(slots=True)
class Told:
    """One event of a session, closed: it is opened when the session is folded."""

    stamp: Stamp
    zone: str
    kind: str
    body: bytes


@dataclass(slots=True)
class KnownSession:
    """`started_at` and `ended` follow every event; the record is folded when it is asked for.

    An event in memory takes some 700 bytes: those of a session that is over are put away, and are
    opened again for one that comes late.
    """

    session_id: str
    open: dict[str, Told] = field(default_factory=dict)
    put_by: bytes = b""
    """What was told, when it is put away."""
    first_at: datetime | None = None
    begun_at: datetime | None = None
    ended: tuple[Stamp, str] | None = None
    _record: SessionRecord | None = None
    _done: DoneByExercise | None = None
    _session: Session | None = None

    @property
    def started_at(self) -> datetime:
        at = self.begun_at or self.first_at
        assert at is not None
        return at

    @property
    def earliest_at(self) -> datetime:
        """Never later than any start that was ever told."""
        assert self.first_at is not None
        return min(self.first_at, self.started_at)

    def told(self) -> Mapping[str, Told]:
        """Every event of it."""
        return _taken_out(self.put_by) if self.put_by else self.open

    def put_away(self) -> None:
        if self.open:
            self.put_by, self.open = _put_by(self.open.values()), {}
            self._record = None

    def take_out(self) -> dict[str, Told]:
        if self.put_by:
            self.open, self.put_by = _taken_out(self.put_by), b""
        return self.open

    def has(self, event_id: str) -> bool:
        if self.put_by:
            return event_id.encode() in zlib.decompress(self.put_by)
        return event_id in self.open

    def add(self, told: Told, body: event_pb2.Body) -> None:
        """Raises ValueError for a day or time that does not exist, and is then as it was."""
        if body.HasField("exercise_session"):
            SessionFold().add(_fact(told, body))
        known = self.take_out()
        if len(known) >= MOST_EVENTS:
            return
        known[told.stamp.event_id] = told
        self._record = self._done = self._session = None
        self._follow(told, body)

    def forget(self, event_id: str) -> None:
        known = self.take_out()
        del known[event_id]
        self._record = self._done = self._session = None
        self.first_at = self.begun_at = self.ended = None
        for told in known.values():
            self._follow(told, event_pb2.Body.FromString(told.body))

    def record(self) -> SessionRecord:
        if self._record is None:
            fold = SessionFold()
            for told in self.told().values():
                fold.add(_fact(told, event_pb2.Body.FromString(told.body)))
            self._record = fold.record()
        return self._record

    def done(self) -> DoneByExercise:
        if self._done is None:
            self._done = done_in(self.record())
            self._record = None  # its repetitions take a hundred times the room
        return self._done

    def session(self) -> Session:
        if self._session is None:
            record = self.record()
            ref = record.start.ref if record.start else None
            self._session = Session(self.session_id, record.started_at, record.zone, ref, self.done)
        return self._session

    def _follow(self, told: Told, body: event_pb2.Body) -> None:
        if self.first_at is None or told.stamp.at < self.first_at:
            self.first_at = told.stamp.at
        if told.kind != "exercise_session":
            return
        at = active_at(_fact(told, body))
        action = body.exercise_session.WhichOneof("action")
        if action in ("started", "self_reported") and (self.begun_at is None or at < self.begun_at):
            self.begun_at = at
        if action == "self_reported" and self.ended is None:
            self.ended = (told.stamp, "self_reported")
        if action in _ENDS and (self.ended is None or self.ended[0] < told.stamp):
            self.ended = (told.stamp, action)


class SessionLog:
    """The sessions of one patient."""

    def __init__(self) -> None:
        self.by_id: dict[str, KnownSession] = {}
        self._ordered: list[KnownSession] | None = None
        self._starts: list[datetime] = []
        self._days: tuple[ZoneInfo, list[date]] | None = None

    def add(self, told: Told, body: event_pb2.Body) -> KnownSession:
        session_id = getattr(body, told.kind).session_id
        known = self.by_id.get(session_id)
        session = known or KnownSession(session_id)
        before = session.started_at if known else None
        session.add(told, body)
        if session.started_at != before:
            self.by_id[session_id] = session
            self._ordered = None
        return session

    def forget(self, event_id: str) -> KnownSession | None:
        """The session that the event was of, as it was before; None when it was of none."""
        having = (s for s in self.by_id.values() if s.has(event_id))
        session = next((s for s in having if event_id in s.take_out()), None)
        if session is not None:
            self._ordered = None
            if len(session.take_out()) == 1:
                del self.by_id[session.session_id]
            else:
                session.forget(event_id)
        return session

    def prune(self, now: datetime) -> None:
        """Forget what no figure asks for any more; what is over is put away."""
        old = [s for s in self.by_id.values() if s.started_at < now - KEPT]
        if len(self.by_id) - len(old) > MOST_SESSIONS:
            old = sorted(self.by_id.values(), key=lambda s: s.started_at)[:-MOST_SESSIONS]
        for session in old:
            del self.by_id[session.session_id]
            self._ordered = None
        for session in self.by_id.values():
            session.put_away()

    def by_start(self) -> list[KnownSession]:
        if self._ordered is None:
            every = self.by_id.values()
            self._ordered = sorted(every, key=lambda s: (s.started_at, s.session_id))
            self._starts = [session.started_at for session in self._ordered]
            self._days = None
        return self._ordered

    def starts(self) -> Sequence[datetime]:
        """In the order of `by_start`."""
        self.by_start()
        return self._starts

    def days(self, zone: ZoneInfo) -> Sequence[date]:
        """The local days of the starts."""
        starts = self.starts()
        if self._days is None or self._days[0] is not zone:
            self._days = zone, [local_date(at, zone) for at in starts]
        return self._days[1]

    def before(self, instant: datetime) -> Sequence[KnownSession]:
        return self.by_start()[: bisect_left(self.starts(), instant)]


def _put_by(told: Iterable[Told]) -> bytes:
    log = event_pb2.LogMessage()
    for one in told:
        event = log.events.add(body=one.body)
        event.envelope.event_id, event.envelope.zone = one.stamp.event_id, one.zone
        event.envelope.kind = one.kind
        event.envelope.occurred_at.FromDatetime(one.stamp.at)
    return zlib.compress(log.SerializeToString(deterministic=True), 1)


def _taken_out(put_by: bytes) -> dict[str, Told]:
    log = event_pb2.LogMessage.FromString(zlib.decompress(put_by))
    return {
        event.envelope.event_id: Told(
            Stamp(moment(event.envelope.occurred_at), event.envelope.event_id),
            intern(event.envelope.zone),
            intern(event.envelope.kind),
            event.body,
        )
        for event in log.events
    }


def _fact(told: Told, body: event_pb2.Body) -> Fact:
    return Fact("", "", 0, told.stamp, told.zone, told.kind, body, "", _NO_ENVELOPE)
