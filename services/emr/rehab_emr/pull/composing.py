"""Puts together what serves those that are notified and pull."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_emr.pace import Pace
from rehab_emr.patients import Patients
from rehab_emr.preparing import Preparing
from rehab_emr.pull.facade import Facade, Served
from rehab_emr.pull.notifying import Notifying
from rehab_emr.pull.pulling import Pulling
from rehab_emr.pull.searching import Searching
from rehab_emr.pull.subscribing import Subscribing
from rehab_emr.pull.tokens import Attempts, PullTokens
from rehab_emr.receivers import Receivers
from rehab_emr.settings import Settings
from rehab_emr.storage.endpoints import Endpoints
from rehab_emr.storage.subscriptions import Subscriptions
from rehab_emr.telling import Teller
from rehab_runtime.clock import Clock
from rehab_runtime.limits import Bucket, Limits, OwnCount

BURST_S = 4.0


@dataclass(frozen=True)
class Pulled:
    subscriptions: Subscriptions
    subscribing: Subscribing
    tokens: PullTokens
    notifying: Notifying
    facade: Facade


def pulled_by(
    settings: Settings,
    subscriptions: Subscriptions,
    endpoints: Endpoints,
    receivers: Receivers,
    patients: Patients,
    preparing: Preparing,
    teller: Teller,
    pace: Pace,
    clock: Clock,
    secret: bytes,
) -> Pulled:
    tokens = PullTokens(subscriptions, secret, Attempts(clock))
    base = settings.fhir_base
    subscribing = Subscribing(endpoints, subscriptions, tokens, base, settings.facade)
    pulling = Pulling(subscriptions, patients, preparing, teller, clock, base)
    notifying = Notifying(
        *(endpoints, receivers, subscriptions, subscribing, pulling, teller, pace, clock),
        settings,
    )
    rate = Bucket(settings.pulls_per_second, settings.pulls_per_second * BURST_S)
    pulls = OwnCount(Limits(rate, rate), clock)
    searching = Searching(subscriptions, pulling, base, settings.facade)
    served = (endpoints, subscriptions, subscribing, pulling, searching, tokens, pulls, clock)
    facade = Facade(Served(*served, since=clock.now()))
    return Pulled(subscriptions, subscribing, tokens, notifying, facade)
