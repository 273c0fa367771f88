"""Registers systems that are notified and pull: a handshake shows that they take notifications."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.notifications import Content, Kind, Subscribed, notification
from rehab_emr.domain.subscription import topic_of, url_of
from rehab_emr.domain.verdicts import Answer
from rehab_emr.errors import broken_rule, missing_at_receiver
from rehab_emr.net.receiver import Receiver
from rehab_emr.pull.tokens import PullTokens
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.subscriptions import Subscription, Subscriptions
from rehab_runtime.errors import NotFound

CONTENTS = {
    pb.NOTIFICATION_CONTENT_UNSPECIFIED: Content.ID_ONLY,
    pb.NOTIFICATION_CONTENT_EMPTY: Content.EMPTY,
    pb.NOTIFICATION_CONTENT_ID_ONLY: Content.ID_ONLY,
    pb.NOTIFICATION_CONTENT_FULL_RESOURCE: Content.FULL,
}


@dataclass(frozen=True, slots=True)
class Registered:
    """`token` is told this once, of an endpoint that is new and pulls."""

    endpoint: Endpoint
    token: str = field(default="", repr=False)


class Subscribing:
    """`facade` is the URL at which they pull; empty while nothing is served."""

    def __init__(
        self,
        endpoints: Endpoints,
        subscriptions: Subscriptions,
        tokens: PullTokens,
        base: str,
        facade: str,
    ) -> None:
        self._endpoints = endpoints
        self._subscriptions = subscriptions
        self._tokens = tokens
        self._base = base
        self.facade = facade

    async def require(self, request: pb.RegisterEndpointRequest) -> None:
        """Raises InvalidArgument for what cannot be."""
        told = request.endpoint
        notified = told.HasField("notify")
        try:
            before = await self._endpoints.one(told.endpoint_id, request.clinic_id)
        except NotFound:
            before = None
        if before is not None and bool(before.notify) != notified:
            message = "must stay as it was: register the other way under another id"
            raise broken_rule("endpoint.notify", "unchangeable", message)
        if not notified:
            return
        if not self.facade:
            message = "must be served to be pulled: set EMR_HTTP_LISTEN and EMR_PULL_URL"
            raise broken_rule("endpoint.notify", "served", message)
        if request.WhichOneof("auth") == "smart" and not request.smart.token_url:
            message = "must be told: a URL that takes notifications does not tell it"
            raise broken_rule("smart.token_url", "required", message)

    async def handshake(self, endpoint: Endpoint, receiver: Receiver) -> None:
        """Raises InvalidArgument, in plain words, unless it is answered with 2xx."""
        events = 0
        with suppress(NotFound):
            events = (await self._subscriptions.one(endpoint.endpoint_id)).events
        subscribed = self.subscribed(endpoint, "requested", events)
        answer = await receiver.send(notification(Kind.HANDSHAKE, subscribed, (), "handshake"))
        if not 200 <= answer.status < 300:
            raise missing_at_receiver([_refusal(answer)])

    async def put(self, endpoint: Endpoint) -> Registered:
        """Raises AlreadyExists."""
        stored = await self._endpoints.put(endpoint)
        token, kept = self._tokens.made(endpoint.endpoint_id)
        is_new = await self._subscriptions.open(endpoint.endpoint_id, kept)
        return Registered(stored, token if is_new else "")

    def subscribed(self, endpoint: Endpoint, status: str, events: int) -> Subscribed:
        url = url_of(self.facade, endpoint.endpoint_id)
        return Subscribed(url, topic_of(self._base), status, events, Content(endpoint.notify))

    async def looked_at(self, endpoint: Endpoint) -> tuple[Subscribed, Subscription]:
        """How it stands. Raises NotFound for one that is pushed to."""
        found = await self._subscriptions.one(endpoint.endpoint_id)
        return self.subscribed(endpoint, standing(endpoint, found), found.events), found


def standing(endpoint: Endpoint, subscription: Subscription) -> str:
    """R4's status: it is off while a person keeps it so, and in error while it refuses."""
    if endpoint.paused:
        return "off" if endpoint.paused == BY_HAND else "error"
    return subscription.status


BY_HAND = "by_hand"
_CODES = {
    "tls": "its certificate is not to be trusted; give authority_pem if it has one of its own",
    "name_not_found": "its host name is not known",
    "address_forbidden": "its address is not public, and is not in EMR_ALLOWED_NETWORKS",
    "timeout": "it did not answer the handshake in time",
    "no_connection": "nobody answers at its address",
}


def _refusal(answer: Answer) -> str:
    told = answer.fault or f"status {answer.status}"
    return _CODES.get(told, f"it must answer the handshake with 2xx, and does not ({told})")
