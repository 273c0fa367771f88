"""Settings: read once from the environment, typed, every wrong one named in one message."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Self, TypeVar, Union, get_args, get_origin
from urllib.parse import SplitResult, urlsplit

import pydantic_settings
from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rehab_runtime.startup import split, targets
from rehab_runtime.tls import Tls

S = TypeVar("S", bound="ServiceSettings")


class SettingsError(Exception):
    """One or more settings are missing or wrong; the message names them all."""


def _listenable(value: str) -> str:
    split(value)
    return value


def _listenable_or_off(value: str) -> str:
    return _listenable(value) if value else value


def _callable(value: str) -> str:
    targets(value)
    return value


def _callable_or_off(value: str) -> str:
    return _callable(value) if value else value


def _parsed(value: str, *schemes: str) -> SplitResult | None:
    """None unless it is a URL of these schemes and each of its hosts has a name and a real port."""
    try:
        place = urlsplit(value)
        hosts = [urlsplit(f"//{host}") for host in place.netloc.rpartition("@")[2].split(",")]
        sound = all(host.hostname and host.port != 0 for host in hosts)
    except ValueError:  # it may quote the URL, and that may hold a password
        return None
    return place if place.scheme in schemes and sound else None


def _postgres(value: str) -> str:
    place = _parsed(value, "postgresql", "postgres")
    if place is None or len(place.path) < 2:
        raise ValueError(
            "must be postgresql://user:password@host:port/database, "
            "special characters in user and password percent-encoded"
        )
    return value


def _nats(value: str) -> str:
    place = _parsed(value, "nats", "tls")
    if place is None or "," in place.netloc:
        raise ValueError("must be nats://host:port, or tls://host:port")
    return value


def _valkey_or_off(value: str) -> str:
    if value and _parsed(value, "redis", "rediss") is None:
        raise ValueError("must be redis://host:port/number, or rediss:// with TLS; empty for none")
    return value


HostPort = Annotated[str, AfterValidator(_listenable)]
"""host:port; an IPv6 host stands in brackets."""
HostPortOrOff = Annotated[str, AfterValidator(_listenable_or_off)]
"""The same, or empty for nothing."""
Replicas = Annotated[str, AfterValidator(_callable)]
"""host:port of a service, a name of several addresses too; or IP addresses with commas between."""
ReplicasOrOff = Annotated[str, AfterValidator(_callable_or_off)]
"""The same, or empty for nothing."""
PostgresDsn = Annotated[str, AfterValidator(_postgres)]
"""Where a database is; its hosts may be several, with commas between."""
NatsUrl = Annotated[str, AfterValidator(_nats)]
"""Where the message broker is."""
ValkeyUrlOrOff = Annotated[str, AfterValidator(_valkey_or_off)]
"""Where Valkey is, or empty for nowhere."""


class ServiceSettings(BaseSettings):
    """What every service can be told. A subclass chooses the prefix of its variables."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    listen: HostPort = Field(
        "127.0.0.1:0", description="host:port of gRPC; port 0 takes a free one"
    )
    metrics_listen: HostPortOrOff = Field(
        "127.0.0.1:0", description="host:port of Prometheus metrics; empty for none"
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
    peers_listen: HostPortOrOff = Field(
        "", description="host:port where services of the suite call, by mutual TLS; empty for none"
    )
    tls_cert: Path | None = Field(None, description="certificate of this service, PEM")
    tls_key: Path | None = Field(None, description="key of the certificate, PEM")
    tls_ca: Path | None = Field(None, description="authority of all services' certificates, PEM")
    max_concurrent_rpcs: int = Field(
        2000, ge=1, description="calls served at once; more are refused"
    )
    reflection: bool | None = Field(
        None, description="gRPC reflection; in development only when not set"
    )

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        told = [self.tls_cert, self.tls_key, self.tls_ca]
        if any(told) and not all(told):
            raise ValueError("TLS_CERT, TLS_KEY and TLS_CA belong together")
        if self.peers_listen and not all(told):
            raise ValueError("PEERS_LISTEN needs TLS_CERT, TLS_KEY and TLS_CA")
        return self

    @property
    def tls(self) -> Tls | None:
        """Who this service is to others of the suite; None while it shows no certificate."""
        if self.tls_cert is None or self.tls_key is None or self.tls_ca is None:
            return None
        return Tls(self.tls_cert, self.tls_key, self.tls_ca)

    @property
    def reflects(self) -> bool:
        """Whether the server tells its services to whoever asks."""
        return self.environment == "development" if self.reflection is None else self.reflection


class KeeperSettings(ServiceSettings):
    """Of a service whose keys are wrapped by a keeper: a key file, Vault or KMS."""

    keys: Literal["file", "vault", "kms"] = Field(
        "file", description="what wraps this service's keys: a key file, Vault transit, AWS KMS"
    )
    keys_also: Literal["", "file", "vault", "kms"] = Field(
        "", description="what else opens them, while they are moved from there to KEYS"
    )
    key_file: str = Field("", description="key file, made with mode 0600 if there is none")
    vault_address: str = Field("", description="https:// address of Vault")
    vault_key: str = Field("rehab", description="name of the transit key")
    vault_mount: str = Field("transit", description="mount of the transit engine")
    vault_token_file: str = Field("", description="file with Vault's token")
    vault_role: str = Field(
        "", description="Kubernetes role, without a token file; rehab-<service> when empty"
    )
    kms_key: str = Field("", description="id, ARN or alias of the KMS key")
    kms_region: str = Field("", description="AWS region; that of the environment when empty")
    kms_endpoint: str = Field("", description="address of KMS, unless it is AWS's own")

    @property
    def prefix(self) -> str:
        """Of this service's variables, as in EVENTSTORE_."""
        return str(self.model_config["env_prefix"])


class BoxSettings(KeeperSettings):
    """Of a service that seals secrets of its own in a box."""

    box_lead_s: float = Field(
        6,
        ge=0,
        le=60,
        description="seconds for which a new version of the key that seals this service's secrets "
        "is told before it seals, with a keeper other than a file",
    )


class TraceSettings(ServiceSettings):
    """Of a service that tells the log who came to patients' data."""

    audit_covered_s: float = Field(
        60,
        ge=0,
        le=3600,
        description="time in which the same access to the same patient has one audit event",
    )
    audit_ms: int = Field(
        5, ge=0, le=1000, description="least time between two commits of audit events"
    )


class FollowSettings(ServiceSettings):
    """Of a service that folds the log."""

    nats_url: NatsUrl = Field(description="NATS server with JetStream that carries the log")
    eventstore_address: Replicas = Field(
        description="host:port of the event store, or of its replicas with commas"
    )
    log_stream: str = Field("LOG", description="JetStream stream that carries the log")
    subject_prefix: str = Field("log", description="first token of the log's subjects")
    max_batch_events: int = Field(500, ge=1, le=10_000, description="events folded at once")


class FrontSettings(TraceSettings):
    """Of a service that people call."""

    identity_address: ReplicasOrOff = Field(
        "",
        description="host:port of identity, which says who may what; without it, in development "
        "only, callers are believed and roles alone count",
    )

    @model_validator(mode="after")
    def _identity_in_production(self) -> Self:
        if self.environment == "production" and not self.identity_address:
            raise ValueError("IDENTITY_ADDRESS is required in production")
        return self


@dataclass(frozen=True)
class Described:
    """One setting as documentation shows it."""

    variable: str
    type: str
    default: str
    description: str


def prefix_of(settings: type[ServiceSettings]) -> str:
    return str(settings.model_config.get("env_prefix", ""))


def variable_of(settings: ServiceSettings | type[ServiceSettings], field: str) -> str:
    """The environment variable of a field."""
    kind = settings if isinstance(settings, type) else type(settings)
    return f"{prefix_of(kind)}{field}".upper()


def load(settings: type[S]) -> S:
    """Read the environment once. SettingsError names every missing or wrong variable and its rule,
    never a value."""
    try:
        return settings()
    except ValidationError as error:
        lines = {
            f"  {_variable(settings, item['loc'])}: {_rule(item['msg'], item['type'])}"
            for item in error.errors(include_input=False, include_url=False)
        }
    except pydantic_settings.SettingsError as error:
        # a list or table that is not JSON; the library stops at the first and names its field
        names = [name for name in settings.model_fields if f'"{name}"' in str(error)]
        lines = {f"  {variable_of(settings, name)}: must be JSON" for name in names}
    raise SettingsError("these settings are missing or wrong:\n" + "\n".join(sorted(lines)))


def _variable(settings: type[ServiceSettings], path: tuple[int | str, ...]) -> str:
    """The variable of a field; a rule over several has none of its own."""
    return variable_of(settings, str(path[0])) if path else prefix_of(settings) + "*"


def _rule(message: str, kind: str) -> str:
    if kind == "missing":
        return "is missing"
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message[0].lower() + message[1:] if message[1:2].islower() else message


def describe(settings: type[ServiceSettings]) -> Iterator[Described]:
    for name, field in settings.model_fields.items():
        yield Described(
            variable_of(settings, name),
            _type_name(field.annotation),
            "required" if field.is_required() else _default(field.default),
            field.description or "",
        )


def _default(value: Any) -> str:
    return "" if value is None or isinstance(value, SecretStr) else repr(value)


def _type_name(annotation: Any) -> str:
    """A type in the words of who sets a variable."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin is Literal:
        return " | ".join(str(value) for value in arguments)
    if origin in {Union, UnionType}:
        return " | ".join(_type_name(item) for item in arguments if item is not NoneType)
    if annotation is SecretStr:
        return "secret"
    return getattr(annotation, "__name__", str(annotation))
