"""The `rehab` command. Each command is thin; what it does lives in a module of its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from rehab_cli import (
    access,
    alerts,
    archive,
    audit,
    certs,
    credential,
    documented,
    emr,
    endpoints,
    erasure,
    identity_keys,
    keys,
    look,
    patients,
    people,
    policy,
    programs,
    projections,
    proof,
    quarantine,
    rulesets,
    running,
    shared_records,
    showing,
    subscriptions,
)
from rehab_cli import doctor as doctors
from rehab_cli.addresses import PORT_BASE
from rehab_cli.commands import (
    AskedPort,
    DataDir,
    External,
    NatsUrl,
    PortBase,
    PostgresDsn,
    ValkeyUrl,
    find,
    run,
)
from rehab_cli.place import default_folder
from rehab_cli.recorded.command import replay
from rehab_cli.restarting import restart
from rehab_cli.servers import external as external_servers
from rehab_cli.watch import watch

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Run RehabTrack and look inside."
)
log_app = typer.Typer(no_args_is_help=True, help="The log: read, prove, archive, erase.")
projections_app = typer.Typer(no_args_is_help=True, help="The read models.")
policy_app = typer.Typer(no_args_is_help=True, help="Rules, and the alerts they raise.")
app.add_typer(log_app, name="log")
app.add_typer(projections_app, name="projections")
app.add_typer(policy_app, name="policy")
emr_app = typer.Typer(no_args_is_help=True, help="FHIR servers, and what they are sent.")
app.add_typer(emr_app, name="emr")
app.add_typer(keys.app, name="keys")
keys.app.add_typer(identity_keys.app, name="identity")
app.add_typer(people.accounts, name="account")
app.add_typer(people.sessions, name="session")
app.add_typer(programs.devices, name="device")
app.add_typer(programs.api_keys, name="apikey")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(certs.app, name="certs")
app.add_typer(access.app, name="access")
app.add_typer(audit.app, name="audit")
app.add_typer(patients.consent_app, name="consent")
app.add_typer(patients.patient_app, name="patient")
COMMANDS: dict[typer.Typer, dict[str, Callable[..., None]]] = {
    projections_app: {
        "rebuild": projections.rebuild,
        "versions": projections.versions,
        "switch": projections.switch,
        "drop": projections.drop,
        "parked": projections.parked,
        "retry": projections.retry,
        "skip": projections.skip,
    },
    policy_app: {
        "alerts": alerts.alerts,
        "digest": alerts.digest,
        "ack": alerts.ack,
        "resolve": alerts.resolve,
        "explain": alerts.explain,
        "rules": rulesets.rules,
        "put": rulesets.put,
        "approve": rulesets.approve,
        "shadow": rulesets.shadow,
        "live": rulesets.live,
        "retire": rulesets.retire,
        "backtest": rulesets.backtest,
        "report": rulesets.report,
        "lint": policy.check,
        "test": policy.try_out,
    },
    emr_app: {
        "register": endpoints.register,
        "endpoints": endpoints.endpoints,
        "link": endpoints.link,
        "pause": endpoints.pause,
        "resume": endpoints.resume,
        "subscription": subscriptions.subscription,
        "rotate-token": subscriptions.rotate_token,
        "status": emr.status,
        "deliveries": emr.deliveries,
        "watch": emr.watch,
        "outcome": shared_records.outcome,
        "test": shared_records.dry_run,
        "replay": emr.replay,
        "disclosures": shared_records.disclosures,
        "export": shared_records.export,
        "import": shared_records.import_plan,
    },
    log_app: {
        "verify": proof.verify,
        "checkpoint": proof.checkpoint,
        "erase": erasure.erase,
        "erasure-report": erasure.report,
        "hold": erasure.hold,
        "release": erasure.release,
        "holds": erasure.holds,
        "archive": archive.archive,
        "restore": archive.restore,
        "segments": archive.segments,
    },
}
for group, commands in COMMANDS.items():
    for name, command in commands.items():
        group.command(name)(command)

Patients = Annotated[int, typer.Option(min=1, max=1000, help="Patients of the clinic.")]
Therapists = Annotated[int, typer.Option(min=1, max=100, help="Their therapists.")]
Seed = Annotated[int, typer.Option(help="The same seed lives the same weeks.")]
Shards = Annotated[
    int, typer.Option("--shards", min=0, max=64, help="Of a new log, for good; 0 for 1.")
]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="Kinds wanted; all without.")]
Shard = Annotated[int, typer.Option(min=0, help="Shard of a log that has several.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]
Bodies = Annotated[bool, typer.Option("--bodies", help="Open bodies, too: patient data.")]


@app.command()
def up(
    data: DataDir = None,
    port_base: PortBase = PORT_BASE,
    empty: Annotated[bool, typer.Option("--empty", help="Throw earlier data away.")] = False,
    shards: Shards = 0,
    external: External = False,
    postgres: PostgresDsn = "",
    nats: NatsUrl = "",
    valkey: ValkeyUrl = "",
) -> None:
    """Run PostgreSQL, NATS, Valkey and every service until Ctrl-C."""
    folder = data or default_folder()
    run(
        lambda: running.up(
            folder,
            port_base,
            external_servers(postgres, nats, valkey) if external else None,
            empty=empty,
            shards=shards,
        )
    )


@app.command()
def demo(
    patients: Patients = 40,
    therapists: Therapists = 3,
    seed: Seed = 1,
    speed: Annotated[
        float, typer.Option(min=1, help="Seconds of the clinic in one of ours.")
    ] = 20_000,
    once: Annotated[
        bool, typer.Option("--once", help="Four weeks at full speed, checked.")
    ] = False,
    shards: Shards = 0,
    data: DataDir = None,
    port_base: PortBase = PORT_BASE,
) -> None:
    """The suite with a simulated clinic in it. Without --data it leaves nothing behind."""
    with contextlib.ExitStack() as stack:
        passing = tempfile.TemporaryDirectory(prefix="rehab-", ignore_cleanup_errors=True)
        folder = data or Path(stack.enter_context(passing))
        run(
            lambda: showing.demo(
                folder,
                port_base,
                patients=patients,
                therapists=therapists,
                seed=seed,
                speed=None if once else speed,
                shards=shards,
            )
        )


@app.command()
def seed(
    patients: Patients = 40,
    therapists: Therapists = 3,
    seed: Seed = 1,
    days: Annotated[int, typer.Option(min=1, max=3650, help="Days that end now.")] = 28,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Weeks of a simulated clinic into a suite that runs, checked."""
    run(
        lambda: showing.seed(
            find(data, port_base), patients=patients, therapists=therapists, seed=seed, days=days
        )
    )


