"""Writes resources at a receiver so that each is there once: by condition where it can do that,
else by asking it first what it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rehab_emr import metrics
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.lookups import Looked, looked_for, read
from rehab_emr.domain.requests import Request, requests_of, searches
from rehab_emr.domain.resource import Resource
from rehab_emr.domain.verdicts import Answer, Judgement, Verdict, What, Whole, judge
from rehab_emr.net.carrying import Hold, carried
from rehab_emr.net.receiver import Receiver
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.wanting import dialect_of, form_of, manner_of, search_form_of
from rehab_runtime.clock import Clock

Groups = Sequence[Sequence[Resource]]
ANSWERED = Answer(200)
CHANGED = "changed_meanwhile"
DOUBTS = frozenset(
    {
        *("http_400", "http_404", "http_405", "http_422", "duplicate_at_receiver"),
        *("search_http_400", "search_http_404", "search_http_405", "search_http_422"),
    }
)
""" "duplicate_at_receiver" is what 412 is taken for."""


@dataclass(frozen=True, slots=True)
class Written:
    """`judged` has a verdict on each resource of each group in their order, or on the whole."""

    answer: Answer
    judged: Judgement
    is_doubtful: bool = False
    """It may be that the receiver does not do what it promised."""


class Writing:
    """To one receiver, of one patient. `lag_s` is how long its search may not find what it has
    stored; `hold` makes sure that nobody else writes, or raises."""

    def __init__(
        self, endpoint: Endpoint, receiver: Receiver, clock: Clock, lag_s: float, hold: Hold
    ) -> None:
        self._endpoint = endpoint
        self._receiver = receiver
        self._clock = clock
        self._lag_s = lag_s
        self._hold = hold
        self._manner = manner_of(endpoint)
        self._dialect = dialect_of(endpoint)

    async def write(self, groups: Groups, links: Links) -> Written:
        """What is of a group is written with its first resource or not at all."""
        unsure = [one for group in groups for one in group if self._manner.looks_first(one.status)]
        looked: dict[ResourceKey, Looked] = {}
        if unsure:
            failed = await self._look(unsure, links, looked)
            if failed is not None:
                return failed
            await self._hold()
        verdicts = _ended(groups, looked)
        there = {key: one.there for key, one in looked.items() if one.there is not None}
        left = [one for group in groups for one in group if one.key not in verdicts]
        asked = requests_of(
            left, links, form_of(self._endpoint), self._dialect, self._manner, there
        )
        wanted = {one.key: told for one, told in zip(left, asked, strict=True) if told is not None}
        for one in left:
            if one.key not in wanted:
                place = there[one.key]
                verdicts[one.key] = Verdict(What.ACCEPTED, "", place.reference, place.version)
        answer, whole = ANSWERED, None
        if wanted:
            answer, whole = await self._send(wanted, verdicts)
        every = [one.key for group in groups for one in group]
        quiet_s = self._lag_s if any(one.is_blind for one in wanted.values()) else 0.0
        if whole is not None:
            judged = replace(_of_all(whole, wanted, groups), quiet_s=quiet_s)
        else:
            judged = Judgement(tuple(verdicts[key] for key in every), quiet_s=quiet_s)
        return Written(answer, judged, _is_doubtful(judged, len(groups)))

    async def _send(
        self, wanted: dict[ResourceKey, Request], verdicts: dict[ResourceKey, Verdict]
    ) -> tuple[Answer, Judgement | None]:
        """Adds what became of each, unless something is to be said of the whole."""
        answer = await self._carried(list(wanted.values()))
        judged = judge(answer, len(wanted), self._clock.now())
        if judged.whole is not None:
            return answer, judged
        for (key, request), verdict in zip(wanted.items(), judged.entries, strict=True):
            verdicts[key] = _changed(verdict) if request.if_match else verdict
        return answer, None

    async def _look(
        self, unsure: Sequence[Resource], links: Links, looked: dict[ResourceKey, Looked]
    ) -> Written | None:
        """Adds what the receiver has of each; how it went when nothing can be said of them."""
        now = self._clock.now()
        entries, failed = await self._asked(searches(unsure, self._dialect))
        if failed is not None:
            return failed
        for one, entry in zip(unsure, entries, strict=True):
            looked[one.key] = looked_for(entry, one, now)
        if any(one.ignored for one in looked.values()):
            judged = Judgement(whole=Whole.PAUSE, reason="search_not_honoured")
            return Written(ANSWERED, judged, is_doubtful=True)
        # its search may not find yet what it is known to have stored
        known = [
            (one, links.known[one.key])
            for one in unsure
            if one.key in links.known and looked[one.key] == Looked()
        ]
        if known:
            entries, failed = await self._asked([Request("GET", place) for _, place in known])
            if failed is not None:
                return failed
            for (one, _), entry in zip(known, entries, strict=True):
                looked[one.key] = read(entry, one, now)
        return None

    async def _asked(self, requests: Sequence[Request]) -> tuple[Sequence[object], Written | None]:
        """The answer's entries, or how it went."""
        answer = await carried(self._receiver, requests, search_form_of(self._endpoint))
        judged = judge(answer, len(requests), self._clock.now())
        if judged.whole is not None:
            return (), Written(answer, judged, _is_doubtful(judged, 1))
        assert answer.body is not None
        return answer.body["entry"], None

    async def _carried(self, requests: Sequence[Request]) -> Answer:
        with metrics.request_seconds.time():
            return await carried(self._receiver, requests, form_of(self._endpoint), self._hold)


def _is_doubtful(judged: Judgement, groups: int) -> bool:
    """A refusal that says perhaps nothing of the resource, but of how it was sent."""
    match judged.whole:
        case None:
            return any(one.what is What.DEAD and one.reason in DOUBTS for one in judged.entries)
        case Whole.AS_BATCH:
            return True
        case Whole.SPLIT:
            return groups == 1
    return False


def _ended(groups: Groups, looked: dict[ResourceKey, Looked]) -> dict[ResourceKey, Verdict]:
    """Groups of which something could not be looked for: nothing of them is sent."""
    ended: dict[ResourceKey, Verdict] = {}
    for group in groups:
        for one in group:
            verdict = looked[one.key].verdict if one.key in looked else None
            if verdict is not None:
                ended |= dict.fromkeys((each.key for each in group), verdict)
                break
    return ended


def _of_all(judged: Judgement, wanted: dict[ResourceKey, Request], groups: Groups) -> Judgement:
    """Somebody changed it between our look and our update: that is no fault of the resource."""
    matched = any(one.if_match for one in wanted.values())
    if judged.reason != "http_412" or not matched or len(groups) > 1:
        return judged
    verdict = Verdict(What.RETRY, CHANGED, outcome=judged.outcome)
    return Judgement((verdict,) * len(groups[0]))


def _changed(verdict: Verdict) -> Verdict:
    if verdict.what is What.DEAD and verdict.reason == "duplicate_at_receiver":
        return replace(verdict, what=What.RETRY, reason=CHANGED)
    return verdict
