"""A device that enrols once with a code, and from then on streams whatever happens: what it says
is in its spool before `send` returns, its tokens renew themselves, and the next run sends what the
last one left.

usage: enrolled_device.py FOLDER [CODE] [--seconds 3] [--pause 0.05]
The first run needs a code: `rehab device code PATIENT` (start the suite with `rehab up` first).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import time
from pathlib import Path

from rehab_sdk import DeviceKey, FileTokenStore, Rehab, events

INGEST = os.environ.get("REHAB_INGEST", "127.0.0.1:7101")
IDENTITY = os.environ.get("REHAB_IDENTITY", "127.0.0.1:7103")
CONSENT, ZONE = os.environ.get("REHAB_CONSENT", "consent-example"), "Europe/Berlin"


def enrolled(folder: Path, code: str) -> tuple[DeviceKey, bytes]:
    """The device's key, and the one that encrypts its spool. A phone keeps both in its key store;
    here they are in a file that only its owner may read."""
    kept = folder / "device.json"
    if kept.exists():
        read = json.loads(kept.read_text())
        spool_key = bytes.fromhex(read.pop("spool_key"))
        return DeviceKey(**{**read, "key": bytes.fromhex(read["key"])}), spool_key
    key, spool_key = Rehab.enrol_device(code, identity=IDENTITY), secrets.token_bytes(32)
    assert isinstance(key.key, bytes)
    told = {"device_id": key.device_id, "clinic_id": key.clinic_id, "patient_id": key.patient_id}
    secret = {"key": key.key.hex(), "spool_key": spool_key.hex()}
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(told | secret))
    return key, spool_key


def main(folder: Path, code: str, seconds: float, pause_s: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    key, spool_key = enrolled(folder, code)
    with Rehab.connect(
        ingest=INGEST,
        identity=IDENTITY,
        token=key,
        token_store=FileTokenStore(folder / "session.json"),
        spool=folder / "events.spool",
        spool_key=spool_key,
        consent_id=CONSENT,
        zone=ZONE,
    ) as client:
        until = time.monotonic() + seconds
        with client.stream() as stream:
            while time.monotonic() < until:
                event = client.event(
                    key.patient_id, events.pain(secrets.randbelow(11), phase="post")
                )
                stream.send(event)
                print(event.envelope.event_id, flush=True)
                time.sleep(pause_s)
        client.drained(30)
    print("all acknowledged")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("code", nargs="?", default="")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--pause", type=float, default=0.05)
    told = parser.parse_args()
    main(told.folder, told.code, told.seconds, told.pause)
