"""The service, an event store and a receiver, as they are run."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import httpx

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.emr.v1.emr_service_pb2_grpc import EmrServiceStub
from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab_emr import main as emr_main
from rehab_emr.settings import Settings
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import from_rpc_error
from rehab_runtime.eventlog import EventLog
from tests.emr.given import CLINIC

WAIT_S = 60.0
BASE = "https://rehab.test"
VERIFY = ssl.create_default_context()
"""Made once: to read all public authorities for each question takes longer than the question."""


@dataclass(frozen=True)
class Place:
    """Where one test's services keep their things: nothing is shared with another test."""

    postgres: Postgres
    nats_url: str
    folder: Path
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    def eventstore(self) -> EventstoreSettings:
        return EventstoreSettings(
            postgres_dsn=self.postgres.dsn(f"eventstore_{self.name}"),
            nats_url=self.nats_url,
            log_stream=f"LOG_{self.name}",
            subject_prefix=f"log_{self.name}",
            metrics_listen="",
            drain_s=1,
        )

    @property
    def emr_dsn(self) -> str:
        return self.postgres.dsn(f"emr_{self.name}")

    def emr(self, address: str, **told: Any) -> dict[str, Any]:
        usual: dict[str, Any] = {
            "postgres_dsn": self.emr_dsn,
            "nats_url": self.nats_url,
            "eventstore_address": address,
            "log_stream": f"LOG_{self.name}",
            "subject_prefix": f"log_{self.name}",
            "metrics_listen": "",
            "drain_s": 1,
            "key_file": str(self.folder / "emr-keys.json"),
            "allowed_networks": ["127.0.0.0/8"],
            "fhir_base": BASE,
            "gather_ms": 20,
            "tick_ms": 20,
            "request_timeout_ms": 2000,
            "lease_ms": 2000,
            "search_lag_ms": 100,
            "retry_ms": 20,
            "retry_most_ms": 200,
            "breaker_ms": 50,
            "pulls_per_second": 1000,
        }
        return usual | told


