"""`rehab policy rules|put|approve|shadow|live|retire|backtest|report`: which rules are in force."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from rehab.policy.v1 import rule_service_pb2 as pb
from rehab.policy.v1.rule_service_pb2_grpc import RuleServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.alerts import Who, metadata_of, policy, shown
from rehab_cli.asking import METADATA, TIMEOUT_S
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

BACKTEST_S = 6 * 3600
TESTS = ".test.yaml"
Version = Annotated[int, typer.Argument(min=1, help="One of: rehab policy rules.")]
Books = Annotated[
    list[Path], typer.Argument(help="Files of the rule book, or the folder they are in.")
]


def rules(
    version: Annotated[
        int, typer.Argument(min=0, help="Rules of this version; all versions without.")
    ] = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Versions of the rules; with VERSION what it says."""
    run(lambda: _rules(find(data, port_base), version))


def put(
    book: Books,
    note: Annotated[str, typer.Option(help="Why, for who approves it.")] = "",
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Keep a rule book as a draft. What is wrong with it is told by line and column."""
    run(lambda: _put(find(data, port_base), read(book), note, metadata_of(who)))


def approve(
    version: Version,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Agree to a version that somebody else wrote; what rests on weak sources is shown."""
    run(lambda: _approve(find(data, port_base), version, metadata_of(who)))


def shadow(
    version: Version,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Count what a version would do, beside the one in force."""
    wish = pb.TransitionRuleSetRequest(version=version, status=pb.RULE_SET_STATUS_SHADOW)
    run(lambda: _transition(find(data, port_base), wish, metadata_of(who)))


def live(
    version: Version,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Put an approved version in force, in the place of the one that is."""
    wish = pb.TransitionRuleSetRequest(version=version, status=pb.RULE_SET_STATUS_LIVE)
    run(lambda: _transition(find(data, port_base), wish, metadata_of(who)))


def retire(
    version: Version,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Give up a version that is not in force."""
    wish = pb.TransitionRuleSetRequest(version=version, status=pb.RULE_SET_STATUS_RETIRED)
    run(lambda: _transition(find(data, port_base), wish, metadata_of(who)))


def backtest(
    book: Annotated[
        list[Path] | None, typer.Argument(help="Files of a rule book that is not kept.")
    ] = None,
    version: Annotated[int, typer.Option(min=0, help="A version that is kept, instead.")] = 0,
    baseline: Annotated[int, typer.Option(min=0, help="Held against; 0: the live one.")] = 0,
    clinic: Annotated[str, typer.Option(help="One clinic; all without.")] = "",
    since: Annotated[datetime | None, typer.Option(help="Count from then on (UTC).")] = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """What rules would have done over the whole history: alerts more and fewer, for whom."""
    if bool(book) == bool(version):
        raise typer.BadParameter("name files, or --version")
    wish = pb.BacktestRequest(baseline=baseline, clinic_id=clinic)
    if since is not None:
        wish.since.FromDatetime(since)
    run(lambda: _backtest(find(data, port_base), _tried(wish, book or (), version)))


def _tried(wish: pb.BacktestRequest, book: Sequence[Path], version: int) -> pb.BacktestRequest:
    if book:
        wish.book.CopyFrom(pb.RuleFiles(files=read(book)))
    else:
        wish.version = version
    return wish


def report(
    clinic: Annotated[str, typer.Option(help="One clinic; all without.")] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """How often each rule fired, and how often that helped."""
    run(lambda: _report(find(data, port_base), clinic))


def read(paths: Sequence[Path]) -> list[pb.RuleFile]:
    """The YAML files, without those of tests. Raises SuiteError."""
    files = []
    for path in paths:
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            if not file.name.endswith(TESTS):
                try:
                    files.append(pb.RuleFile(name=file.name, text=file.read_text("utf-8")))
                except (OSError, UnicodeDecodeError) as error:
                    raise SuiteError(f"{file} cannot be read: {error}") from None
    return files


async def _rules(addresses: Addresses, version: int) -> int:
    async with policy(addresses, RuleServiceStub) as stub:
        if version:
            wish = pb.ListRulesRequest(version=version)
            _print_rules(await stub.ListRules(wish, metadata=METADATA, timeout=TIMEOUT_S))
            return 0
        wish_all = pb.ListRuleSetsRequest()
        answer = await stub.ListRuleSets(wish_all, metadata=METADATA, timeout=TIMEOUT_S)
    table = Table(
        "version", "status", "rules", "author", "approved by", "live from", "note", box=None
    )
    for one in answer.rule_sets:
        table.add_row(
            str(one.version), status_of(one), str(one.rules), one.author, one.approved_by,
            _when(one, "live_from"), one.note,
        )  # fmt: skip
    out.print(table)
    return 0


def _print_rules(answer: pb.ListRulesResponse) -> None:
    table = Table("rule", "version", "triggers", "action", "severity", "owner", box=None)
    for one in answer.rules:
        off = "" if one.enabled else " (off)"
        trial = f" ({one.holdout} % held out, {one.trial})" if one.trial else ""
        action = f"{one.action}{' (shadow)' if one.shadow else ''}{trial}{off}"
        severity = f"{one.severity}{', emergency' if one.emergency else ''}"
        triggers = ", ".join(one.triggers)
        table.add_row(one.rule_id, str(one.version), triggers, action, severity, one.owner)
    out.print(table)
    _print_review(answer)


def _print_review(answer: pb.ListRulesResponse) -> None:
    """What a clinician must look at before it is relied on."""
    table = Table("needs a clinician's look", "value", "source", box=None)
    for rule in answer.rules:
        if rule.review:
            table.add_row(rule.rule_id, "", rule.source)
    for limit in answer.limits_to_review:
        table.add_row(limit.name, f"{limit.value:g} {limit.unit}", limit.source, style="dim")
    if table.row_count:
        out.print(table)


async def _put(addresses: Addresses, files: Sequence[pb.RuleFile], note: str, who: Any) -> int:
    wish = pb.PutRuleSetRequest(book=pb.RuleFiles(files=files), note=note)
    async with policy(addresses, RuleServiceStub) as stub:
        answer = await stub.PutRuleSet(wish, metadata=who, timeout=TIMEOUT_S)
    _tell(answer.rule_set)
    return 0


async def _approve(addresses: Addresses, version: int, who: Any) -> int:
    async with policy(addresses, RuleServiceStub) as stub:
        asked = pb.GetRuleSetRequest(version=version)
        kept = (await stub.GetRuleSet(asked, metadata=who, timeout=TIMEOUT_S)).rule_set
        said = pb.ListRulesRequest(version=version)
        _print_review(await stub.ListRules(said, metadata=who, timeout=TIMEOUT_S))
        wish = pb.ApproveRuleSetRequest(version=version, sha256=kept.sha256)
        answer = await stub.ApproveRuleSet(wish, metadata=who, timeout=TIMEOUT_S)
    _tell(answer.rule_set)
    return 0


async def _transition(addresses: Addresses, wish: pb.TransitionRuleSetRequest, who: Any) -> int:
    async with policy(addresses, RuleServiceStub) as stub:
        answer = await stub.TransitionRuleSet(wish, metadata=who, timeout=TIMEOUT_S)
    _tell(answer.rule_set)
    return 0


def _tell(one: pb.RuleSet) -> None:
    approved = f", approved by {one.approved_by}" if one.approved_by else ""
    out.print(f"version {one.version} of {one.rules} rules is {status_of(one)}{approved}")


def status_of(one: pb.RuleSet) -> str:
    return pb.RuleSetStatus.Name(one.status).removeprefix("RULE_SET_STATUS_").lower()


async def _backtest(addresses: Addresses, wish: pb.BacktestRequest) -> int:
    result = pb.BacktestResult()
    async with policy(addresses, RuleServiceStub) as stub:
        with bar("events") as moved:
            async for told in stub.Backtest(wish, metadata=METADATA, timeout=BACKTEST_S):
                if told.HasField("result"):
                    result = told.result
                else:
                    moved(told.progress.folded, told.progress.total)
    out.print(f"{result.events:,} events of {result.patients:,} patients")
    table = Table("rule", "action", "now", "then", "more", "fewer", "merged", box=None)
    for one in result.rules:
        figures = (one.baseline, one.candidate, one.added, one.removed, one.merged)
        table.add_row(one.rule_id, one.action, *(f"{figure:,}" for figure in figures))
    out.print(table)
    loads = Table("therapist", "alerts a day now", "then", "most in a day", box=None)
    for load in result.therapists:
        now, then = f"{load.baseline_per_day:.2f}", f"{load.candidate_per_day:.2f}"
        loads.add_row(load.therapist_id or "nobody", now, then, str(load.candidate_most))
    out.print(loads)
    _print_trials(result.trials)
    for changed in result.patients_changed:
        out.print(f"{changed.patient_id}: {changed.added} more, {changed.removed} fewer")
    return 0


async def _report(addresses: Addresses, clinic: str) -> int:
    wish = pb.GetRuleReportRequest(clinic_id=clinic)
    async with policy(addresses, RuleServiceStub) as stub:
        answer = await stub.GetRuleReport(wish, metadata=METADATA, timeout=TIMEOUT_S)
    table = Table(
        *(
            "rule",
            "version",
            "action",
            "fired",
            "merged",
            "withheld",
            "shadow",
            "taken",
            "useful",
            "not",
        ),
        "precision",
        box=None,
    )
    for one in answer.rules:
        precision = f"{one.precision:.0%}" if one.HasField("precision") else ""
        answers = (one.acknowledged, one.useful, one.not_useful)
        figures = (one.fired, one.merged, one.withheld, one.shadow, *answers)
        told = (one.rule_id, str(one.version), one.action)
        table.add_row(*told, *(f"{figure:,}" for figure in figures), precision)
    out.print(table)
    _print_trials(answer.trials)
    return 0


def _print_trials(arms: Sequence[pb.TrialArm]) -> None:
    """Both arms of each trial: whether sessions follow more often where a nudge was sent."""
    table = Table(
        *("trial", "arm", "nudges", "a session followed", "patients", "followed their first"),
        box=None,
    )
    for one in arms:
        table.add_row(
            one.trial,
            one.arm,
            f"{one.firings:,}",
            _of(one.followed, one.firings),
            f"{one.patients:,}",
            _of(one.patients_followed, one.patients),
        )
    if table.row_count:
        out.print(table)


def _of(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.0%})" if whole else f"{part:,}"


def _when(one: pb.RuleSet, field: str) -> str:
    at: Timestamp = getattr(one, field)
    return shown(at) if at.seconds else ""
