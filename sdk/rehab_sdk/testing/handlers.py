"""The fake's services, put together from the descriptors of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rehab.identity.v1 import device_service_pb2 as device_pb
from rehab.identity.v1 import session_service_pb2 as session_pb
from rehab.ingest.v1 import ingest_service_pb2 as ingest_pb
from rehab_sdk.testing.accounts import Accounts, Who
from rehab_sdk.testing.ingest import FakeIngest
from rehab_sdk.testing.reads import METHODS, FakeReads
from rehab_sdk.testing.refusals import Refusal

Unary = Callable[[Any, Callable[[], Who]], Message]
INGEST = ingest_pb.DESCRIPTOR.services_by_name["IngestService"]
SESSIONS = session_pb.DESCRIPTOR.services_by_name["SessionService"]
DEVICES = device_pb.DESCRIPTOR.services_by_name["DeviceService"]


class Host(Protocol):
    accounts: Accounts

    def admit(self, rpc: str, context: grpc.ServicerContext) -> None:
        """Count the call and let it wait. Raises Refusal."""
        ...

    def caller(self, context: grpc.ServicerContext) -> Who: ...


class Handlers:
    def __init__(self, host: Host, ingest: FakeIngest, reads: FakeReads) -> None:
        self._host = host
        self._ingest = ingest
        self._reads = reads

    def all(self) -> list[grpc.GenericRpcHandler]:
        methods: dict[str, dict[str, grpc.RpcMethodHandler]] = {}
        for method, handler in self._all():
            service = methods.setdefault(method.containing_service.full_name, {})
            service[method.name] = handler
        return [grpc.method_handlers_generic_handler(*one) for one in methods.items()]

    def _all(self) -> Iterator[tuple[MethodDescriptor, grpc.RpcMethodHandler]]:
        ingest, accounts = self._ingest, self._host.accounts
        unary: dict[MethodDescriptor, Unary] = {
            INGEST.methods_by_name["LogEvent"]: lambda r, who: ingest.log_event(r, who()),
            INGEST.methods_by_name["LogEvents"]: lambda r, who: ingest.log_events(r, who()),
            SESSIONS.methods_by_name["LogIn"]: lambda r, _: session_pb.LogInResponse(
                tokens=accounts.log_in(r.clinic_id, r.email, r.password)
            ),
            SESSIONS.methods_by_name["LogInDevice"]: lambda r, _: session_pb.LogInDeviceResponse(
                tokens=accounts.log_in_device(r.assertion)
            ),
            SESSIONS.methods_by_name["RefreshSession"]: (
                lambda r, _: session_pb.RefreshSessionResponse(
                    tokens=accounts.refresh(r.refresh_token)
                )
            ),
            DEVICES.methods_by_name["EnrolDevice"]: self._enrol,
        }
        for method, call in unary.items():
            yield method, self._unary(method, call)
        streamed = INGEST.methods_by_name["StreamObservations"]
        yield streamed, self._stream(streamed)
        for method in METHODS.values():
            yield method, self._watch(method) if method.server_streaming else self._read(method)

    def _enrol(self, request: Any, _: Callable[[], Who]) -> Message:
        device = self._host.accounts.enrol(request.code, request.public_key)
        who = device.who
        return device_pb.EnrolDeviceResponse(
            device_id=who.id, patient_id=who.patient_id, clinic_id=who.clinic_id
        )

    def _unary(self, method: MethodDescriptor, call: Unary) -> grpc.RpcMethodHandler:
        def handle(request: Any, context: grpc.ServicerContext) -> Message:
            try:
                self._host.admit(method.name, context)
                return call(request, lambda: self._host.caller(context))
            except Refusal as refusal:
                refusal.abort(context)

        return grpc.unary_unary_rpc_method_handler(handle, **_serialised(method))

    def _read(self, method: MethodDescriptor) -> grpc.RpcMethodHandler:
        def call(request: Any, who: Callable[[], Who]) -> Message:
            who()
            return self._reads.read(method, request)

        return self._unary(method, call)

    def _watch(self, method: MethodDescriptor) -> grpc.RpcMethodHandler:
        def handle(request: Any, context: grpc.ServicerContext) -> Iterator[Message]:
            try:
                self._host.admit(method.name, context)
                self._host.caller(context)
            except Refusal as refusal:
                refusal.abort(context)
            yield from self._reads.watch(method, request, context)

        return grpc.unary_stream_rpc_method_handler(handle, **_serialised(method))

    def _stream(self, method: MethodDescriptor) -> grpc.RpcMethodHandler:
        def handle(requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Message]:
            try:
                self._host.admit(method.name, context)
                yield from self._ingest.stream(requests, self._host.caller(context), context)
            except Refusal as refusal:
                refusal.abort(context)

        return grpc.stream_stream_rpc_method_handler(handle, **_serialised(method))


def _serialised(method: MethodDescriptor) -> dict[str, Callable[..., Any]]:
    return {
        "request_deserializer": GetMessageClass(method.input_type).FromString,
        "response_serializer": lambda message: message.SerializeToString(),
    }
