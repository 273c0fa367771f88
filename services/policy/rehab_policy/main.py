"""Builds the service."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import grpc

from rehab.policy.v1 import policy_service_pb2_grpc as pb_grpc
from rehab.policy.v1 import rule_service_pb2_grpc as rules_grpc
from rehab_policy.access import Guard
from rehab_policy.administration import Administration
from rehab_policy.ahead import Ahead
from rehab_policy.answering import Answering
from rehab_policy.backtesting import Backtesting
from rehab_policy.books import Books
from rehab_policy.changes import ChangeTeller
from rehab_policy.consumer import Consumer
from rehab_policy.domain.cel import Cel
from rehab_policy.explaining import Explaining
from rehab_policy.keeping import Keeping
from rehab_policy.lag import lag_of
from rehab_policy.publisher import Publisher
from rehab_policy.rule_servicer import RuleServicer
from rehab_policy.servicer import PolicyServicer
from rehab_policy.settings import Settings
from rehab_policy.shipped import shipped
from rehab_policy.states import States
from rehab_policy.storage import alerts as alerts_of
from rehab_policy.storage import rule_sets as rule_sets_of
from rehab_policy.storage.alerts import Alerts, Routing
from rehab_policy.storage.folds import Folds
from rehab_policy.storage.rule_sets import RuleSets
from rehab_policy.timing import Timing
from rehab_policy.watching import Watching
from rehab_runtime import jetstream, lifecycle, postgres
from rehab_runtime.access.front import fronted
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import Peer
from rehab_runtime.clock import Clock, SystemClock
from rehab_runtime.eventlog import EventLog
from rehab_runtime.folding import Snapshots
from rehab_runtime.following import LogFold
from rehab_runtime.lifecycle import Background, Running
from rehab_runtime.listener import Listener
from rehab_runtime.server import serve_grpc

PACKAGE = "rehab_policy"
NAME = "policy"
ANEW = (
    "empty the tables log_position, patient, due_timer, timers_set, alert, alert_step and "
    "firing of this "
    "service's database and start it: it folds the log anew, and tells nothing twice"
)
SERVICES = ["rehab.policy.v1.PolicyService", "rehab.policy.v1.RuleService"]


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, book: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """`book` is in force at the first start, in place of the one that comes with the service."""
    async with AsyncExitStack() as stack:
        clock = clock or SystemClock()
        await postgres.ensure_database(settings.postgres_dsn)
        await postgres.migrate(settings.postgres_dsn, PACKAGE)
        database = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name=NAME)
        )
        # a crash takes back the newest of it, and the log has it; rules and steps are safe
        folding = await stack.enter_async_context(
            postgres.connect(settings.postgres_dsn, name="policy-folds", durable=False)
        )
        queries = partial(postgres.Queries.load, PACKAGE)
        rule_sets = RuleSets(database, queries("rules.sql"))
        alerts = Alerts(folding, queries("alerts.sql"), _routing(settings))
        folds = Folds(folding, queries("folding.sql"), alerts)
        language = Cel()
        administration = Administration(rule_sets, language, clock, settings)
        await administration.begin(book or shipped())
        broker = await stack.enter_async_context(jetstream.connect(settings.nats_url, name=NAME))
        store = await stack.enter_async_context(
            Peer(settings.eventstore_address, settings.tls).channel()
        )
        event_log = EventLog(store, service_principal(NAME))
        background = await stack.enter_async_context(Background())
        front = await stack.enter_async_context(
            fronted(settings, NAME, event_log, background, clock)
        )
        books, publisher = Books(rule_sets, language, clock), Publisher(event_log)
        keeping = Keeping(Snapshots(store, service_principal(NAME)))
        states = States(event_log, settings.patients_in_memory, keeping, "fold")
        within = timedelta(milliseconds=settings.feedback_within_ms)
        consumer = Consumer(folds, books, states, publisher, clock, within)
        log_fold = LogFold(
            *(NAME, settings, event_log, broker, folds.positions, consumer.fold),
            begun=consumer.begun,
            anew=ANEW,
        )
        progress = log_fold.progress
        tick_s, patience_s = settings.tick_ms / 1000, settings.emergency_patience_ms / 1000
        timing = Timing(consumer, folds, books, event_log, progress, clock, tick_s)
        ahead = Ahead(event_log, books, publisher, alerts, progress, patience_s, keeping)
        teller = ChangeTeller(rule_sets, event_log)
        guard = Guard(front.gate)
        watching = Watching(alerts, guard, settings.max_watches)
        listener = _listener(settings, books, teller, watching)
        background.start(books.run(), "knows the rules")
        background.start(log_fold.run(), "folds the log")
        background.start(keeping.run(), "keeps states")
        background.start(states.run(), "closes states of who rests")
        background.start(timing.run(), "fires what is due")
        background.start(ahead.run(), "tells emergencies first")
        background.start(teller.run(), "tells of changes of rules")
        background.start(listener.run(), "listens to other replicas")
        servicer = PolicyServicer(
            alerts,
            Answering(alerts, event_log, clock),
            Explaining(books, event_log, clock),
            watching,
            guard,
            partial(lag_of, log_fold, books),
        )
        backtesting = Backtesting(event_log, settings.backtest_events)
        rule_servicer = RuleServicer(
            rule_sets, administration, books, alerts, backtesting, language, guard
        )
        server = await stack.enter_async_context(
            serve_grpc(
                settings,
                partial(_add, servicer, rule_servicer),
                authenticator=front.authenticator,
                gate=front.gate,
            )
        )
        stack.callback(watching.close)
        yield Running(server.address, background, server.peers_address)


def _routing(settings: Settings) -> Routing:
    together = timedelta(hours=settings.grouped_h)
    return Routing(settings.daily_budget, ZoneInfo(settings.budget_zone), together)


def _listener(
    settings: Settings, books: Books, teller: ChangeTeller, watching: Watching
) -> Listener:
    def look() -> None:
        books.look()
        teller.look()
        watching.look()

    heard = {
        rule_sets_of.CHANNEL: lambda *_: look(),
        alerts_of.CHANNEL: lambda *_: watching.look(),
    }
    return Listener(settings.postgres_dsn, "policy-listener", heard, look)


def _add(
    servicer: PolicyServicer, rule_servicer: RuleServicer, server: grpc.aio.Server
) -> list[str]:
    pb_grpc.add_PolicyServiceServicer_to_server(servicer, server)
    rules_grpc.add_RuleServiceServicer_to_server(rule_servicer, server)
    return SERVICES


def main() -> int:
    return lifecycle.run(NAME, Settings, running)


if __name__ == "__main__":
    sys.exit(main())
