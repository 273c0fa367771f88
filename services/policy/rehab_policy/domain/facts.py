"""The facts that conditions ask for, made from the state: only the groups that are named."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from statistics import fmean
from typing import Any, NamedTuple

from rehab_clinical.days import ONE_DAY, day_end, day_start, local_date
from rehab_clinical.pain import PainReport, around_session
from rehab_clinical.plan import Item
from rehab_clinical.quality import prescribed_item

from rehab.events.v1 import common_pb2, event_pb2
from rehab.policy.v1 import facts_pb2 as pb
from rehab_policy.domain.activity import active_from
from rehab_policy.domain.adherence import AdherenceFigures, Reckoned, Span, figures
from rehab_policy.domain.scores import Course, ExerciseSide
from rehab_policy.domain.state import PatientState

_WEEK, _FOUR_WEEKS = timedelta(days=7), timedelta(days=28)
_PAIN_BEFORE = timedelta(days=21)


class About(NamedTuple):
    """The moment, and the event if there is one. `local` is now where the patient is."""

    now: datetime
    local: datetime
    body: event_pb2.Body | None = None
    quiet: bool = False
    event_id: str = ""


def patient_facts(state: PatientState, about: About, groups: Collection[str]) -> pb.PatientFacts:
    """The patient as of the moment. Groups that are not named stay empty."""
    local, care = about.local, state.care
    told: dict[str, Any] = {
        "clinic_id": state.clinic_id,
        "language": care.language,
        "zone": state.zone.key,
        "local_hour": local.hour,
        "local_weekday": local.isoweekday(),
        "quiet": about.quiet,
        "therapist_id": care.therapist_id,
    }
    if care.enrolled_at is not None:
        told["enrolled_days"] = max(0.0, (about.now - care.enrolled_at) / ONE_DAY)
    if "consents" in groups:
        told["consents"] = care.allowed(about.now)
    for group in groups:
        make = _GROUPS.get(group)
        if make is not None:
            told[group] = make(state, about)
    return pb.PatientFacts(**told)


def _plan(state: PatientState, about: About) -> pb.PlanFacts:
    """Kept until something in the plans begins or ends, or the local day does."""
    known = state.kept.get("plan")
    if known is not None and known[0] is state.care and about.now < known[1]:
        return known[2]
    care, zone = state.care, state.plan_zone
    active = active_from(state)
    today = local_date(about.now, zone)
    ruling = care.ruling(today)
    told: dict[str, Any] = {
        "active": active is not None and active <= about.now,
        "version": max((version.version for version in ruling), default=0),
        "sessions_per_week": sum(version.sessions_per_week for version in ruling),
        "exercises": sorted({item.exercise_id for v in ruling for item in v.items}),
        "days": _days_since(care.book.first_day(), today),
        "days_left": care.days_left(today),
        "hr_min_per_min": care.plan_limit("hr_min_per_min", today),
        "hr_max_per_min": care.plan_limit("hr_max_per_min", today),
    }
    told["paused"] = bool(ruling) and not told["active"]
    facts = pb.PlanFacts(**_present(told))
    holds_until = min([day_end(today, zone), *care.turns_after(about.now, zone)])
    state.kept["plan"] = (care, holds_until, facts)
    return facts


def _days_since(first: date | None, today: date) -> float | None:
    return None if first is None or first > today else float((today - first).days)


def _sessions(state: PatientState, about: About) -> pb.SessionFacts:
    known = state.sessions.by_start()
    starts = state.sessions.starts()
    upto = bisect_right(starts, about.now)
    last = known[-1] if known else None
    told: dict[str, Any] = {
        "open_session_id": last.session_id if last and last.ended is None else "",
        "count_7d": len(starts) - bisect_right(starts, about.now - _WEEK),
        "count_28d": len(starts) - bisect_right(starts, about.now - _FOUR_WEEKS),
        "abandoned_in_a_row": _abandoned(s.ended[1] for s in reversed(known) if s.ended),
        "day_streak": _day_streak(state, upto, about.now),
    }
    if last is not None:
        told["days_since_last"] = max(0.0, (about.now - last.started_at) / ONE_DAY)
    return pb.SessionFacts(**told)


def _abandoned(ends: Iterable[str]) -> int:
    count = 0
    for ended in ends:
        if ended != "abandoned":
            break
        count += 1
    return count


def _day_streak(state: PatientState, count: int, now: datetime) -> int:
    """Of the first sessions, from the newest of them back, as long as no day is missing."""
    zone = state.zone
    days = state.sessions.days(zone)
    last = local_date(now, zone) + ONE_DAY
    streak = 0
    for place in range(count - 1, -1, -1):
        day = days[place]
        if day == last:
            continue
        if last - day > (ONE_DAY if streak else 2 * ONE_DAY):
            break
        streak, last = streak + 1, day
    return streak


def _adherence(state: PatientState, about: About) -> pb.AdherenceFacts:
    zone = state.plan_zone
    today = local_date(about.now, zone)
    if state.adherence is None or state.adherence[0] != today:
        told = state.sessions.before(day_start(today, zone))
        reckoned = figures(_reckoned(state), told, today)
        state.adherence = (today, _adherence_facts(reckoned))
    return state.adherence[1]


def _reckoned(state: PatientState) -> Reckoned:
    """Of the plans and the zone of now."""
    known = state.kept.get("windows")
    if known is None or known[0] is not state.care or known[1] is not state.plan_zone:
        zone = state.plan_zone
        known = state.kept["windows"] = (state.care, zone, Reckoned(state.care.book, zone))
    return known[2]


def _adherence_facts(reckoned: AdherenceFigures) -> pb.AdherenceFacts:
    before = {
        "due_before": len(reckoned.before.due),
        "dose_before": _real(reckoned.before.dose_ratio),
    }
    return pb.AdherenceFacts(
        **_span(reckoned.recent, "7d"),
        **_span(reckoned.whole, "28d"),
        **_present(before),
        missed_in_a_row=reckoned.missed_in_a_row,
        started_in_a_row=reckoned.started_in_a_row,
    )


def _span(adherence: Span, span: str) -> dict[str, Any]:
    return _present(
        {
            f"due_{span}": len(adherence.due),
            f"started_{span}": adherence.started,
            f"dose_{span}": _real(adherence.dose_ratio),
            f"full_{span}": _real(adherence.full_ratio),
        }
    )


def _pain(state: PatientState, about: About) -> pb.PainFacts:
    """Of answers up to now, and up to the event's own where it is one."""
    pains, now = state.pains, about.now
    recent = _between(pains, now - _WEEK, now)
    before = _between(pains, now - _PAIN_BEFORE, now - _WEEK)
    day = _between(recent, now - ONE_DAY, now)
    told: dict[str, Any] = {
        "worst_24h": max((r.nprs for r in day), default=None),
        "worst_7d": max((r.nprs for r in recent), default=None),
        "mean_7d": fmean([r.nprs for r in recent]) if recent else None,
        "mean_before": fmean([r.nprs for r in before]) if before else None,
        "count_7d": len(recent),
        "count_before": len(before),
        "session_change": _session_change(state, about),
    }
    if pains:
        told["last"] = pains[-1].nprs
        told["rise"] = _rise(pains, about.event_id)
        told["days_since_last"] = max(0.0, (now - pains[-1].stamp.at) / ONE_DAY)
    return pb.PainFacts(**_present(told))


