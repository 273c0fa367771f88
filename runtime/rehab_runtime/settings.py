"""Settings: read once from the environment, typed, every wrong one named in one message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

S = TypeVar("S", bound="ServiceSettings")


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message names them all."""


class ServiceSettings(BaseSettings):
    """What every service can be told. A subclass chooses the prefix of its variables."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    listen: str = Field(
        "127.0.0.1:0",
        pattern=r"^\S+:\d+$",
        description="host:port of gRPC; port 0 takes a free one",
    )
    metrics_listen: str = Field(
        "127.0.0.1:0",
        pattern=r"^(\S+:\d+)?$",
        description="host:port of Prometheus metrics; empty for none",
    )
    environment: Literal["development", "production"] = Field(
        "development",
        description="production refuses development credentials and turns reflection off",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level logged"
    )
    log_json: bool = Field(True, description="log lines as JSON; otherwise for people")
    drain_s: float = Field(
        10, ge=0, le=600, description="seconds for open calls to end at a graceful stop"
    )
    max_concurrent_rpcs: int = Field(
        2000, ge=1, description="calls served at once; more are refused"
    )

    @property
    def reflection(self) -> bool:
        return self.environment == "development"


@dataclass(frozen=True)
class Described:
    """One setting as documentation shows it."""

    variable: str
    type: str
    default: str
    description: str


def prefix_of(settings: type[ServiceSettings]) -> str:
    return str(settings.model_config.get("env_prefix", ""))


def load(settings: type[S]) -> S:
    """Read the environment once. SettingsError names every missing or wrong variable and its rule,
    never a value."""
    try:
        return settings()
    except ValidationError as error:
        prefix = prefix_of(settings)
        lines = [
            f"  {_variable(prefix, item['loc'])}: {_rule(item['msg'], item['type'])}"
            for item in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("these settings are missing or wrong:\n" + "\n".join(lines)) from None


def _variable(prefix: str, path: tuple[int | str, ...]) -> str:
    """The variable of a field; a rule over several has none of its own."""
    return prefix + ".".join(str(part) for part in path).upper() if path else prefix + "*"


def _rule(message: str, kind: str) -> str:
    return "is missing" if kind == "missing" else message[0].lower() + message[1:]


def describe(settings: type[ServiceSettings]) -> Iterator[Described]:
    for name, field in settings.model_fields.items():
        secret = field.annotation is SecretStr
        default = "required" if field.is_required() else "" if secret else repr(field.default)
        kind = getattr(field.annotation, "__name__", str(field.annotation))
        yield Described(
            f"{prefix_of(settings)}{name.upper()}", kind, default, field.description or ""
        )
