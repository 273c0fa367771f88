"""The blocking client does what the asynchronous one does, on real servers."""

from __future__ import annotations

import asyncio
import inspect
import threading

import pytest

from rehab_sdk import Acked, AsyncRehab, Rehab, Rejected, Stored, dev_token, errors, events
from rehab_sdk import blocking as blocking_client
from rehab_sdk.billing import AsyncBilling
from rehab_sdk.progress import AsyncProgress
from rehab_sdk.reads import AsyncPatients, AsyncWorkQueue
from rehab_sdk.session import AsyncSession
from rehab_sdk.stream import Stream
from rehab_sdk.vitals import AsyncVitals
from rehab_sdk.workload import AsyncWorkload
from tests.sdk.clinic import OPTIONS, Clinic, admit
from tests.sdk.given import CLINIC, CONSENT

pytestmark = pytest.mark.asyncio(loop_scope="module")


def session_and_reads(suite: Clinic, patient: str) -> list[str]:
    with Rehab.connect(
        ingest=suite.ingest,
        projections=suite.projections,
        token=dev_token("patient", CLINIC, patient),
        device_id=f"phone-of-{patient}",
        consent_id=CONSENT,
        options=OPTIONS,
    ) as client:
        with client.session(patient=patient, exercise="squat") as session:
            receipts = [session.rep(score=80) for _ in range(20)]
            assert isinstance(receipts[-1].wait(), Acked)
            bad = session.rep(score=120)
            with pytest.raises(Rejected):
                bad.wait()
            assert len(session.rejected) == 1
        with pytest.raises(ZeroDivisionError), client.session(patient=patient):
            raise ZeroDivisionError
        with client.stream() as stream:
            stream.send(client.event(patient, events.fall()))
            stream.flush()
            assert stream.positions == client.last_positions
        (verdict,) = client.log_many([client.event(patient, events.pain(3, phase="pre"))])
        assert isinstance(verdict, Stored)
        assert client.patients.adherence(patient).sessions == 2
        with pytest.raises(errors.AuthError):
            client.work_queue.list()
        therapist = client.acting(token=dev_token("therapist", CLINIC, "therapist-1"))
        with therapist.work_queue.watch() as changes:
            assert any(change.HasField("listed") for change in changes)
        assert therapist.lag().projections
        return [one.status for one in client.patients.sessions(patient, page_size=1)]


async def test_a_blocking_program_streams_reads_and_watches(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    assert await asyncio.to_thread(session_and_reads, suite, patient) == ["abandoned", "completed"]
    assert "rehab-sdk" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("blocking", "asynchronous"),
    [
        (Rehab, AsyncRehab),
        (blocking_client.Session, AsyncSession),
        (blocking_client.Patients, AsyncPatients),
        (blocking_client.WorkQueue, AsyncWorkQueue),
        (blocking_client.Vitals, AsyncVitals),
        (blocking_client.Billing, AsyncBilling),
        (blocking_client.Progress, AsyncProgress),
        (blocking_client.Workload, AsyncWorkload),
    ],
)
async def test_whatever_the_asynchronous_client_can_the_blocking_one_can(
    blocking: type, asynchronous: type
) -> None:
    for name, method in inspect.getmembers(asynchronous, inspect.isroutine):
        if not name.startswith("_"):
            assert callable(getattr(blocking, name, None)), name
            wanted = list(inspect.signature(method).parameters)
            assert list(inspect.signature(getattr(blocking, name)).parameters) == wanted


async def test_a_blocking_stream_can_what_an_asynchronous_one_can() -> None:
    told_by_the_engine = {"settled", "heard", "over"}
    wanted = {name for name in vars(Stream) if not name.startswith("_")} - told_by_the_engine
    assert wanted <= set(vars(blocking_client.Stream))
