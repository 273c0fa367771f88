"""`rehab watch`: what a read answers, and again whenever that changed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from rehab_cli.addresses import Addresses
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.credential import current
from rehab_cli.errors import SuiteError
from rehab_sdk import AsyncRehab
from rehab_sdk.watch import Reconnecting


@dataclass(frozen=True)
class Question:
    """Of one patient or clinic; not every read asks all of it."""

    who: str
    days: int
    metric: str
    session: str

    def told(self, name: str) -> str:
        value = str(getattr(self, name))
        if not value:
            raise SuiteError(f"say which {name}: --{name}")
        return value


Open = Callable[[AsyncRehab, Question], Reconnecting[Any]]
READS: dict[str, Open] = {
    "adherence": lambda c, q: c.watch(c.patients.adherence, q.who, days=q.days),
    "quality": lambda c, q: c.watch(c.patients.quality, q.who, days=q.days),
    "sessions": lambda c, q: c.watch(c.patients.sessions, q.who),
    "session": lambda c, q: c.watch(c.progress.session, q.who, q.told("session")),
    "reps": lambda c, q: c.watch(c.progress.reps, q.who, q.told("session")),
    "weeks": lambda c, q: c.watch(c.progress.weeks, q.who, days=q.days),
    "missed": lambda c, q: c.watch(c.progress.missed, q.who, days=q.days),
    "pain": lambda c, q: c.watch(c.progress.pain_against_quality, q.who, days=q.days),
    "metrics": lambda c, q: c.watch(c.vitals.metrics, q.who),
    "readings": lambda c, q: c.watch(c.vitals.readings, q.who, q.told("metric"), days=q.days),
    "vitals": lambda c, q: c.watch(c.vitals.days, q.who, [q.told("metric")], days=q.days),
    "nights": lambda c, q: c.watch(c.vitals.nights, q.who, days=q.days),
    "evidence": lambda c, q: c.watch(c.billing.evidence, q.who, days=q.days),
    "gaps": lambda c, q: c.watch(c.billing.gaps, q.who),
    "loads": lambda c, q: c.watch(c.workload.therapists, q.who),
    "queue": lambda c, q: c.work_queue.watch(clinic=q.who),
}
OF_CLINIC = "gaps, loads, queue"


def watch(
    read: Annotated[str, typer.Argument(help=f"One of {', '.join(READS)}.")],
    who: Annotated[str, typer.Argument(help=f"A patient; of {OF_CLINIC} a clinic.")],
    days: Annotated[int, typer.Option(min=1, max=3660, help="Days up to now.")] = 28,
    metric: Annotated[str, typer.Option(help="Of readings and vitals.")] = "",
    session: Annotated[str, typer.Option(help="Of session and reps.")] = "",
    answers: Annotated[int, typer.Option(min=0, help="End after so many; 0 for never.")] = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """What a read answers and again when that changed, a JSON object a line: patient data."""
    question = Question(who, days, metric, session)
    run(lambda: _watch(find(data, port_base), read, question, answers))


async def _watch(addresses: Addresses, read: str, question: Question, answers: int) -> int:
    if read not in READS:
        raise SuiteError(f"there is no read {read}; there are {', '.join(READS)}")
    shown = current()
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            AsyncRehab.connect(
                ingest=addresses.ingest,
                projections=addresses.projections,
                token=shown.bearer,
                credentials=shown.of_channels(addresses.ingest, addresses.projections),
            )
        )
        told = await stack.enter_async_context(READS[read](client, question))
        count = 0
        async for answer in told:
            out.print(json.dumps(_plain(answer)), markup=False)
            count += 1
            if count == answers:
                break
    return 0


def _plain(answer: Message | Sequence[Message]) -> Any:
    if isinstance(answer, Message):
        return MessageToDict(answer, preserving_proto_field_name=True)
    return [_plain(one) for one in answer]