@app.command()
def doctor(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Look at everything the suite stands on; each line is ok, or says what mends it."""
    run(lambda: doctors.examine(data or default_folder(), port_base))


app.callback()(credential.tell)
app.command("replay")(replay)
app.command("watch")(watch)
app.command("restart")(restart)


@app.command()
def settings(
    service: Annotated[str, typer.Argument(help="One service; all without.")] = "",
) -> None:
    """What each service can be told by its environment."""
    run(lambda: documented.show(service))


@log_app.command("read")
def log_read(
    stream: Annotated[str, typer.Argument(help="One patient's stream; all without.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Position; with STREAM its version.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    kind: Kinds = None,
    until_version: Annotated[int, typer.Option(min=0, help="STREAM as of this version.")] = 0,
    as_of: Annotated[
        str, typer.Option(help="STREAM as it was recorded then: 2026-03-02T10:00:00+01:00.")
    ] = "",
    as_json: AsJson = False,
    bodies: Bodies = False,
    shard: Shard = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Print events. Bodies stay closed unless asked for: they hold patient data."""
    kinds, then = tuple(kind or ()), look.AsOf(until_version, as_of)
    run(
        lambda: look.read(
            find(data, port_base),
            look.Wanted(stream, after, limit, kinds, as_json, bodies, shard, then),
        )
    )


@log_app.command("tail")
def log_tail(
    stream: Annotated[str, typer.Argument(help="One patient's stream; all without.")] = "",
    after: Annotated[int, typer.Option(min=0, help="Position; only new events without.")] = 0,
    kind: Kinds = None,
    as_json: AsJson = False,
    bodies: Bodies = False,
    shard: Shard = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Print events as they are committed, until Ctrl-C."""
    run(
        lambda: look.tail(
            find(data, port_base),
            look.Wanted(stream, after, 0, tuple(kind or ()), as_json, bodies, shard),
        )
    )


@projections_app.command("lag")
def projections_lag(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """How far the read models are behind the log."""
    run(lambda: look.lag(find(data, port_base)))


@projections_app.command("status")
def projections_status(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Where each projection stands."""
    run(lambda: look.status(find(data, port_base)))
