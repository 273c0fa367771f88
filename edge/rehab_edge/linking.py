"""Who the device is, whose it is, and where the clinic answers: options that commands share."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

import grpc

from rehab_edge.errors import EdgeError
from rehab_edge.outbox import Home, SealedFile, device_key
from rehab_edge.scribe import event_id
from rehab_sdk import AsyncRehab, DeviceKey, Options, StreamOptions, dev_token, events
from rehab_sdk.events import Actor, Context, ProvenanceName, Source
from rehab_sdk.outbox import Outbox as SdkOutbox

DEVELOPMENT_THERAPIST = "rehab-edge-desk"
Connected = AbstractAsyncContextManager[AsyncRehab]
SYSTEM = "system"
"""In the place of a file: the authorities that this machine trusts."""
OPTIONS = Options(
    stream=StreamOptions(send_timeout_s=2.0, close_timeout_s=0.5, spooled_flush_timeout_s=0.0)
)
"""Nobody who exercises waits for the clinic: what waits is on the disk."""
BEFORE = timedelta(hours=1)


@dataclass(frozen=True)
class Link:
    """Without a device's key the clinic is one in development, which believes whoever says who they
    are; there the patient is admitted first, for the log takes nothing without a consent."""

    folder: Path
    clinic: str
    patient: str
    consent: str
    zone: str
    device_id: str
    ingest: tuple[str, ...]
    projections: tuple[str, ...]
    identity: tuple[str, ...]
    key: DeviceKey | None = field(default=None, repr=False)
    ca: str = ""

    def __post_init__(self) -> None:
        """Raises EdgeError where patients' data would cross the network in the clear."""
        self._credentials()

    @property
    def home(self) -> Home:
        return Home(self.folder, self.device_id)

    def context(self, provenance: ProvenanceName, model_id: str = "") -> Context:
        source = Source("rehab-edge", version("rehab-edge"), model_id=model_id)
        return Context(
            self.clinic,
            Actor(self.patient, "patient"),
            self.device_id,
            self.consent,
            self.zone,
            provenance=provenance,
            source=source,
        )

    def connect(self, *, outbox: SdkOutbox | None = None) -> Connected:
        return AsyncRehab.connect(
            ingest=_one_or_many(self.ingest),
            projections=_one_or_many(self.projections),
            identity=_one_or_many(self.identity),
            token=self.key or dev_token("patient", self.clinic, self.patient),
            clinic_id=self.clinic,
            device_id=self.device_id,
            actor=Actor(self.patient, "patient"),
            consent_id=self.consent,
            zone=self.zone,
            credentials=self._credentials(),
            options=OPTIONS,
            outbox=outbox,
        )

    def _credentials(self) -> grpc.ChannelCredentials | None:
        return channel_credentials(self.ca, (*self.ingest, *self.projections, *self.identity))

    async def admit(self, since: datetime) -> None:
        """In development: the patient agrees, enrols and is treated. Told again it is known.
        Raises RehabError."""
        async with AsyncRehab.connect(
            ingest=_one_or_many(self.ingest),
            projections=_one_or_many(self.projections),
            token=dev_token("therapist", self.clinic, DEVELOPMENT_THERAPIST),
            consent_id=self.consent,
            credentials=self._credentials(),
        ) as desk:
            bodies = (
                events.consent_granted(self.consent, valid_from=since),
                events.enrolled(self.zone),
                events.care_team(DEVELOPMENT_THERAPIST, primary=True),
            )
            for number, body in enumerate(bodies):
                event = desk.event(self.patient, body, occurred_at=since)
                own = f"{self.clinic}:{self.patient}:{self.consent}:{self.zone}"
                event.envelope.event_id = event_id(f"admission:{own}:{number}", since)
                await desk.log(event)

    def admitting(self, since: datetime) -> Admitting:
        return Admitting(self, since)


def channel_credentials(ca: str, addresses: tuple[str, ...]) -> grpc.ChannelCredentials | None:
    """None for channels in the clear, which are for this machine alone. Raises EdgeError."""
    if ca == SYSTEM:
        return grpc.ssl_channel_credentials()
    if ca:
        try:
            return grpc.ssl_channel_credentials(Path(ca).read_bytes())
        except OSError as error:
            raise EdgeError(f"{ca}: {error.strerror}") from None
    far = [one for one in addresses if not _here(one)]
    if far:
        raise EdgeError(
            f"patients' data does not go to {far[0]} in the clear; tell the authority of its "
            "certificate with --ca FILE, or --ca system"
        )
    return None


class Admitting:
    """`connect` of a link which sees to it that the patient is admitted before anything is sent."""

    def __init__(self, link: Link, since: datetime) -> None:
        self._link = link
        self._since = since
        self._admitted = link.key is not None

    def __call__(self, *, outbox: SdkOutbox | None = None) -> Connected:
        return self._connected(outbox)

    @asynccontextmanager
    async def _connected(self, outbox: SdkOutbox | None) -> AsyncIterator[AsyncRehab]:
        if not self._admitted:
            await self._link.admit(self._since)
            self._admitted = True
        async with self._link.connect(outbox=outbox) as client:
            yield client


def admitted_since(home: Home, first: datetime) -> datetime:
    """The same at every start of the device, and before the first session that it tells."""
    memory = home.remembered("admission")
    held = memory.load()
    if "since" not in held or datetime.fromisoformat(held["since"]) > first:
        held = {"since": (first - BEFORE).astimezone(UTC).isoformat()}
        memory.save(held)
    return datetime.fromisoformat(held["since"])


def account(folder: Path) -> SealedFile:
    """Where an enrolled device keeps what it logs in with."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise EdgeError(f"{folder}: {error.strerror}") from None
    return SealedFile(folder / "account", device_key(folder / "device.key"))


def enrolled(folder: Path) -> DeviceKey | None:
    """None before the device was enrolled. Raises EdgeError."""
    held = account(folder).load()
    if not held:
        return None
    return DeviceKey(
        held["device_id"], base64.b64decode(held["key"]), held["clinic_id"], held["patient_id"]
    )


def remember(folder: Path, key: DeviceKey) -> None:
    assert isinstance(key.key, bytes)
    account(folder).save(
        {
            "device_id": key.device_id,
            "key": base64.b64encode(key.key).decode(),
            "clinic_id": key.clinic_id,
            "patient_id": key.patient_id,
        }
    )


def _one_or_many(addresses: tuple[str, ...]) -> str | tuple[str, ...]:
    return addresses[0] if len(addresses) == 1 else addresses


def _here(address: str) -> bool:
    host = address.rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
