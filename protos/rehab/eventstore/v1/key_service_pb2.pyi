from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetDataKeysRequest(_message.Message):
    __slots__ = ("subject_ids", "key_ids")
    SUBJECT_IDS_FIELD_NUMBER: _ClassVar[int]
    KEY_IDS_FIELD_NUMBER: _ClassVar[int]
    subject_ids: _containers.RepeatedScalarFieldContainer[str]
    key_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, subject_ids: _Optional[_Iterable[str]] = ..., key_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DataKey(_message.Message):
    __slots__ = ("key_id", "subject_id", "key", "destroyed")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DESTROYED_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    subject_id: str
    key: bytes
    destroyed: bool
    def __init__(self, key_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., key: _Optional[bytes] = ..., destroyed: bool = ...) -> None: ...

class GetDataKeysResponse(_message.Message):
    __slots__ = ("keys", "ttl_s")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    TTL_S_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedCompositeFieldContainer[DataKey]
    ttl_s: int
    def __init__(self, keys: _Optional[_Iterable[_Union[DataKey, _Mapping]]] = ..., ttl_s: _Optional[int] = ...) -> None: ...
