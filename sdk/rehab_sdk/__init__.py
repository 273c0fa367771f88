"""Client for RehabTrack: stream what a device sees, read what therapists see.

`AsyncRehab` is the client, `Rehab` the same without an event loop. Bodies of events are made by
`rehab_sdk.events`, errors are in `rehab_sdk.errors`. Everything here is typed; answers are the
messages of `rehab.projections.v1`, whose fields are described in the contract.
"""

from rehab_sdk import errors, events
from rehab_sdk.auth import dev_token
from rehab_sdk.blocking import Rehab
from rehab_sdk.client import AsyncRehab
from rehab_sdk.credentials import ApiKey, DeviceKey, Password, RefreshToken
from rehab_sdk.enrolment import enrol_device
from rehab_sdk.errors import RehabError, Rejected
from rehab_sdk.events import Actor, Context, Source
from rehab_sdk.machine import Acked
from rehab_sdk.options import Backoff, Options, StreamOptions
from rehab_sdk.outbox import MemoryOutbox, Outbox, Refusal
from rehab_sdk.receipt import Receipt
from rehab_sdk.session import AsyncSession
from rehab_sdk.stream import Stream
from rehab_sdk.tokens import FileTokenStore, MemoryTokenStore, TokenStore
from rehab_sdk.writes import Stored

__all__ = [
    "Acked",
    "Actor",
    "ApiKey",
    "AsyncRehab",
    "AsyncSession",
    "Backoff",
    "Context",
    "DeviceKey",
    "FileTokenStore",
    "MemoryOutbox",
    "MemoryTokenStore",
    "Options",
    "Outbox",
    "Password",
    "Receipt",
    "RefreshToken",
    "Refusal",
    "Rehab",
    "RehabError",
    "Rejected",
    "Source",
    "Stored",
    "Stream",
    "StreamOptions",
    "TokenStore",
    "dev_token",
    "enrol_device",
    "errors",
    "events",
]
