"""What this service can be told."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import FollowSettings, FrontSettings, PostgresDsn, ValkeyUrlOrOff


class Settings(FollowSettings, FrontSettings):
    model_config = SettingsConfigDict(env_prefix="PROJECTIONS_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of the read models")
    admins: str = Field(
        "cli", description="services that may rebuild, and see to streams held back, with commas"
    )
    replica: str = Field(
        "",
        max_length=200,
        description="name of this replica, unlike any other's and the same after a restart;"
        " host and listen address when empty",
    )
    lease_s: float = Field(
        2,
        ge=0.3,
        le=60,
        description="seconds after which others fold what a replica folded that was lost",
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
        le=30_000,
        description="time after which a watcher hears that nothing changed",
    )
    valkey_url: ValkeyUrlOrOff = Field(
        "", description="Valkey that keeps answers, sealed, for who asks the same; empty for none"
    )
    kept_answers_key: SecretStr = Field(
        SecretStr(""),
        description="secret that seals kept answers, 32 characters or more; replicas that share it "
        "share answers. Empty: each process has a key of its own, gone when it ends",
    )
    kept_answers_live_ms: int = Field(
        5000, ge=0, le=60_000, description="how long an answer as of now is good; 0 for not at all"
    )
    max_watches: int = Field(1000, ge=1, le=100_000, description="watches open at once")

    @field_validator("kept_answers_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more")
        return key
