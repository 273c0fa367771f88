"""What the SDK needs: grpcio, protobuf and nothing more, unless an extra is asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys

for name in ("cryptography", "protovalidate", "rehab_runtime"):
    sys.modules[name] = None

import pytest
from rehab_sdk import DeviceKey, Rehab, dev_token, errors
from rehab_sdk.credentials import new_key
from rehab_sdk.spool import Spool
from rehab_sdk.testing import FakeRehab

token = dev_token("patient", "clinic-1", "patient-1")
with FakeRehab() as fake, Rehab.connect(
    **fake.addresses, token=token, device_id="phone-1", consent_id="consent-1",
    zone="Europe/Berlin", spool=sys.argv[1],
) as client:
    with client.session(patient="patient-1", exercise="squat") as session:
        session.rep(score=80)
    assert len(fake.events) == 3

for needs in (new_key, lambda: Spool("x", clinic_id="c", device_id="d", key=bytes(32))):
    with pytest.raises(errors.Invalid) as refused:
        needs()
    assert refused.value.violations[0].rule == "extra.device"
print("passed")
"""


def test_a_plain_installation_streams_spools_and_tests(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "spool")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "passed\n"), ran.stderr
