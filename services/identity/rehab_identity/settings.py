"""What this service can be told."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import NatsUrl, PostgresDsn, ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="IDENTITY_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of accounts and decisions")
    nats_url: NatsUrl = Field(description="NATS server with JetStream that carries the log")
    eventstore_address: str = Field(
        pattern=r"^\S+:\d+$", description="host:port of the event store"
    )
    log_stream: str = Field("LOG", description="JetStream stream that carries the log")
    subject_prefix: str = Field("log", description="first token of the log's subjects")
    max_batch_events: int = Field(500, ge=1, le=5000, description="events folded at once")
    audit_covered_s: float = Field(
        60,
        gt=0,
        le=3600,
        description="time in which the same access to the same patient has one audit event",
    )
    audit_ms: int = Field(
        5, ge=0, le=1000, description="least time between two commits of audit events"
    )
    emergency_review_h: float = Field(
        72, gt=0, le=8760, description="hours in which emergency access is to be reviewed"
    )
    revocations_kept_s: int = Field(
        3600,
        ge=120,
        le=604_800,
        description="time for which revocations are told anew: at least the life of a token",
    )
    key_file: Path = Field(
        description="file of the key that seals persons' data; made when missing, readable by the "
        "service alone"
    )
