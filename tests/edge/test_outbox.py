"""What waits on the device is sent when it may be, and what concerns safety ahead of the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rehab_edge.outbox import Conditions, Home, Network, Outbox
from rehab_sdk import AsyncRehab, Backoff, Options, StreamOptions, dev_token, events
from rehab_sdk.events import Actor, Context, Event
from rehab_sdk.spool import Limits, SpoolError
from rehab_sdk.testing import FakeRehab
from tests.sdk.given import CLINIC, CONSENT

PATIENT, DEVICE = "patient-1", "edge-1"
OFFLINE = Conditions(network=Network.NONE)
METERED = Conditions(network=Network.METERED)
FLAT = Conditions(network=Network.UNMETERED, battery_pct=5)
OPTIONS = Options(
    deadline_s=20,
    backoff=Backoff(first_s=0.01, longest_s=0.1),
    stream=StreamOptions(close_timeout_s=0.5, spooled_flush_timeout_s=0),
)


@pytest.fixture
def fake() -> Iterator[FakeRehab]:
    with FakeRehab() as made:
        yield made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path, DEVICE)


@pytest.fixture
def device(fake: FakeRehab, home: Home) -> Callable[..., AbstractContextManager[Outbox]]:
    connect = partial(
        AsyncRehab.connect,
        **fake.addresses,
        token=dev_token("patient", CLINIC, PATIENT),
        device_id=DEVICE,
        options=OPTIONS,
    )

    def opened(conditions: Conditions = Conditions(), **more: Any) -> Any:  # noqa: B008 - frozen
        return Outbox.open(home, clinic_id=CLINIC, connect=connect, conditions=conditions, **more)

    return opened


def told(nprs: int) -> Event:
    who = Context(CLINIC, Actor(PATIENT, "patient"), DEVICE, CONSENT, "Europe/Berlin")
    return who.event(PATIENT, events.pain(nprs, phase="post"))


def stored(fake: FakeRehab) -> list[int]:
    return [event.body.pain_report.nprs for event in fake.events]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def test_what_is_kept_is_sent_in_its_order(fake: FakeRehab, device: Any) -> None:
    with device() as outbox:
        for nprs in (1, 2, 9, 3):
            outbox.keep(told(nprs))
        assert outbox.drained(20)
        assert outbox.status().waiting == 0
    assert stored(fake) == [1, 2, 9, 3]


def test_without_a_network_nobody_is_called_and_the_next_run_sends_it(
    fake: FakeRehab, device: Any
) -> None:
    with device(OFFLINE) as outbox:
        for nprs in (1, 9):
            outbox.keep(told(nprs))
        status = outbox.status()
        assert (status.waiting, status.urgent) == (2, True)
    assert fake.calls == {}
    with device() as outbox:
        assert outbox.drained(20)
    assert stored(fake) == [1, 9]


def test_a_network_that_comes_back_is_used_at_once(fake: FakeRehab, device: Any) -> None:
    with device(OFFLINE) as outbox:
        outbox.keep(told(1))
        outbox.told(conditions=Conditions())
        assert outbox.drained(20)
    assert stored(fake) == [1]


@pytest.mark.parametrize("conditions", [METERED, FLAT], ids=["metered", "battery low"])
def test_during_a_session_safety_goes_ahead_of_what_has_to_wait(
    fake: FakeRehab, device: Any, conditions: Conditions
) -> None:
    with device(OFFLINE) as outbox:
        outbox.told(in_session=True)
        for nprs in (1, 2, 9, 3):
            outbox.keep(told(nprs))
        outbox.told(conditions=conditions)
        until(lambda: not outbox.status().urgent)
        assert stored(fake) == [9]
        assert outbox.status().waiting == 4  # its number in the stream is still its own
        outbox.told(conditions=Conditions())
        assert outbox.drained(20)
    assert stored(fake) == [9, 1, 2, 3]  # each once


def test_on_a_metered_network_the_end_of_the_session_sends_it_all(
    fake: FakeRehab, device: Any
) -> None:
    with device(OFFLINE) as outbox:
        outbox.told(in_session=True)
        for nprs in (1, 2):
            outbox.keep(told(nprs))
        outbox.told(conditions=METERED)
        assert not outbox.drained(0.1)
        assert fake.calls == {}
        outbox.told(in_session=False)
        assert outbox.drained(20)
    assert stored(fake) == [1, 2]


def test_behind_a_long_backlog_safety_does_not_wait_its_turn(fake: FakeRehab, device: Any) -> None:
    with device(OFFLINE) as outbox:
        for _ in range(100):
            outbox.keep(told(1))
        outbox.keep(told(9))
        fake.set_window(1)
        fake.delay_s = 0.02
        outbox.told(conditions=Conditions())
        until(lambda: 9 in stored(fake))
        assert stored(fake).index(9) < 50
        fake.delay_s = 0
        assert outbox.drained(60)
    assert sorted(stored(fake)) == [1] * 100 + [9]


def test_a_device_that_is_refused_keeps_all_and_says_why(fake: FakeRehab, home: Home) -> None:
    nobody = partial(
        AsyncRehab.connect,
        **fake.addresses,
        token="nobody's",
        clinic_id=CLINIC,
        actor=Actor(PATIENT, "patient"),
        device_id=DEVICE,
        options=OPTIONS,
    )
    with Outbox.open(home, clinic_id=CLINIC, connect=nobody) as outbox:
        outbox.keep(told(1))
        until(lambda: bool(outbox.status().trouble))
        outbox.keep(told(2))
        assert outbox.status().waiting == 2
    assert fake.events == []


def test_a_link_that_comes_and_goes_loses_and_doubles_nothing(fake: FakeRehab, device: Any) -> None:
    with device() as outbox:
        for number in range(120):
            outbox.keep(told(number % 11))
            if number % 15 == 7:
                outbox.told(conditions=OFFLINE)
            elif number % 15 == 12:
                outbox.told(conditions=Conditions())
        outbox.told(conditions=Conditions())
        assert outbox.drained(30)
    assert [one for one in stored(fake) if one < 8] == [
        number % 11 for number in range(120) if number % 11 < 8
    ]
    ids = [event.envelope.event_id for event in fake.events]
    assert len(ids) == len(set(ids)) == 120


def test_a_full_outbox_lets_go_of_what_matters_least_and_says_so(device: Any) -> None:
    with device(OFFLINE, limits=Limits(events=3)) as outbox:
        for nprs in (1, 9, 2, 3):
            outbox.keep(told(nprs))
        assert outbox.status().dropped == 1
        assert [one.why for one in outbox.dropped()] == ["room"]


def test_what_waits_is_not_legible_without_the_devices_key(device: Any, tmp_path: Path) -> None:
    with device(OFFLINE) as outbox:
        outbox.keep(told(1))
        for path in (tmp_path / DEVICE).glob("spool*"):
            assert PATIENT.encode() not in path.read_bytes()
            assert CONSENT.encode() not in path.read_bytes()
    (tmp_path / "device.key").write_bytes(bytes(32))
    with pytest.raises(SpoolError) as refused, device(OFFLINE):
        pass
    assert refused.value.rule == "spool.key"
