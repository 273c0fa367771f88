"""What this service can be told."""

from __future__ import annotations

import secrets
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from rehab_runtime.limits import Bucket, Limits
from rehab_runtime.settings import FrontSettings, PostgresDsn, Replicas, ValkeyUrlOrOff


class Settings(FrontSettings):
    model_config = SettingsConfigDict(env_prefix="INGEST_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of the devices' cursors")
    eventstore_address: Replicas = Field(
        description="host:port of the event store, or of its replicas with commas"
    )
    window_events: int = Field(
        1000, ge=1, le=100_000, description="events a device may have unacknowledged"
    )
    max_batch_events: int = Field(
        500, ge=1, le=10_000, description="events in one batch of a device"
    )
    max_event_bytes: int = Field(262_144, ge=1024, le=1_000_000, description="bytes of one event")
    max_streams: int = Field(1500, ge=1, description="devices streaming at once; more are refused")
    queue_appends: int = Field(5000, ge=1, description="appends that may wait for the event store")
    flush_ms: int = Field(100, ge=1, le=60_000, description="how often devices' cursors are saved")
    valkey_url: ValkeyUrlOrOff = Field(
        "", description="Valkey that counts what callers do, over all replicas; empty: each counts"
    )
    replicas: int = Field(
        1, ge=1, le=1000, description="replicas that share the limits while Valkey is away"
    )
    caller_requests: float = Field(
        500, gt=0, description="calls and batches of one caller a second; twice that at once"
    )
    caller_bytes: float = Field(
        8_000_000, gt=0, description="bytes of one caller a second; twice that at once"
    )
    hello_s: float = Field(10, gt=0, le=600, description="seconds for a device to say hello")
    idle_s: float = Field(
        900, gt=0, description="seconds without a message after which a device is sent away"
    )
    max_age_s: float = Field(
        3600, gt=0, description="seconds after which a device connects anew, so that load spreads"
    )
    call_timeout_s: float = Field(5, gt=0, le=60, description="time a simple call may take")
    resume_token_key: SecretStr = Field(
        SecretStr(""),
        description="signs resume tokens; the same on all replicas, required in production",
    )

    @model_validator(mode="after")
    def _key_in_production(self) -> Self:
        if self.environment == "production" and not self.resume_token_key.get_secret_value():
            raise ValueError("RESUME_TOKEN_KEY is required in production")
        return self

    def limits(self) -> Limits:
        """Of one caller."""
        requests, size = self.caller_requests, self.caller_bytes
        return Limits(Bucket(requests, 2 * requests), Bucket(size, 2 * size))

    def token_key(self) -> bytes:
        """The signing key; in development a random one, known to this process only."""
        return (self.resume_token_key.get_secret_value() or secrets.token_urlsafe(32)).encode()
