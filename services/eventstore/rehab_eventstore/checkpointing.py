"""Who signs checkpoints, as the settings say."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rehab_eventstore.proof.checkpoints import Checkpoints, Pace, Signing
from rehab_eventstore.proof.signing import Signer, open_signer
from rehab_eventstore.settings import Settings
from rehab_eventstore.shard import Log, Shards
from rehab_runtime.lifecycle import Background
from rehab_runtime.startup import StartupError


def signer_of(settings: Settings) -> Signer | None:
    production = settings.environment == "production"
    if settings.signing_key_file:
        return open_signer(Path(settings.signing_key_file), make=not production)
    if production:
        raise StartupError(
            "no signing key is told: the log could be cut off unnoticed",
            "set EVENTSTORE_SIGNING_KEY_FILE",
        )
    return None


def start_signing(
    settings: Settings,
    log: Log,
    shards: Shards,
    checkpoints: Checkpoints,
    signer: Signer,
    background: Background,
) -> None:
    pace = Pace(settings.checkpoint_events, settings.checkpoint_s)
    for shard in shards:
        look, leads = partial(log.reader.head, shard.number), shard.leadership.is_leading
        signing = Signing(look, leads, checkpoints, signer, log.clock, pace)
        background.start(signing.run(), f"signs checkpoints of shard {shard.number}")
