"""What this service can be told."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import NatsUrl, PostgresDsn, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PROJECTIONS_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of the read models")
    nats_url: NatsUrl = Field(description="NATS server with JetStream that carries the log")
    eventstore_address: str = Field(
        pattern=r"^\S+:\d+$", description="host:port of the event store"
    )
    log_stream: str = Field("LOG", description="JetStream stream that carries the log")
    subject_prefix: str = Field("log", description="first token of the log's subjects")
    max_batch_events: int = Field(500, ge=1, le=10_000, description="events folded at once")
    admins: str = Field(
        "cli", description="services that may rebuild, and see to streams held back, with commas"
    )
    watch_interval_ms: int = Field(
        100, ge=1, le=10_000, description="least time between two looks of a watch"
    )
    watch_tick_ms: int = Field(
        1000,
        ge=10,
        le=60_000,
        description="time after which it is looked for changes although this process folds none",
    )
    watch_heartbeat_ms: int = Field(
        15_000,
        ge=10,
        le=300_000,
        description="time after which a watcher hears that nothing changed",
    )
    max_watches: int = Field(1000, ge=1, le=100_000, description="watches open at once")
