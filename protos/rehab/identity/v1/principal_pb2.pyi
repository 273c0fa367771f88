from rehab.events.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Principal(_message.Message):
    __slots__ = ("principal_id", "role", "clinic_id", "patient_id", "session_id", "scopes")
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    principal_id: str
    role: _event_pb2.Role
    clinic_id: str
    patient_id: str
    session_id: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, principal_id: _Optional[str] = ..., role: _Optional[_Union[_event_pb2.Role, str]] = ..., clinic_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., session_id: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ...) -> None: ...
