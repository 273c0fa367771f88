"""Settings are read once, and every wrong one is named in one message."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import (
    NatsUrl,
    PostgresDsn,
    Replicas,
    ReplicasOrOff,
    ServiceSettings,
    SettingsError,
    describe,
    load,
)


class Sample(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    dsn: str = Field(description="where the data is")
    token: SecretStr = Field(description="what opens it")
    mode: Literal["fast", "slow"] = Field("fast", description="how")
    batch: int = Field(10, ge=1, le=100, description="how many")
    names: list[str] = Field([], description="who")


def wrong(patch: pytest.MonkeyPatch, **told: str) -> list[str]:
    for name, value in told.items():
        patch.setenv(f"SAMPLE_{name.upper()}", value)
    with pytest.raises(SettingsError) as refused:
        load(Sample)
    return str(refused.value).splitlines()[1:]


def test_every_wrong_variable_is_named_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(monkeypatch, mode="sideways", batch="0", listen="nowhere")
    assert [line.split(":")[0].strip() for line in lines] == [
        *("SAMPLE_BATCH", "SAMPLE_DSN", "SAMPLE_LISTEN", "SAMPLE_MODE", "SAMPLE_TOKEN"),
    ]
    assert "SAMPLE_DSN: is missing" in lines[1]
    assert "greater than or equal to 1" in lines[0]


def test_no_message_repeats_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(monkeypatch, token="hunter2", batch="hunter2", mode="hunter2")
    assert "hunter2" not in "\n".join(lines)


def test_a_list_that_is_not_json_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = wrong(monkeypatch, dsn="x", token="y", names="[not json")
    assert lines == ["  SAMPLE_NAMES: must be JSON"]


def test_what_is_told_is_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"DSN": "d", "TOKEN": "t", "BATCH": "7", "NAMES": '["a"]'}.items():
        monkeypatch.setenv(f"SAMPLE_{name}", value)
    read = load(Sample)
    assert (read.dsn, read.batch, read.names, read.mode) == ("d", 7, ["a"], "fast")
    assert repr(read.token) != "t"


@pytest.mark.parametrize(
    ("environment", "told", "reflects"),
    [
        ("development", None, True),
        ("production", None, False),
        ("production", "true", True),
        ("development", "false", False),
    ],
)
def test_reflection_is_off_in_production_unless_it_is_told(
    monkeypatch: pytest.MonkeyPatch, environment: str, told: str | None, reflects: bool
) -> None:
    for name, value in {"DSN": "d", "TOKEN": "t", "ENVIRONMENT": environment}.items():
        monkeypatch.setenv(f"SAMPLE_{name}", value)
    if told is not None:
        monkeypatch.setenv("SAMPLE_REFLECTION", told)
    assert load(Sample).reflects is reflects


def test_every_setting_is_described_by_variable_type_default_and_meaning() -> None:
    rows = {row.variable: row for row in describe(Sample)}
    assert (rows["SAMPLE_MODE"].type, rows["SAMPLE_MODE"].default) == ("fast | slow", "'fast'")
    assert (rows["SAMPLE_TOKEN"].type, rows["SAMPLE_TOKEN"].default) == ("secret", "required")
    assert all(row.description for row in rows.values())


class Placed(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="PLACED_")

    postgres_dsn: PostgresDsn = Field(description="where the data is")
    nats_url: NatsUrl = Field(description="where the broker is")


WELL = {
    "postgres_dsn": [
        "postgresql://rehab:p%2Fw@127.0.0.1:5432/log",
        "postgres://db.example/log",
        "postgresql://rehab@[::1]:5432/log?sslmode=require",
        "postgresql://one:5432,two:5433/log",
    ],
    "nats_url": ["nats://127.0.0.1:4222", "tls://rehab:pw@broker.example", "nats://[::1]:4222"],
}
ILL = {
    "postgres_dsn": [
        *("", "log", "127.0.0.1:5432/log", "mysql://u:hunter2@h:1/log"),
        *("postgresql://u:hunter2@h", "postgresql://u:hunter2@h:port/log"),
        *("postgresql://u:hun/ter2@h:5432/log", "postgresql://u:hunter2@/log"),
        *("postgresql://u:hunter2@h:0/log", "postgresql://u:hunter2@[::1/log"),
    ],
    "nats_url": [
        *("", "127.0.0.1", "127.0.0.1:4222", "http://h:1", "nats://", "nats://:4222"),
        *("nats://u:hunter2@h:port", "nats://u:hunter2@h:65536", "nats://a:1,b:2"),
    ],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WELL.items() for value in values]
)
def test_a_servers_url_is_taken_as_it_is(field: str, value: str) -> None:
    told = {name: values[0] for name, values in WELL.items()} | {field: value}
    assert getattr(Placed(**told), field) == value


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in ILL.items() for value in values]
)
def test_what_is_no_servers_url_is_told_by_its_form_and_not_repeated(
    field: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, values in WELL.items():
        monkeypatch.setenv(f"PLACED_{name.upper()}", values[0])
    monkeypatch.setenv(f"PLACED_{field.upper()}", value)
    with pytest.raises(SettingsError) as refused:
        load(Placed)
    (line,) = str(refused.value).splitlines()[1:]
    assert line.startswith(f"  PLACED_{field.upper()}: must be ")
    assert "hunter2" not in line


class Caller(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="CALLER_")

    other: Replicas = Field(description="whom it calls")
    third: ReplicasOrOff = Field("", description="whom else")


@pytest.mark.parametrize(
    "told", ["eventstore:7100", "127.0.0.1:7100,127.0.0.2:7100", "[::1]:7100,[::2]:7100"]
)
def test_a_service_is_called_at_a_name_or_at_several_ip_addresses(told: str) -> None:
    assert Caller(other=told).other == told


@pytest.mark.parametrize(
    "told", ["", "eventstore", "a:1,b:1", "127.0.0.1:1,", "127.0.0.1:1,[::1]:1", "127.0.0.1:1, b:2"]
)
def test_several_names_are_refused_with_the_rule(
    monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setenv("CALLER_OTHER", told)
    with pytest.raises(SettingsError, match=r"CALLER_OTHER: must be"):
        load(Caller)
