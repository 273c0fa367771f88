"""What this service can be told."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import FollowSettings, FrontSettings, PostgresDsn


class Settings(FrontSettings, FollowSettings):
    model_config = SettingsConfigDict(env_prefix="POLICY_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of rules and alerts")
    patients_in_memory: int = Field(
        5000, ge=1, description="patients whose fold is kept in memory; others are folded again"
    )
    tick_ms: int = Field(
        1000, ge=10, le=60_000, description="least time between two looks for timers that are due"
    )
    feedback_within_ms: int = Field(
        10_000, ge=100, le=60_000, description="time after which a cue comes too late to be said"
    )
    emergency_patience_ms: int = Field(
        100,
        ge=0,
        le=10_000,
        description="time that the fold has to come to an event, before it is looked at whether it "
        "is an emergency",
    )
    daily_budget: int = Field(
        20,
        ge=1,
        le=10_000,
        description="alerts of which a therapist is told at once in a day; more are in the digest. "
        "Critical alerts and emergencies are not counted",
    )
    budget_zone: str = Field(
        "UTC", description="IANA zone in which the days of budgets are counted"
    )
    grouped_h: float = Field(
        4,
        ge=0,
        le=168,
        description="hours in which another alert of a patient is shown with one that is open",
    )
    rule_admins: str = Field(
        "",
        description="accounts that may change rules, with commas; every administrator when empty, "
        "in development only",
    )
    max_watches: int = Field(1000, ge=1, le=100_000, description="watches open at once")
    backtest_events: int = Field(
        2000, ge=1, le=10_000, description="events that a backtest reads at once"
    )

    @field_validator("budget_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be a zone of the IANA database") from None
        return zone

    def may_change_rules(self, account_id: str) -> bool:
        named = {name.strip() for name in self.rule_admins.split(",")} - {""}
        return account_id in named or (not named and self.environment == "development")
