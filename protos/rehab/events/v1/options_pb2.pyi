from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
PHI_FIELD_NUMBER: _ClassVar[int]
phi: _descriptor.FieldDescriptor
RTM_QUALIFYING_FIELD_NUMBER: _ClassVar[int]
rtm_qualifying: _descriptor.FieldDescriptor
FREE_TEXT_FIELD_NUMBER: _ClassVar[int]
free_text: _descriptor.FieldDescriptor
