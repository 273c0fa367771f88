"""A process is killed while it fills its spool: what it was told is kept, is kept."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rehab.events.v1.event_pb2 import Event
from rehab_sdk.spool import Spool

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from rehab_sdk import events
from rehab_sdk.events import Actor, Context
from rehab_sdk.spool import Spool

who = Context("clinic-1", Actor("patient-1", "patient"), "device-1", "consent-1", "Europe/Berlin")
spool = Spool(sys.argv[1], clinic_id="clinic-1", device_id="device-1", key=bytes(32))
while True:
    event = who.event("patient-1", events.pain(spool.last_seq % 11, phase="post"))
    spool.append(event.SerializeToString())
    if spool.last_seq % 7 == 0:
        spool.settle(spool.settled_seq + 2, f"mark {spool.settled_seq + 2}")
    print(spool.epoch, spool.settled_seq, spool.last_seq, event.envelope.event_id, flush=True)
"""


def killed_after(path: Path, lines: int) -> list[str]:
    """What a process said before it was killed; it was told to go on for ever."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "sdk"), *sys.path])}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if len(said) == lines:
                process.send_signal(signal.SIGKILL)
        assert process.stderr is not None
        assert process.wait(30) == -signal.SIGKILL, process.stderr.read()
    return [line for line in said if line.endswith("\n")]


@pytest.mark.parametrize("lines", random.Random(7).sample(range(1, 400), 4))
def test_what_was_kept_when_the_process_is_killed_is_there_afterwards(
    tmp_path: Path, lines: int
) -> None:
    path = tmp_path / "spool"
    known: list[str] = []
    for _ in range(2):  # the second finds what the first left
        said = [line.split() for line in killed_after(path, lines)]
        known += [event_id for *_, event_id in said]
        epoch, settled, last = (int(number) for number in said[-1][:3])
        with closing(
            Spool(path, clinic_id="clinic-1", device_id="device-1", key=bytes(32))
        ) as spool:
            assert spool.epoch == epoch
            assert spool.settled_seq >= settled
            assert spool.last_seq >= last
            assert spool.resume_token in ("", f"mark {spool.settled_seq}")
            held = [
                Event.FromString(event).envelope.event_id
                for event in spool.unsettled(spool.settled_seq, 10_000)
            ]
        assert len(held) == spool.last_seq - spool.settled_seq
        unsaid = spool.last_seq - last  # it may have kept more than it came to say
        assert held[: len(held) - unsaid] == known[spool.settled_seq :]
        known += held[len(held) - unsaid :]
