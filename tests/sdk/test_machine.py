"""What the client's side of a stream says and does, message by message."""

from __future__ import annotations

import pytest

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_sdk.machine import (
    Acked,
    HelloRefused,
    Leave,
    Machine,
    OutOfTurn,
    Phase,
    Settled,
)
from rehab_sdk.outbox import MemoryOutbox
from tests.sdk.given import CLINIC, DEVICE, REFUSAL, START, context, pain

Response = pb.StreamObservationsResponse


def machine_with(events: int, outbox: MemoryOutbox | None = None) -> Machine:
    machine = Machine(outbox or MemoryOutbox(epoch=7), clinic_id=CLINIC, device_id=DEVICE)
    machine.session_id = "session-1"
    who = context()
    for number in range(events):
        machine.append(pain(number, who).SerializeToString())
    return machine


def welcomed(machine: Machine, **welcome: object) -> Machine:
    machine.greet(START)
    machine.received(Response(welcome=pb.Welcome(**{"window": 100, **welcome})))
    return machine


def test_hello_says_who_streams_and_where_to_go_on() -> None:
    hello = machine_with(0).greet(START).hello
    assert (hello.clinic_id, hello.device_id, hello.session_id) == (CLINIC, DEVICE, "session-1")
    assert (hello.epoch, hello.last_seq, hello.resume_token) == (7, 0, "")
    assert hello.device_time.ToDatetime(START.tzinfo) == START


def test_nothing_is_sent_before_welcome() -> None:
    machine = machine_with(1)
    machine.greet(START)
    assert machine.next_batch() is None


def test_batches_keep_to_the_servers_limits() -> None:
    machine = welcomed(machine_with(5), limits=pb.Limits(max_batch_events=3))
    sizes = []
    while (request := machine.next_batch()) is not None:
        sizes.append((request.batch.first_seq, len(request.batch.events)))
    assert sizes == [(1, 3), (4, 2)]


def test_less_is_under_way_on_links_that_break_before_anything_is_through() -> None:
    machine = machine_with(8)
    sizes = []
    for acked in (0, 0, 0, 0, 1):
        welcomed(machine, acked_seq=acked, window=8)
        request = machine.next_batch()
        assert request is not None
        sizes.append(len(request.batch.events))
        assert machine.next_batch() is None
        if len(sizes) == 4:
            machine.received(Response(ack=pb.Ack(seq=1, position=1)))
        machine.cut()
    assert sizes == [8, 4, 2, 1, 2]


def test_messages_keep_to_the_servers_size() -> None:
    machine = welcomed(machine_with(4), limits=pb.Limits(max_message_bytes=500))
    request = machine.next_batch()
    assert request is not None
    assert 1 <= len(request.batch.events) < 4
    assert request.ByteSize() <= 500


def test_no_more_events_than_the_window_allows_are_in_flight() -> None:
    machine = welcomed(machine_with(5), window=2)
    assert machine.next_batch() is not None
    assert machine.in_flight == 2
    assert machine.next_batch() is None
    machine.received(Response(ack=pb.Ack(seq=1, position=10)))
    request = machine.next_batch()
    assert request is not None
    assert (request.batch.first_seq, len(request.batch.events)) == (3, 1)


def test_there_is_room_for_a_window_of_events() -> None:
    machine = welcomed(machine_with(0), window=1)
    assert machine.has_room
    machine.append(pain(1, context()).SerializeToString())
    assert not machine.has_room


def test_an_acknowledgement_settles_all_before_it_and_refused_ones_as_refused() -> None:
    machine = welcomed(machine_with(3))
    machine.next_batch()
    assert machine.received(Response(reject=pb.Reject(seq=2, failure=REFUSAL))) == []
    effects = machine.received(Response(ack=pb.Ack(seq=3, position=42)))
    verdicts = [effect.verdict for effect in effects if isinstance(effect, Settled)]
    assert verdicts == [Acked(42), REFUSAL, Acked(42)]


