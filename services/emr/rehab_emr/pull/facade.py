"""What systems that pull read over HTTP: their subscription, its events, and the resources that
they were told of. Whatever they may not have is not there, whyever that is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehab_emr import metrics
from rehab_emr.domain.account import PULLED
from rehab_emr.domain.notifications import Content, Kind, Subscribed, notification
from rehab_emr.domain.subscription import (
    TYPES,
    Channel,
    capabilities,
    status_bundle,
    subscription,
)
from rehab_emr.errors import raised_at
from rehab_emr.pull.answers import (
    Refused,
    answered,
    body_of,
    content_of,
    not_there,
    number,
    parameters_of,
    refusal,
    require_readable,
)
from rehab_emr.pull.happening import happened
from rehab_emr.pull.pulling import Given, Pulling, Reason
from rehab_emr.pull.searching import Searching
from rehab_emr.pull.subscribing import BY_HAND, Subscribing
from rehab_emr.pull.tokens import NotHeld, PullTokens, TooManyAttempts
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.subscriptions import Subscription, Subscriptions
from rehab_runtime.clock import Clock
from rehab_runtime.errors import InvalidArgument, NotFound, RehabError
from rehab_runtime.limits import OwnCount
from rehab_runtime.logging import get_logger

SOFTWARE = "RehabTrack"
AT_ONCE = 8
"""Answers under way in a process; others wait. Half of the database's connections are for those who
send."""
ANSWER_S = 30.0
"""Longest time for one, and for who asks to tell what for."""
MOST_EVENTS = 100
"""In one answer to `$events`; whoever asks on gets the others."""
RETRY_S = 5
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")

log = get_logger("facade")


@dataclass(frozen=True)
class Served:
    """What the façade stands on."""

    endpoints: Endpoints
    subscriptions: Subscriptions
    subscribing: Subscribing
    pulling: Pulling
    searching: Searching
    tokens: PullTokens
    pulls: OwnCount
    clock: Clock
    since: datetime
    """When this was begun: the date of what it tells of itself."""


Answering = Callable[[Request, Endpoint], Awaitable[Response]]


class Facade:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._turns = asyncio.Semaphore(AT_ONCE)

    def routes(self) -> list[Route]:
        told = "/fhir/Subscription/{id}"
        return [
            Route("/fhir/metadata", self._open(self._metadata)),
            Route(told, self._shown(self._subscription)),
            Route(f"{told}/$status", self._shown(self._status)),
            Route(f"{told}/$events", self._shown(self._events)),
            Route("/fhir/Observation", self._shown(self._searched)),
            Route("/fhir/Observation/_search", self._shown(self._searched), methods=["POST"]),
            Route("/fhir/{type}/{id}", self._shown(self._resource)),
            Route("/fhir/{rest:path}", self._open(self._nothing), methods=METHODS),
        ]

    async def _metadata(self, _: Request) -> Response:
        served = self._served
        return answered(capabilities(served.subscribing.facade, SOFTWARE, served.since))

    async def _nothing(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "not-supported", "it is read, and nothing else", {"allow": "GET"})
        raise Refused(404, "not-found", "there is nothing here: /metadata tells what there is")

    async def _subscription(self, request: Request, endpoint: Endpoint) -> Response:
        told, _ = await self._own(request, endpoint)
        channel = Channel(
            endpoint.base_url, endpoint.notify, endpoint.heartbeat_s, endpoint.most_entries
        )
        return answered(subscription(endpoint.endpoint_id, told.topic, told.status, channel))

    async def _status(self, request: Request, endpoint: Endpoint) -> Response:
        told, _ = await self._own(request, endpoint)
        return answered(status_bundle(told))

    async def _events(self, request: Request, endpoint: Endpoint) -> Response:
        served = self._served
        told, found = await self._own(request, endpoint)
        require_not_paused(endpoint)
        first = max(1, number(request.query_params, "eventsSinceNumber", 1))
        last = min(found.events, number(request.query_params, "eventsUntilNumber", found.events))
        content = content_of(request, Content(endpoint.notify))
        events = await served.subscriptions.events(endpoint.endpoint_id, first, last, MOST_EVENTS)
        given: Mapping[int, Given] = {}
        if content is Content.FULL:
            given = await served.pulling.several(endpoint, events, self._reason())
        stands = Subscribed(told.url, told.topic, told.status, told.events, content)
        said = happened(served.subscribing.facade, events, given)
        name = f"{Kind.QUERY.value}-{first}-{last}"
        return answered(notification(Kind.QUERY, stands, said, name))

    async def _resource(self, request: Request, endpoint: Endpoint) -> Response:
        type_, name = request.path_params["type"], request.path_params["id"]
        if not _ID.fullmatch(name):
            raise not_there()
        if type_ not in TYPES:
            raise Refused(404, "not-supported", "there are no resources of this type")
        require_not_paused(endpoint)
        given = await self._served.pulling.one(endpoint, type_, name, self._reason())
        if given is None:
            raise not_there()
        return answered(given.content, {"etag": f'W/"{given.version}"'})

    async def _searched(self, request: Request, endpoint: Endpoint) -> Response:
        require_not_paused(endpoint)
        asked = parameters_of(request, request.state.body)
        return answered(await self._served.searching.found(endpoint, asked, self._reason()))

    async def _own(self, request: Request, endpoint: Endpoint) -> tuple[Subscribed, Subscription]:
        if request.path_params["id"] != endpoint.endpoint_id:
            raise not_there()
        return await self._served.subscribing.looked_at(endpoint)

    def _reason(self) -> Reason:
        now = self._served.clock.now()
        day = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
        return Reason(PULLED, day, now)

    def _shown(self, answer: Answering) -> Callable[[Request], Awaitable[Response]]:
        """For whoever shows a token."""

        async def held(request: Request) -> Response:
            async with asyncio.timeout(ANSWER_S):
                async with self._turns:
                    endpoint = await self._holder(request)
                # whoever is slow to say what they want keeps nobody from a turn
                posted = request.method == "POST"
                request.state.body = await body_of(request) if posted else b""
                async with self._turns:
                    return await answer(request, endpoint)

        return self._open(held)

    async def _holder(self, request: Request) -> Endpoint:
        address = request.client.host if request.client else ""
        shown = request.headers.get("authorization", "")
        try:
            name = await self._served.tokens.holder(shown, address)
        except NotHeld:
            told = {"www-authenticate": 'Bearer realm="fhir"'}
            raise Refused(401, "login", "a token that holds is needed", told) from None
        except TooManyAttempts as error:
            told = {"retry-after": str(int(error.retry_s) + 1)}
            raise Refused(429, "throttled", "too many tokens that do not hold", told) from None
        late_s = self._served.pulls.take(name, 1, 0)
        if late_s:
            told = {"retry-after": str(int(late_s) + 1)}
            raise Refused(429, "throttled", "too many requests", told)
        return await self._served.endpoints.one(name)

    def _open(
        self, answer: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """For anybody. Whatever goes wrong is answered as FHIR has it."""

        async def guarded(request: Request) -> Response:
            try:
                require_readable(request)
                response = await answer(request)
            except Refused as refused:
                response = refusal(refused)
            except InvalidArgument as error:
                said = "; ".join(f"{one.field} {one.message}" for one in error.violations)
                response = refusal(Refused(400, "invalid", said))
            except NotFound:
                response = refusal(not_there())
            except (RehabError, TimeoutError) as error:
                reason = error.detail if isinstance(error, RehabError) else "timeout"
                log.warning("a pull cannot be answered now", reason=reason)
                told = {"retry-after": str(RETRY_S)}
                response = refusal(Refused(503, "transient", "come back later", told))
            except Exception as error:
                metrics.failures.labels("pulling").inc()
                log.error(
                    "a pull cannot be answered",
                    error_type=type(error).__name__,
                    path=raised_at(error),
                    remedy="this is a fault of the service: report it",
                )
                response = refusal(Refused(500, "exception", "this is a fault of the service"))
            metrics.pulls.labels(str(response.status_code)).inc()
            return response

        return guarded


def require_not_paused(endpoint: Endpoint) -> None:
    """Raises Refused."""
    if endpoint.paused == BY_HAND:
        raise Refused(403, "suppressed", "sharing with this system is paused")
