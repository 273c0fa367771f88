"""Checked CEL expressions as trees: what the library writes of an expression, opened.

The messages are those of cel-spec's cel/expr/checked.proto and syntax.proto, as far as they are
needed; the numbers of their fields are theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_SCALARS = {
    "bool": _FIELD.TYPE_BOOL,
    "int64": _FIELD.TYPE_INT64,
    "uint64": _FIELD.TYPE_UINT64,
    "double": _FIELD.TYPE_DOUBLE,
    "string": _FIELD.TYPE_STRING,
}
BOOL, INT, UINT, DOUBLE, STRING = 1, 2, 3, 4, 5
"""`Type.primitive`."""
_MESSAGES: Mapping[str, str] = {
    "Constant": "bool_value bool 2, int64_value int64 3, uint64_value uint64 4,"
    " double_value double 5, string_value string 6",
    "Ident": "name string 1",
    "Select": "operand Expr 1, field string 2, test_only bool 3",
    "Call": "target Expr 1, function string 2, args Expr* 3",
    "CreateList": "elements Expr* 1",
    "Comprehension": "iter_var string 1, iter_range Expr 2, accu_var string 3, accu_init Expr 4,"
    " loop_condition Expr 5, loop_step Expr 6, result Expr 7, iter_var2 string 8",
    "Expr": "id int64 2, const_expr Constant 3, ident_expr Ident 4, select_expr Select 5,"
    " call_expr Call 6, list_expr CreateList 7, comprehension_expr Comprehension 9",
    "ListType": "elem_type Type 1",
    "Type": "primitive int64 3, list_type ListType 6, message_type string 9",
    "Reference": "name string 1, overload_id string* 3, value Constant 4",
    "ReferenceEntry": "key int64 1, value Reference 2",
    "TypeEntry": "key int64 1, value Type 2",
    "CheckedExpr": "reference_map ReferenceEntry* 2, type_map TypeEntry* 3, expr Expr 4",
}


def _made() -> Any:
    package = "rehab.policy.checked"
    file = descriptor_pb2.FileDescriptorProto(name="checked.proto", package=package)
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for told in fields.split(","):
            field, kind, number = told.split()
            many, kind = kind.endswith("*"), kind.rstrip("*")
            added = message.field.add(
                name=field,
                number=int(number),
                label=_FIELD.LABEL_REPEATED if many else _FIELD.LABEL_OPTIONAL,
                type=_SCALARS.get(kind, _FIELD.TYPE_MESSAGE),
            )
            if kind not in _SCALARS:
                added.type_name = f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.CheckedExpr"))


_CHECKED = _made()


class Checked:
    """The tree of an expression, with what its parts refer to and are."""

    def __init__(self, serialized: bytes) -> None:
        told = _CHECKED.FromString(any_pb2.Any.FromString(serialized).value)
        self.expr = told.expr
        self._references = {entry.key: entry.value for entry in told.reference_map}
        self._types = {entry.key: entry.value for entry in told.type_map}

    def constant(self, expr: Any) -> Any:
        """The constant that a name stands for, None when it stands for none."""
        known = self._references.get(expr.id)
        return known.value if known is not None and known.HasField("value") else None

    def overload(self, expr: Any) -> str:
        """The one function that a call means, empty when that is only known later."""
        known = self._references.get(expr.id)
        told = list(known.overload_id) if known is not None else []
        return told[0] if len(told) == 1 else ""

    def primitive(self, expr: Any) -> int:
        """BOOL, INT, … ; 0 for what is none of them."""
        known = self._types.get(expr.id)
        return known.primitive if known is not None else 0

    def message(self, expr: Any) -> Any:
        """The descriptor of a message, None for what is none."""
        known = self._types.get(expr.id)
        name = known.message_type if known is not None else ""
        return descriptor_pool.Default().FindMessageTypeByName(name) if name else None
