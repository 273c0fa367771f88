from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKeyStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetKeyStatusResponse(_message.Message):
    __slots__ = ("kek_id", "versions")
    KEK_ID_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    kek_id: str
    versions: _containers.RepeatedCompositeFieldContainer[KekVersion]
    def __init__(self, kek_id: _Optional[str] = ..., versions: _Optional[_Iterable[_Union[KekVersion, _Mapping]]] = ...) -> None: ...

class KekVersion(_message.Message):
    __slots__ = ("version", "accounts", "secrets", "newest")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    version: int
    accounts: int
    secrets: int
    newest: bool
    def __init__(self, version: _Optional[int] = ..., accounts: _Optional[int] = ..., secrets: _Optional[int] = ..., newest: bool = ...) -> None: ...

class RotateKekRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RotateKekResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class RewrapKeysRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RewrapKeysResponse(_message.Message):
    __slots__ = ("moved", "left")
    MOVED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    moved: int
    left: int
    def __init__(self, moved: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...

class DestroyOldKeksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DestroyOldKeksResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...
