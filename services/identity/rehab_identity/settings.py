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
    key_file: Path = Field(
        description="file of the key that seals persons' data; made when missing, readable by the "
        "service alone"
    )
