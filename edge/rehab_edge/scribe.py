"""What was seen, as events. The same session told again makes the same events, so that a device
that was killed may simply begin anew: the log knows them by their ids."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby

from rehab.events.v1 import admin_pb2, exercise_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab_edge.drift import Finding
from rehab_edge.observed import Observed
from rehab_sdk import events
from rehab_sdk.events import AbandonReason, Actor, CaptureModeName, Context, SideName

GOOD_SCORE = 70
"""From this score on a repetition is good (the contract's SetCompleted.good_reps)."""
LEAST_SMOOTHNESS = -1000.0
MOST_DEG_S = 5000.0
MOST_DEG = 360.0
MOST_COMPENSATIONS = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Told:
    """One session: whose, of what, when it began."""

    patient: str
    session_id: str
    exercise_id: str
    started_at: datetime
    mode: CaptureModeName = "camera"
    occurrence: exercise_pb2.OccurrenceRef | None = None


@dataclass
class Scribe:
    """Makes one session's events, in order. `context` names clinic, device, actor and consent."""

    context: Context
    told: Told
    set_index: int = 1
    _reps: list[Observed] = field(default_factory=list)

    def started(self) -> Event:
        body = events.session_started(
            self.told.session_id, mode=self.told.mode, occurrence=self.told.occurrence
        )
        return self._event("started", 0.0, body)

    def rep(self, seen: Observed) -> Event:
        """As it ends."""
        self._reps.append(seen)
        body = events.reps_observed(
            self.told.session_id,
            self.told.exercise_id,
            [rep_message(seen)],
            set_index=self.set_index,
            side=seen.side,
        )
        return self._event(f"rep:{self.set_index}:{seen.index}", seen.end_s, body, seen.model_id)

    def cue(self, seen: Observed, cue: str, rep_event_id: str, latency_ms: int = 0) -> Event:
        """Coaching that the device gave on a repetition."""
        body = events.cue_given(
            self.told.session_id,
            cue,
            exercise=self.told.exercise_id,
            latency_ms=latency_ms,
            rep_event_id=rep_event_id,
        )
        return self._event(f"cue:{self.set_index}:{seen.index}:{cue}", seen.end_s, body)

    def set_completed(self, at_s: float) -> list[Event]:
        """The running set ended; one event for each side that was worked."""
        told = []
        for side, reps in _by_side(self._reps):
            scored = [rep.score for rep in reps if rep.score is not None]
            done = events.set_done(
                self.told.exercise_id,
                reps=len(reps),
                set_index=self.set_index,
                side=side,
                good_reps=sum(score >= GOOD_SCORE for score in scored) if scored else None,
                duration_s=round(reps[-1].end_s - reps[0].start_s, 3),
            )
            body = events.set_completed(self.told.session_id, done)
            told.append(self._event(f"set:{self.set_index}:{side}", at_s, body))
        self.set_index, self._reps = self.set_index + 1, []
        return told

    def completed(self, at_s: float) -> Event:
        body = events.session_completed(self.told.session_id, at_s)
        return self._event("completed", at_s, body)

    def abandoned(self, reason: AbandonReason, at_s: float) -> Event:
        body = events.session_abandoned(self.told.session_id, reason, at_s)
        return self._event("abandoned", at_s, body)

    def drifted(self, found: Finding, model_id: str, at_s: float) -> Event:
        """Told by the device itself: nobody did anything."""
        body = Body(model_drift=drift_message(found, model_id))
        itself = Actor(self.context.device_id, "device")
        what = f"drift:{found.cause}:{found.feature}"
        return self._event(what, at_s, body, model_id, itself)

    def _event(
        self, what: str, at_s: float, body: Body, model_id: str = "", actor: Actor | None = None
    ) -> Event:
        at = self.told.started_at + timedelta(seconds=at_s)
        context = self.context
        if model_id:
            context = replace(context, source=replace(context.source, model_id=model_id))
        event = context.event(self.told.patient, body, occurred_at=at, actor=actor)
        own = f"{context.clinic_id}:{context.device_id}:{self.told.patient}:{self.told.session_id}"
        event.envelope.event_id = event_id(f"{own}:{what}", at)
        event.envelope.correlation_id = self.told.session_id
        return event


def _by_side(reps: Sequence[Observed]) -> list[tuple[SideName, list[Observed]]]:
    ordered = sorted(reps, key=lambda rep: rep.side)
    return [(side, list(own)) for side, own in groupby(ordered, key=lambda rep: rep.side)]


def event_id(what: str, at: datetime) -> str:
    """A UUID version 7 (RFC 9562, section 5.7) of a time; what it names decides the other bits."""
    digest = hashlib.sha256(what.encode()).digest()
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    high = milliseconds << 16 | 0x7000 | int.from_bytes(digest[:2], "big") & 0xFFF
    low = 0x8000_0000_0000_0000 | int.from_bytes(digest[2:10], "big") & 0x3FFF_FFFF_FFFF_FFFF
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def rep_message(seen: Observed) -> exercise_pb2.Rep:
    """Within the contract's bounds: what no body can do was measured wrong, and is cut off."""
    return events.rep(
        seen.index,
        score=None if seen.score is None else round(min(100.0, max(0.0, seen.score)), 2),
        unscored="" if seen.score is not None else seen.unscored or "low_confidence",
        start_ms=max(0, round(1000 * seen.start_s)),
        duration_ms=max(0, round(1000 * seen.duration_s)),
        phases_ms=_phases_ms(seen.phases_s),
        rom_deg=_within(seen.rom_deg, 0.0, MOST_DEG),
        peak_velocity_deg_s=_within(seen.peak_velocity_deg_s, 0.0, MOST_DEG_S),
        smoothness=_within(seen.smoothness, LEAST_SMOOTHNESS, 0.0),
        symmetry_pct=_within(seen.symmetry_pct, -200.0, 200.0),
        confidence=_share(seen.confidence),
        usable_frames_pct=round(100 * _share(seen.usable), 1),
        compensations=[
            events.compensation(
                one.code, round(min(MOST_DEG, abs(one.magnitude_deg)), 2), one.frames
            )
            for one in seen.compensations[:MOST_COMPENSATIONS]
            if math.isfinite(one.magnitude_deg)
        ],
        joints=[
            events.joint(name, _angle(low), _angle(high))
            for name, (low, high) in seen.joints.items()
            if low <= high and abs(low) < math.inf and abs(high) < math.inf
        ],
    )


def _phases_ms(phases_s: Sequence[float]) -> list[int]:
    told = [round(1000 * phase) for phase in phases_s]
    return told if len(told) == 4 and min(told) >= 0 else []


def _within(value: float | None, low: float, high: float) -> float | None:
    """None for what was not measured."""
    if value is None or not math.isfinite(value):
        return None
    return round(min(high, max(low, value)), 3)


def _angle(degrees: float) -> float:
    return round(min(MOST_DEG, max(-MOST_DEG, degrees)), 2)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4) if math.isfinite(value) else 0.0


def drift_message(found: Finding, model_id: str) -> admin_pb2.ModelDrift:
    """Histograms and figures: no value of anybody."""
    return admin_pb2.ModelDrift(
        model_id=model_id,
        feature=found.feature,
        psi=found.psi,
        p_value=found.p_value,
        reference=found.reference,
        observed=found.observed,
        cause=found.cause,
    )
