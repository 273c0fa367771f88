"""What this service can be told."""

from __future__ import annotations

from pydantic import Field, IPvAnyNetwork, field_validator
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import (
    BoxSettings,
    FollowSettings,
    FrontSettings,
    HostPortOrOff,
    PostgresDsn,
)


class Settings(BoxSettings, FrontSettings, FollowSettings):
    model_config = SettingsConfigDict(env_prefix="EMR_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of endpoints and deliveries")
    http_listen: HostPortOrOff = Field(
        "",
        description="host:port of /.well-known/jwks.json, which receivers read, and of /fhir, "
        "where those pull that are notified; empty for none",
    )
    pull_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/]+(/[^\s?#]*[^\s/?#])?)?$",
        description="URL at which receivers reach /fhir of EMR_HTTP_LISTEN, such as "
        "https://share.clinic.example/fhir; empty for EMR_FHIR_BASE with /fhir behind it",
    )
    fhir_base: str = Field(
        "https://rehabtrack.example",
        pattern=r"^https?://[^\s/]+(/[^\s]*[^\s/])?$",
        description="URL that begins the systems of our identifiers and codes; never change it, or "
        "receivers take everything for new",
    )
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        (),
        description="networks that are not public where endpoints may be, as JSON: "
        '["10.1.0.0/16"]. Plain HTTP goes to loopback only, where that is among them',
    )
    patients_in_memory: int = Field(
        2000, ge=1, description="patients whose fold is kept in memory; others are folded again"
    )
    gather_ms: int = Field(
        2000,
        ge=0,
        le=600_000,
        description="time after an event in which more of the patient is waited for, to be sent "
        "together",
    )
    tick_ms: int = Field(
        500, ge=10, le=60_000, description="longest time between two looks for what is due"
    )
    request_timeout_ms: int = Field(
        30_000, ge=50, le=600_000, description="time in which a receiver is to answer"
    )
    lease_ms: int = Field(
        15_000,
        ge=100,
        le=600_000,
        description="time beyond the receiver's in which the rest of one sending is done; a "
        "process that falls keeps the patients it was sending for so long, and the receiver's time",
    )
    search_lag_ms: int = Field(
        5000,
        ge=0,
        le=600_000,
        description="time after an unanswered create in which the search of a receiver that takes "
        "no conditional create may not find what it stored",
    )
    retry_ms: int = Field(
        2000, ge=1, le=3_600_000, description="time before the first retry, doubled each time"
    )
    retry_most_ms: int = Field(
        900_000, ge=1, le=86_400_000, description="longest time between two retries"
    )
    most_attempts: int = Field(
        10,
        ge=1,
        le=1000,
        description="attempts at a resource that the receiver refuses for now, while it takes "
        "others; then it is dead. A receiver that is away counts for nothing",
    )
    breaker_failures: int = Field(
        5, ge=1, le=1000, description="requests that fail in a row before an endpoint is left alone"
    )
    breaker_ms: int = Field(
        10_000, ge=1, le=3_600_000, description="time for which it is left alone at first"
    )
    statement_h: float = Field(
        24,
        gt=0,
        le=8760,
        description="hours after which a receiver's CapabilityStatement is read again",
    )
    statement_doubt_s: float = Field(
        60,
        ge=0,
        le=86_400,
        description="seconds after a look at it in which a refusal is no reason for another one",
    )
    signing_key_d: float = Field(
        90, gt=0, le=3650, description="days after which a new key signs assertions"
    )
    signing_lead_s: float = Field(
        86_400,
        ge=0,
        le=2_592_000,
        description="seconds for which a new signing key is told before it signs",
    )
    pulls_per_second: float = Field(
        20,
        gt=0,
        le=10_000,
        description="requests of one system that pulls, in each process; of four seconds at once",
    )
    max_watches: int = Field(1000, ge=1, le=100_000, description="watches open at once")

    @property
    def facade(self) -> str:
        """Where systems pull; empty while nothing is served."""
        return (self.pull_url or f"{self.fhir_base}/fhir") if self.http_listen else ""

    @field_validator("allowed_networks")
    @classmethod
    def _not_everything(cls, told: tuple[IPvAnyNetwork, ...]) -> tuple[IPvAnyNetwork, ...]:
        if any(network.prefixlen == 0 for network in told):
            raise ValueError("must not be every address: then any URL could reach anything")
        return told
