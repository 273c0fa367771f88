"""A system that is notified and pulls, as it is run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.validation import problems
from tests.emr.given import CLINIC
from tests.emr.house import VERIFY, WAIT_S, House, Place, Receiver, housed
from tests.support.ports import low_port

FULL = pb.NOTIFICATION_CONTENT_FULL_RESOURCE
EMPTY = pb.NOTIFICATION_CONTENT_EMPTY


@dataclass(frozen=True)
class Event:
    number: int
    at: str
    focus: str
    beside: str


@dataclass(frozen=True)
class Notice:
    """A notification, and how it was answered."""

    answer: str
    authorization: str
    bundle: Mapping[str, Any]

    @property
    def stands(self) -> Mapping[str, Any]:
        """Its status' parameters but the events."""
        told = self.bundle["entry"][0]["resource"]["parameter"]
        named = [one for one in told if one["name"] != "notification-event"]
        return {
            one["name"]: next(told for name, told in one.items() if name != "name") for one in named
        }

    @property
    def kind(self) -> str:
        return str(self.stands["type"])

    @property
    def events(self) -> Sequence[Event]:
        told = self.bundle["entry"][0]["resource"]["parameter"]
        return [_event(one["part"]) for one in told if one["name"] == "notification-event"]

    @property
    def resources(self) -> Sequence[Mapping[str, Any]]:
        return [one["resource"] for one in self.bundle["entry"][1:] if "resource" in one]


def _event(parts: Sequence[Mapping[str, Any]]) -> Event:
    told = {one["name"]: one for one in parts}

    def place(name: str) -> str:
        return str(told[name]["valueReference"]["reference"]) if name in told else ""

    return Event(
        int(told["event-number"]["valueString"]),
        told["timestamp"]["valueInstant"],
        place("focus"),
        place("additional-context"),
    )


class Hook(Receiver):
    """Takes notifications in a process of its own."""

    module = "tests.support.subscriber"

    async def ask(self, path: str, told: Any = None) -> Any:
        async with httpx.AsyncClient(verify=VERIFY, timeout=WAIT_S) as client:
            url = self.url.removesuffix("/hook") + path
            answer = await (client.get(url) if told is None else client.post(url, json=told))
        answer.raise_for_status()
        return answer.json()

    async def says(self, *script: str) -> None:
        """What it answers next, one after another; then 200."""
        await self.ask("/_script", list(script))

    async def notices(self) -> list[Notice]:
        """All that it was told, whatever it answered. Each is what the guide says it is."""
        found = [
            Notice(one["answer"], one["authorization"], one["bundle"])
            for one in await self.ask("/_told")
        ]
        for one in found:
            assert problems(one.bundle) == ()
        return found

    async def until(self, is_so: Callable[[list[Notice]], bool]) -> list[Notice]:
        found: list[Notice] = []
        try:
            async with asyncio.timeout(WAIT_S):
                while not is_so(found := await self.notices()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            told = [(one.kind, one.answer, [each.number for each in one.events]) for one in found]
            raise AssertionError(f"it is not so of {told}") from None
        return found

    async def until_told(self, last: int) -> list[Notice]:
        """Until it has taken the event with that number, and all before it."""
        return await self.until(lambda found: taken(found) >= set(range(1, last + 1)))


def taken(notices: Sequence[Notice]) -> set[int]:
    return {event.number for one in notices if one.answer == "200" for event in one.events}


def require_one_meaning(notices: Sequence[Notice]) -> dict[int, Event]:
    """Events by number: each was told with one meaning, however often, and without a gap."""
    known: dict[int, Event] = {}
    for event in all_events(notices):
        assert known.setdefault(event.number, event) == event
        assert event.number == 1 or event.number - 1 in known
    assert sorted(known) == list(range(1, len(known) + 1))
    return known


def all_events(notices: Sequence[Notice]) -> Iterator[Event]:
    return (event for one in notices for event in one.events)


@dataclass(frozen=True)
class Puller:
    """Reads the façade by a token."""

    base: str
    token: str

    async def get(self, path: str, **told: Any) -> httpx.Response:
        """`path` below the base, or a whole URL."""
        url = path if path.startswith("http") else f"{self.base}/{path}"
        shown = f"Bearer {self.token}".encode("latin-1")
        headers = {"authorization": shown} if self.token else {}
        async with httpx.AsyncClient(verify=VERIFY, timeout=WAIT_S) as client:
            headers |= told.pop("headers", {})
            return await client.get(url, headers=headers, params=told or None)

    async def read(self, path: str, **told: Any) -> Any:
        answer = await self.get(path, **told)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/fhir+json"
        return answer.json()

    async def post(self, path: str, body: str | AsyncIterator[bytes]) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(verify=VERIFY, timeout=WAIT_S) as client:
            return await client.post(f"{self.base}/{path}", headers=headers, content=body)

    async def refused(self, path: str, **told: Any) -> tuple[int, str]:
        """The status, and the code of the OperationOutcome."""
        answer = await self.get(path, **told)
        body = answer.json()
        assert body["resourceType"] == "OperationOutcome"
        return answer.status_code, body["issue"][0]["code"]


@dataclass(frozen=True)
class PullHouse:
    house: House
    hook: Hook

    async def register(
        self, endpoint_id: str = "hospital", content: int = 0, heartbeat_s: int = 0, **told: Any
    ) -> Puller:
        answer = await self.registered(endpoint_id, content, heartbeat_s, **told)
        return Puller(answer.fhir_base, answer.pull_token)

    async def registered(
        self, endpoint_id: str = "hospital", content: int = 0, heartbeat_s: int = 0, **told: Any
    ) -> pb.RegisterEndpointResponse:
        auth = {name: told.pop(name) for name in ("bearer", "smart") if name in told}
        clinic = told.pop("clinic_id", CLINIC)
        usual = {"base_url": self.hook.url, "requests_per_second": 500}
        notify = pb.Notify(
            content=pb.NotificationContent.ValueType(content), heartbeat_s=heartbeat_s
        )
        endpoint = pb.Endpoint(
            endpoint_id=endpoint_id, clinic_id=clinic, notify=notify, **usual | told
        )
        request = pb.RegisterEndpointRequest(clinic_id=clinic, endpoint=endpoint, **auth)
        answer: pb.RegisterEndpointResponse = await self.house.asks("RegisterEndpoint", request)
        return answer

    async def subscription(self, endpoint_id: str = "hospital") -> pb.GetSubscriptionResponse:
        request = pb.GetSubscriptionRequest(clinic_id=CLINIC, endpoint_id=endpoint_id)
        answer: pb.GetSubscriptionResponse = await self.house.asks("GetSubscription", request)
        return answer

    async def until_status(self, status: str) -> pb.GetSubscriptionResponse:
        async with asyncio.timeout(WAIT_S):
            while (found := await self.subscription()).status != status:
                await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def pull_housed(place: Place, **told: Any) -> AsyncIterator[PullHouse]:
    port = low_port()
    usual = {"http_listen": f"127.0.0.1:{port}", "pull_url": f"http://localhost:{port}/fhir"}
    async with housed(place, made=Hook, **usual | told) as house:
        assert isinstance(house.receiver, Hook)
        yield PullHouse(house, house.receiver)
