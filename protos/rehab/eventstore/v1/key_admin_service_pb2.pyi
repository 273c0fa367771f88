import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKeyStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class KekStatus(_message.Message):
    __slots__ = ("kek_id", "kek_version", "living", "sealing", "destroyed", "newest")
    KEK_ID_FIELD_NUMBER: _ClassVar[int]
    KEK_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIVING_FIELD_NUMBER: _ClassVar[int]
    SEALING_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    kek_id: str
    kek_version: str
    living: int
    sealing: int
    destroyed: int
    newest: bool
    def __init__(self, kek_id: _Optional[str] = ..., kek_version: _Optional[str] = ..., living: _Optional[int] = ..., sealing: _Optional[int] = ..., destroyed: _Optional[int] = ..., newest: bool = ...) -> None: ...

class GetKeyStatusResponse(_message.Message):
    __slots__ = ("keeper", "keks", "oldest_sealing_at", "source")
    KEEPER_FIELD_NUMBER: _ClassVar[int]
    KEKS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SEALING_AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    keeper: str
    keks: _containers.RepeatedCompositeFieldContainer[KekStatus]
    oldest_sealing_at: _timestamp_pb2.Timestamp
    source: str
    def __init__(self, keeper: _Optional[str] = ..., keks: _Optional[_Iterable[_Union[KekStatus, _Mapping]]] = ..., oldest_sealing_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., source: _Optional[str] = ...) -> None: ...

class RotateKekRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RotateKekResponse(_message.Message):
    __slots__ = ("kek_id", "kek_version")
    KEK_ID_FIELD_NUMBER: _ClassVar[int]
    KEK_VERSION_FIELD_NUMBER: _ClassVar[int]
    kek_id: str
    kek_version: str
    def __init__(self, kek_id: _Optional[str] = ..., kek_version: _Optional[str] = ...) -> None: ...

class RotateDataKeyRequest(_message.Message):
    __slots__ = ("subject_id",)
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    subject_id: str
    def __init__(self, subject_id: _Optional[str] = ...) -> None: ...

class RotateDataKeyResponse(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class RewrapDataKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RewrapDataKeysResponse(_message.Message):
    __slots__ = ("moved", "left", "refused")
    MOVED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    moved: int
    left: int
    refused: int
    def __init__(self, moved: _Optional[int] = ..., left: _Optional[int] = ..., refused: _Optional[int] = ...) -> None: ...