def test_an_acknowledgement_of_several_shards_tells_the_place_of_each_event() -> None:
    machine = welcomed(machine_with(4))
    machine.next_batch()
    machine.received(Response(ack=pb.Ack(seq=1, position=7, shard=1)))
    machine.received(Response(reject=pb.Reject(seq=3, failure=REFUSAL)))
    ack = pb.Ack(seq=4, position=8, shard=1)
    for shard, position in ((0, 30), (0, 0), (1, 8)):
        ack.places.add(shard=shard, position=position)
    effects = machine.received(Response(ack=ack))
    verdicts = [effect.verdict for effect in effects if isinstance(effect, Settled)]
    assert verdicts == [Acked(30, 0), REFUSAL, Acked(8, 1)]


def test_an_acknowledgement_heard_twice_settles_once() -> None:
    machine = welcomed(machine_with(1))
    machine.next_batch()
    assert len(machine.received(Response(ack=pb.Ack(seq=1, position=1)))) == 1
    assert machine.received(Response(ack=pb.Ack(seq=1, position=1))) == []


def test_an_acknowledgement_of_what_was_not_sent_is_out_of_turn() -> None:
    machine = welcomed(machine_with(1))
    with pytest.raises(OutOfTurn):
        machine.received(Response(ack=pb.Ack(seq=1, position=1)))


def test_after_a_cut_it_goes_on_after_what_the_server_has() -> None:
    machine = welcomed(machine_with(4))
    machine.next_batch()
    machine.received(Response(ack=pb.Ack(seq=1, position=1, resume_token="mark")))
    machine.cut()
    hello = machine.greet(START).hello
    assert (hello.last_seq, hello.resume_token) == (1, "mark")
    machine.received(Response(welcome=pb.Welcome(acked_seq=1, window=100)))
    request = machine.next_batch()
    assert request is not None
    assert (request.batch.first_seq, len(request.batch.events)) == (2, 3)


def test_a_farewell_stops_sending_and_says_how_long_to_wait() -> None:
    machine = welcomed(machine_with(2), window=1)
    machine.next_batch()
    farewell = pb.Reconnect(resume_token="mark")
    farewell.after.FromMilliseconds(1500)
    assert machine.received(Response(reconnect=farewell)) == [Leave(1.5)]
    assert len(machine.received(Response(ack=pb.Ack(seq=1, position=1)))) == 1
    assert machine.next_batch() is None
    machine.cut()
    assert machine.greet(START).hello.resume_token == "mark"


def test_a_refused_token_is_forgotten_and_told() -> None:
    outbox = MemoryOutbox()
    outbox.resume_token = "stale"
    machine = machine_with(0, outbox)
    assert machine.greet(START).hello.resume_token == "stale"
    failure = Failure(reason=reasons.ERROR_REASON_RESUME_TOKEN_INVALID)
    effects = machine.received(Response(reject=pb.Reject(failure=failure)))
    assert effects == [HelloRefused(failure)]
    machine.cut()
    assert machine.greet(START).hello.resume_token == ""


def test_an_outbox_the_server_knows_more_of_is_numbered_anew() -> None:
    machine = machine_with(2)
    machine.greet(START)
    machine.received(Response(welcome=pb.Welcome(acked_seq=5, window=100)))
    assert machine.phase is Phase.OFFLINE
    hello = machine.greet(START).hello
    assert hello.epoch > 7
    assert (hello.last_seq, hello.resume_token) == (0, "")


def test_a_message_of_a_newer_contract_is_passed_over() -> None:
    machine = welcomed(machine_with(0))
    assert machine.received(Response.FromString(b"\xfa\x07\x00")) == []


def test_live_feedback_is_handed_on() -> None:
    cue = pb.LiveFeedback(session_id="session-1", cue="knee_valgus")
    assert welcomed(machine_with(0)).received(Response(feedback=cue)) == [cue]


def test_a_session_begun_later_is_told_by_another_hello() -> None:
    machine = welcomed(machine_with(1))
    assert not machine.hello_is_outdated
    machine.session_id = "session-2"
    assert machine.hello_is_outdated
    machine.leave()
    assert machine.next_batch() is None
    machine.cut()
    assert machine.greet(START).hello.session_id == "session-2"
    assert not machine.hello_is_outdated


def test_a_session_that_ended_needs_no_other_hello() -> None:
    machine = welcomed(machine_with(1))
    machine.session_id = ""
    assert not machine.hello_is_outdated