def _between(pains: list[PainReport], since: datetime, until: datetime) -> list[PainReport]:
    return [r for r in pains if since < r.stamp.at <= until]


def _rise(pains: list[PainReport], event_id: str) -> int | None:
    """Of the event's own answer, which may have come late; of the newest for other events."""
    own = (at for at in range(len(pains) - 1, -1, -1) if pains[at].stamp.event_id == event_id)
    place = next(own, len(pains) - 1)
    told = pains[place]
    before = next((r for r in reversed(pains[:place]) if r.phase == told.phase), None)
    return None if before is None else max(0, told.nprs - before.nprs)


def _session_change(state: PatientState, about: About) -> float | None:
    session_id = about.body.pain_report.session_id if about.body is not None else ""
    if not session_id:
        return None
    pre, post = around_session(r for r in state.pains if r.session_id == session_id)
    return None if pre is None or post is None else float(post - pre)


def _exercise(state: PatientState, about: About) -> pb.ExerciseFacts:
    key = _exercise_of(about.body)
    if key is None:
        return pb.ExerciseFacts()
    today = about.local.date()
    course = state.scores.course(key, today)
    kept = state.kept.get("exercises")
    if kept is None or kept[0] is not state.care or kept[1] != today:
        kept = state.kept["exercises"] = (state.care, today, {})
    of_day: dict[ExerciseSide, tuple[Course | None, pb.ExerciseFacts]] = kept[2]
    known = of_day.get(key)
    if known is None or known[0] is not course:
        item = prescribed_item(state.care.book, *key, today)
        known = of_day[key] = (course, _of_exercise(key, course, item))
    facts = known[1]
    score = state.scores.today(key, today)
    if score is None:
        facts.ClearField("score_today")
    else:
        facts.score_today = score
    return facts


def _of_exercise(key: ExerciseSide, course: Course | None, item: Item | None) -> pb.ExerciseFacts:
    """What holds for the local day."""
    line = course.line if course else None
    return pb.ExerciseFacts(
        **_present(
            {
                "exercise_id": key[0],
                "scored_days": course.days if course else 0,
                "score_7d": course.newest if course else None,
                "trend": course.trend if course else None,
                "slope_per_week": line.slope_per_week if line else None,
                "repeat_error": line.repeat_error if line else None,
                "change": line.change if line else "unknown",
                "rom_target_deg": item.rom_target_deg if item else None,
                "prescribed": item is not None,
            }
        )
    )


def _exercise_of(body: event_pb2.Body | None) -> tuple[str, int] | None:
    match body.WhichOneof("kind") if body is not None else None:
        case "rep_observation":
            assert body is not None
            return body.rep_observation.exercise_id, body.rep_observation.side
        case "exercise_session" if body is not None and body.exercise_session.HasField(
            "set_completed"
        ):
            done = body.exercise_session.set_completed
            return done.exercise_id, done.side
    return None


def _alerts(state: PatientState, _about: About) -> pb.AlertFacts:
    alerts = state.alerts.values()
    return pb.AlertFacts(
        open=len(alerts),
        critical=sum(a.severity == common_pb2.SEVERITY_CRITICAL for a in alerts),
        unacknowledged=sum(not a.acknowledged for a in alerts),
        rules=sorted({a.rule_id for a in alerts}),
    )


_GROUPS: Mapping[str, Callable[[PatientState, About], Any]] = {
    "plan": _plan,
    "sessions": _sessions,
    "adherence": _adherence,
    "pain": _pain,
    "exercise": _exercise,
    "alerts": _alerts,
}


def _present(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def _real(ratio: object) -> float | None:
    return None if ratio is None else float(ratio)  # type: ignore[arg-type]
