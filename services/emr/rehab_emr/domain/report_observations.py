"""What patients report, and what their weeks came to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from rehab.events.v1 import report_pb2
from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.observing import ACTIVITY, Asked, Observed, at, during, zone_of
from rehab_emr.domain.resource import Json
from rehab_emr.domain.subjects import PainSubject, SessionSubject, WeekSubject
from rehab_emr.domain.telling import SESSION_KINDS, is_plausible, side_name
from rehab_emr.domain.weeks import Week

_PHASES: Mapping[int, str] = MappingProxyType(
    {
        report_pb2.PAIN_PHASE_PRE: "pre",
        report_pb2.PAIN_PHASE_DURING: "during",
        report_pb2.PAIN_PHASE_POST: "post",
        report_pb2.PAIN_PHASE_24H: "24h",
    }
)


def pain(asked: Asked, _subject: PainSubject, *, void: bool) -> Observed | None:
    """The last word on one pain: a correction of a report is of the same pain."""
    history = asked.history
    parts = history.every_part(asked.key) if void else history.parts(asked.key)
    if not parts or not is_plausible(parts[-1].fact.stamp.at):
        return None
    fact = parts[-1].fact
    told = fact.body.pain_report
    components = []
    if told.phase in _PHASES:
        phase = elements.own_value(_PHASES[told.phase], asked.links)
        components.append(elements.component(asked.concept(codes.PAIN_PHASE), phase))
    felt = told.quality.replace("_", " ").strip()
    if felt:
        quality = {"text": felt}
        components.append(elements.component(asked.concept(codes.PAIN_QUALITY), quality))
    return Observed(
        categories=(codes.SURVEY,),
        code=asked.concept(codes.PAIN, codes.PAIN_RATING, text=codes.PAIN_RATING.display),
        effective=at(elements.date_time(fact.stamp.at, zone_of(asked, fact.zone))),
        value={"valueQuantity": elements.quantity(told.nprs, "{score}")},
        body_site=_site(asked, told),
        components=components,
        event_ids=frozenset({part.fact.stamp.event_id for part in parts}),
    )


def _site(asked: Asked, told: report_pb2.PainReport) -> Json | None:
    side = side_name(told.side)
    site = told.site.replace("_", " ").strip()
    text = " ".join(part for part in (side if side != "both" else "both sides", site) if part)
    if not text:
        return None
    found = codes.SITES.get((told.site, side))
    return asked.concept(found, text=text) if found else {"text": text}


def week(asked: Asked, subject: WeekSubject, *, void: bool) -> Observed | None:
    """How much of a week's prescription was begun. Nothing due is no 0 per cent."""
    of_week = asked.history.weeks().week(subject.monday)
    found = of_week.adherence
    if not void and not found.due and not of_week.sessions:
        return None
    ratio = found.started_ratio
    value: Json = (
        {"dataAbsentReason": elements.absent("not-applicable")}
        if ratio is None
        else {"valueQuantity": elements.percent(ratio)}
    )
    sunday = subject.monday + timedelta(days=6)
    return Observed(
        categories=ACTIVITY,
        code=asked.concept(codes.ADHERENCE),
        effective=during({"start": subject.monday.isoformat(), "end": sunday.isoformat()}),
        value=value,
        components=_figures(asked, of_week),
        derived_from=[
            asked.history.key(keys.SESSION, SessionSubject(one.session_id))
            for one in of_week.sessions
        ],
        event_ids=None if void else _rests_on(asked, of_week),
        by_device=False,
    )


def _figures(asked: Asked, of_week: Week) -> tuple[Json, ...]:
    found = of_week.adherence
    told = [
        (codes.DUE, elements.quantity(len(found.due), "{sessions}")),
        (codes.BEGUN, elements.quantity(found.started, "{sessions}")),
        (codes.FULL, elements.quantity(found.full, "{sessions}")),
        (codes.SESSIONS, elements.quantity(found.sessions, "{sessions}")),
    ]
    if found.dose_ratio is not None:
        told.append((codes.DOSE, elements.percent(found.dose_ratio)))
    return tuple(elements.component(asked.concept(code), value) for code, value in told)


def _rests_on(asked: Asked, of_week: Week) -> frozenset[str]:
    """The week's own sessions and the prescriptions; not sessions of the week after, which might
    only have counted for it."""
    held = {one.session_id for one in of_week.sessions}
    held |= {session_id for due in of_week.adherence.due for session_id in due.session_ids}
    facts = [part.fact for part in asked.history.parts(asked.key)]
    return frozenset(
        fact.stamp.event_id
        for fact in facts
        if fact.kind not in SESSION_KINDS or getattr(fact.body, fact.kind).session_id in held
    )