class Receiver:
    """A FHIR server in a process of its own; `url` is its base."""

    module = "tests.support.fhir_server"

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.url = ""
        self.verify = VERIFY
        self._options = options
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """On the port that it had before, if it had one."""
        port = self.url.rpartition(":")[2].partition("/")[0] if self.url else "0"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", self.module, str(self.folder)),
            *("--port", port, *self._options),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.url = json.loads(await self._process.stdout.readline())["url"]

    async def kill(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def ask(self, path: str, told: Any = None) -> Any:
        root = self.url.removesuffix("/fhir")
        async with httpx.AsyncClient(verify=self.verify) as client:
            answer = await (
                client.get(f"{root}{path}")
                if told is None
                else client.post(f"{root}{path}", json=told)
            )
        answer.raise_for_status()
        return answer.json()

    async def goes_wrong(self, **faults: Any) -> None:
        await self.ask("/_faults", faults)

    async def observations(self) -> list[dict[str, Any]]:
        return list(await self.ask("/_all/Observation"))

    async def counts(self) -> Mapping[str, int]:
        return dict(await self.ask("/_counts"))

    async def knows(self, patient_id: str, **told: Any) -> None:
        """A Patient, whose id there is the patient's with r- before it."""
        identifier = [{"system": "urn:rehab:patients", "value": patient_id}]
        patient = {"resourceType": "Patient", "id": f"r-{patient_id}", "identifier": identifier}
        await self.ask("/_put", patient | told)


class Log:
    """The log as other services write and read it."""

    def __init__(self, connection: grpc.aio.Channel) -> None:
        self.connection = connection
        self.client = EventLog(connection, service_principal("cli"))

    async def append(self, *events: Event) -> None:
        appends = []
        for event in events:
            request = store_pb.AppendRequest(stream=event.envelope.subject_id)
            request.expected.any.SetInParent()
            request.events.add(envelope=event.envelope, body=event.body.SerializeToString())
            appends.append(request)
        verdicts = await self.client.batch_append(appends)
        assert all(one.HasField("appended") for one in verdicts), verdicts


class Asks:
    """Asks the service as the suite does; raises the RehabError that was answered."""

    def __init__(self, connection: grpc.aio.Channel) -> None:
        self.stub = EmrServiceStub(connection)
        self.metadata = (bearer(service_principal("cli")),)

    async def __call__(self, rpc: str, request: Any) -> Any:
        try:
            return await getattr(self.stub, rpc)(request, metadata=self.metadata, timeout=WAIT_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


@dataclass(frozen=True)
class House:
    place: Place
    log: Log
    asks: Asks
    receiver: Receiver

    async def register(self, endpoint_id: str = "hospital", **told: Any) -> pb.Endpoint:
        auth = {name: told.pop(name) for name in ("bearer", "smart", "certificate") if name in told}
        usual = {"base_url": self.receiver.url, "requests_per_second": 500, "concurrency": 8}
        endpoint = pb.Endpoint(endpoint_id=endpoint_id, clinic_id=CLINIC, **usual | told)
        request = pb.RegisterEndpointRequest(clinic_id=CLINIC, endpoint=endpoint, **auth)
        answer = await self.asks("RegisterEndpoint", request)
        return answer.endpoint

    async def link(self, patient_id: str, endpoint_id: str = "hospital") -> None:
        request = pb.LinkPatientRequest(
            patient_id=patient_id, endpoint_id=endpoint_id, remote_id=f"r-{patient_id}"
        )
        async with asyncio.timeout(WAIT_S):
            while not await self.known(patient_id):
                await asyncio.sleep(0.02)
        await self.asks("LinkPatient", request)

    async def known(self, patient_id: str) -> bool:
        query = "SELECT 1 FROM patient WHERE patient_id = $1"
        return bool(await stored(self.place, query, patient_id))

    async def deliveries(self, **asked: Any) -> list[pb.Delivery]:
        request = pb.ListDeliveriesRequest(clinic_id=CLINIC, page_size=1000, **asked)
        return list((await self.asks("ListDeliveries", request)).deliveries)

    async def until(
        self, is_so: Callable[[list[pb.Delivery]], bool], wait_s: float = WAIT_S
    ) -> list[pb.Delivery]:
        """The deliveries once it is so of them; fails when it is not in time."""
        found: list[pb.Delivery] = []
        try:
            async with asyncio.timeout(wait_s):
                while not is_so(found := await self.deliveries()):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            states = Counter((pb.DeliveryState.Name(one.state), one.reason) for one in found)
            status = await self.asks("GetStatus", pb.GetStatusRequest(clinic_id=CLINIC))
            raise AssertionError(f"it is not so of {states}; {status}") from None
        return found

    async def until_all(self, state: str, least: int = 1) -> list[pb.Delivery]:
        wanted = pb.DeliveryState.Value(f"DELIVERY_STATE_{state.upper()}")
        return await self.until(
            lambda found: len(found) >= least and all(one.state == wanted for one in found)
        )

    async def status(self, endpoint_id: str = "hospital") -> pb.EndpointStatus:
        answer = await self.asks("GetStatus", pb.GetStatusRequest(clinic_id=CLINIC))
        return next(one for one in answer.endpoints if one.endpoint_id == endpoint_id)

    async def disclosures(self, patient_id: str) -> list[pb.Disclosure]:
        request = pb.ListDisclosuresRequest(patient_id=patient_id)
        return list((await self.asks("ListDisclosures", request)).disclosures)


async def stored(place: Place, query: str, *values: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(place.emr_dsn)
    try:
        return list(await connection.fetch(query, *values))
    finally:
        await connection.close()


@asynccontextmanager
async def receiving(
    folder: Path, *options: str, made: type[Receiver] = Receiver
) -> AsyncIterator[Receiver]:
    receiver = made(folder, options)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.kill()


@asynccontextmanager
async def eventstore(place: Place) -> AsyncIterator[tuple[Log, str]]:
    async with (
        eventstore_main.running(place.eventstore()) as store,
        channel(store.address) as connection,
    ):
        yield Log(connection), store.address


@asynccontextmanager
async def housed(
    place: Place, *options: str, made: type[Receiver] = Receiver, **told: Any
) -> AsyncIterator[House]:
    async with (
        eventstore(place) as (log, address),
        receiving(place.folder / "receiver", *options, made=made) as receiver,
        emr_main.running(Settings(**place.emr(address, **told))) as service,
        channel(service.address) as connection,
    ):
        try:
            yield House(place, log, Asks(connection), receiver)
        finally:
            if service.background.fallen.done():
                raise service.background.fallen.result()
