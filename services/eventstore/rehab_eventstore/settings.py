"""What this service can be told."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from rehab_runtime.settings import KeeperSettings, NatsUrl, PostgresDsn


def _archive(value: str) -> str:
    try:
        place = urlsplit(value)
        sound = (
            place.scheme in ("s3", "gs", "az") and bool(place.hostname) and "@" not in place.netloc
        ) or (place.scheme == "file" and not place.netloc and len(place.path) > 1)
    except ValueError:  # it may quote the URL
        sound = False
    if value and (not sound or place.query or place.fragment):
        raise ValueError(
            "must be file:///folder, s3://bucket/prefix, gs://bucket/prefix or "
            "az://account/container/prefix; credentials and endpoints have variables of their own"
        )
    return value


ArchiveUrl = Annotated[str, AfterValidator(_archive)]
"""Where archived events are kept; empty for nowhere."""


class Settings(KeeperSettings):
    model_config = SettingsConfigDict(env_prefix="EVENTSTORE_")

    postgres_dsn: PostgresDsn = Field(description="PostgreSQL database of the log")
    nats_url: NatsUrl = Field(description="NATS server with JetStream that the log is published to")
    log_stream: str = Field("LOG", description="JetStream stream that carries the log")
    subject_prefix: str = Field("log", description="first token of the log's subjects")

    shards: int = Field(
        0,
        ge=0,
        le=64,
        description="heads of the log, for good: each orders its own patients; 0 for those that it"
        " has, a new one has 1",
    )

    key_cache_s: float = Field(
        600, gt=0, le=86_400, description="time for which opened data keys are kept in memory"
    )
    cached_keys: int = Field(20_000, ge=1, description="patients whose keys are kept in memory")
    data_key_max_age_d: float = Field(
        365, ge=0, le=36_500, description="days for which a data key seals; 0 for no limit"
    )
    data_key_max_events: int = Field(
        1 << 31, ge=1, le=1 << 31, description="events that one data key may seal"
    )

    key_readers: str = Field(
        "cli,emr,identity,ingest,policy,projections",
        description="services that may open bodies, with commas between",
    )
    key_reader_ttl_s: int = Field(
        60, ge=1, le=3600, description="time for which those may keep a key"
    )

    audit_ms: int = Field(
        10, ge=0, le=1000, description="least time between two audit events of readings of keys"
    )

    snapshots_kept: int = Field(
        2, ge=1, le=100, description="newest snapshots kept of a stream, fold and code version"
    )
    erasers: str = Field(
        "cli,identity", description="services that may erase subjects and look after keys"
    )
    erasure_token_s: float = Field(
        600, gt=0, le=86_400, description="time in which a prepared erasure is to be confirmed"
    )

    signing_key_file: str = Field(
        "", description="Ed25519 key (PEM) that signs checkpoints; made outside production"
    )
    checkpoint_events: int = Field(
        1000, ge=1, description="events after which a checkpoint is signed"
    )
    checkpoint_s: float = Field(
        60, ge=0.01, description="time after which one is signed if there was an event"
    )
    verify_processes: int = Field(2, ge=1, le=64, description="processes that verify the log")

    archive_url: ArchiveUrl = Field(
        "",
        description="where archived events go: file:///folder, s3://bucket/prefix (credentials and "
        "endpoint: AWS_* variables); empty for no archive",
    )
    archivers: str = Field("cli", description="services that may archive events and restore them")
    archive_runs: int = Field(
        16, ge=1, le=1024, description="runs of slices whose events are archived together"
    )
    archive_segment_events: int = Field(
        20_000, ge=1, le=200_000, description="events after which an archived object ends"
    )
    archive_segment_bytes: int = Field(
        32_000_000, ge=1, le=500_000_000, description="bytes after which an archived object ends"
    )
    archive_cache_bytes: int = Field(
        64_000_000, ge=0, description="bytes of archived events that are kept in memory when read"
    )
    archive_lease_s: float = Field(
        15, ge=0.5, le=300, description="time after which another replica archives for a lost one"
    )

    max_batch_events: int = Field(1024, ge=1, le=10_000, description="events committed together")
    max_batch_bytes: int = Field(1_000_000, ge=1, description="bytes committed together")
    max_queued_events: int = Field(
        20_000, ge=1, description="events that may wait in each queue; more are refused"
    )
    max_queued_bytes: int = Field(
        64_000_000, ge=1, description="bytes that may wait in each queue; more are refused"
    )
    import_share_pct: int = Field(
        25, ge=1, le=90, description="share of a batch kept for imports while people wait, percent"
    )
    commit_timeout_s: float = Field(
        3, gt=0, le=60, description="time after which PostgreSQL gives up on a batch"
    )
    patience_s: float = Field(
        4, ge=0, le=60, description="time an append waits for PostgreSQL to come back"
    )
    cached_streams: int = Field(
        200_000, ge=2, description="streams whose last version is kept in memory"
    )
    cached_events: int = Field(
        100_000, ge=2, description="newest events whose ids are kept in memory, to know repeats"
    )

    page_events: int = Field(500, ge=1, le=5000, description="events read at once")
    page_bytes: int = Field(
        1_000_000, ge=1, le=2_000_000, description="bytes after which a page ends"
    )
    tail_events: int = Field(
        4000, ge=1, description="newest events kept in memory for live subscribers"
    )
    tail_bytes: int = Field(
        16_000_000, ge=1, description="bytes of newest events kept in memory for subscribers"
    )
    max_subscribers: int = Field(
        200, ge=1, description="subscriptions served at once; more are refused"
    )
    poll_ms: int = Field(
        250, ge=10, le=10_000, description="time between looks at the log when nobody tells of it"
    )
    checkpoint_ms: int = Field(
        1000, ge=1, description="least time between two checkpoints of a filtered subscription"
    )

    relay_max_events: int = Field(500, ge=1, le=10_000, description="events in one message")
    relay_max_bytes: int = Field(
        900_000, ge=10_000, description="bytes of one message; NATS refuses more than max_payload"
    )
    relay_backfill_events: int = Field(
        -1, ge=-1, description="newest events published again to an empty broker; -1 for all"
    )
    lease_s: float = Field(
        5, ge=0.5, le=300, description="time after which another replica leads for a lost one"
    )
    forward: bool = Field(
        True, description="whether appends are handed to the replica that leads their shard"
    )
    advertise: str = Field(
        "",
        description="host:port at which other replicas reach this one; LISTEN if that names a host",
    )
    clock_offset_file: str = Field(
        "",
        description="for fault tests, never in production: file with the seconds by which this "
        "replica's clock is wrong, as a little-endian double",
    )
