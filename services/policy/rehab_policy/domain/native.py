"""Checked CEL expressions as Python functions: the way into the library and back costs more than
what most conditions ask.

Only what cannot fail is translated: fields of messages, has(), comparisons of equal types, logic,
exists, all, map, filter, sums and products of doubles, texts put together. Whatever else there is,
the library evaluates, and it decides wherever a function raises. So both say the same, with one
difference: the library gives up after 10,000 turns of loops.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType
from typing import Any

from rehab_policy.domain.checked import BOOL, DOUBLE, INT, STRING, UINT, Checked

Native = Callable[[Mapping[str, Any]], Any]
"""Takes the values of variables by name."""
_COMPARED = {"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_RECKONED = {
    "add_double": "+",
    "subtract_double": "-",
    "multiply_double": "*",
    "add_string": "+",
}
_LOGIC = {"_&&_": "and", "_||_": "or"}
_PLAIN = frozenset({BOOL, INT, UINT, DOUBLE, STRING})
_RESERVED = "google.protobuf."
"""Timestamps, wrappers and the like are not what they are as messages."""


class _Foreign(Exception):
    """Not for Python."""


def native(serialized: bytes) -> Native | None:
    """The function of an expression that the library has checked and written; None when it stays
    the library's."""
    checked = Checked(serialized)
    try:
        text = _Translation(checked).function()
    except (_Foreign, RecursionError):
        return None
    made = compile(text, "<rule>", "exec").co_consts
    code = next(one for one in made if isinstance(one, CodeType))
    return FunctionType(code, {"list": list})


class _Translation:
    """Every text of the expression's own goes through repr(); every name is one of the contract's
    or made here. What several conditions read of the event, limits and facts is read once."""

    def __init__(self, checked: Checked) -> None:
        self._checked = checked
        self._names: dict[str, str] = {}
        self._loops = 0
        self._read: dict[str, str] = {}

    def function(self) -> str:
        result = self.result(self._checked.expr)
        reads = "".join(f"    {name} = {text}\n" for text, name in self._read.items())
        return f"def rule(v):\n{reads}    return {result}\n"

    def result(self, expr: Any) -> str:
        """A value that Python has as the library gives it: plain, or a list of such."""
        kind = _kind(expr)
        if kind == "list_expr":
            return f"[{', '.join(self.result(one) for one in expr.list_expr.elements)}]"
        if kind == "call_expr" and expr.call_expr.function == "dyn":
            return self.result(expr.call_expr.args[0])
        if kind == "call_expr" and expr.call_expr.function == "_?_:_":
            return self._choice(expr.call_expr, self.result)
        if kind == "comprehension_expr":
            return self._loop(expr.comprehension_expr, self.result)
        return self._plain(expr)

    def _plain(self, expr: Any) -> str:
        if self._checked.primitive(expr) not in _PLAIN:
            raise _Foreign
        return self._text(expr)

    def _text(self, expr: Any) -> str:
        match _kind(expr):
            case "const_expr":
                return _constant(expr.const_expr)
            case "ident_expr":
                return self._name(expr)
            case "select_expr":
                return self._select(expr)
            case "call_expr":
                return self._call(expr)
            case "comprehension_expr":
                return self._loop(expr.comprehension_expr, self._plain)
        raise _Foreign

    def _name(self, expr: Any) -> str:
        constant = self._checked.constant(expr)
        if constant is not None:
            return _constant(constant)
        name = expr.ident_expr.name
        return self._names.get(name) or self._once(f"v[{name!r}]")

    def _once(self, text: str) -> str:
        return self._read.setdefault(text, f"r{len(self._read)}")

    def _select(self, expr: Any) -> str:
        constant = self._checked.constant(expr)
        if constant is not None:
            return _constant(constant)
        select = expr.select_expr
        message = self._checked.message(select.operand)
        field = message.fields_by_name.get(select.field) if message is not None else None
        if field is None or message.full_name.startswith(_RESERVED) or not _is_known(field):
            raise _Foreign
        operand = self._text(select.operand)
        text = f"{operand}.{select.field}"
        if select.test_only:
            if not field.has_presence:
                raise _Foreign
            text = f"{operand}.HasField({select.field!r})"
        elif field.is_repeated:
            text = f"list({text})"  # or else each turn makes its messages anew
        return self._once(text) if operand.startswith("r") else text

    def _call(self, expr: Any) -> str:
        call, args = expr.call_expr, expr.call_expr.args
        function, overload = call.function, self._checked.overload(expr)
        between = _LOGIC.get(function) or _RECKONED.get(overload)
        if call.HasField("target"):
            raise _Foreign
        if between is not None:
            return f"({self._plain(args[0])} {between} {self._plain(args[1])})"
        if function == "_?_:_":
            return self._choice(call, self._plain)
        if function in _COMPARED:
            return self._comparison(function, *args)
        if function == "@in":
            return self._membership(*args)
        return self._of_one(overload, args[0])

    def _of_one(self, overload: str, arg: Any) -> str:
        if overload == "logical_not":
            return f"(not {self._plain(arg)})"
        if overload == "negate_double":
            return f"(-{self._plain(arg)})"
        if overload in ("uint64_to_double", "int64_to_double"):
            return f"({self._plain(arg)} * 1.0)"
        if overload == "double_to_double":
            return self._plain(arg)
        if overload == "int64_to_uint64" and _is_count(arg):
            return self._plain(arg)
        if overload == "size_list":
            return f"{self._sequence(arg)}.__len__()"
        raise _Foreign

    def _choice(self, call: Any, of: Callable[[Any], str]) -> str:
        asked, yes, no = call.args
        return f"({of(yes)} if {self._plain(asked)} else {of(no)})"

    def _comparison(self, function: str, left: Any, right: Any) -> str:
        if self._checked.primitive(left) != self._checked.primitive(right):
            raise _Foreign
        return f"({self._plain(left)} {_COMPARED[function]} {self._plain(right)})"

    def _membership(self, one: Any, among: Any) -> str:
        told = list(among.list_expr.elements)
        kinds = {self._checked.primitive(item) for item in (one, *told)}
        if _kind(among) != "list_expr" or not told or len(kinds) > 1 or DOUBLE in kinds:
            raise _Foreign
        return f"({self._plain(one)} in ({''.join(f'{self._plain(item)}, ' for item in told)}))"

    def _sequence(self, expr: Any) -> str:
        """Something to go through, maybe of messages."""
        if _kind(expr) == "comprehension_expr":
            return self._loop(expr.comprehension_expr, self._text)
        if _kind(expr) != "select_expr":
            raise _Foreign
        return self._select(expr)

    def _loop(self, loop: Any, of: Callable[[Any], str]) -> str:
        """exists, all, map and filter, as the library writes them out."""
        if loop.iter_var2 or _kind(loop.result) != "ident_expr":
            raise _Foreign
        among = self._sequence(loop.iter_range)
        before = self._names.get(loop.iter_var)
        self._loops += 1
        name = self._names[loop.iter_var] = f"i{self._loops}"
        try:
            text = self._looped(loop, f"for {name} in {among}", of)
        finally:
            self._names.pop(loop.iter_var)
            if before is not None:
                self._names[loop.iter_var] = before
        return text

    def _looped(self, loop: Any, every: str, of: Callable[[Any], str]) -> str:
        step = loop.loop_step.call_expr
        if step.function != "_?_:_" and step.args[0].ident_expr.name != loop.accu_var:
            raise _Foreign
        match step.function, _kind(loop.accu_init):
            case "_||_", "const_expr" if not loop.accu_init.const_expr.bool_value:
                return f"([1 {every} if {self._plain(step.args[1])}] != [])"
            case "_&&_", "const_expr" if loop.accu_init.const_expr.bool_value:
                return f"([1 {every} if not {self._plain(step.args[1])}] == [])"
            case "_+_", "list_expr":
                return f"[{of(_added(step))} {every}]"
            case "_?_:_", "list_expr":
                asked, more, _ = step.args
                return f"[{of(_added(more.call_expr))} {every} if {self._plain(asked)}]"
        raise _Foreign


def _kind(expr: Any) -> str:
    told = expr.ListFields()
    return next((field.name for field, _ in told if field.name != "id"), "")


def _added(step: Any) -> Any:
    """What a turn of a loop adds to its list."""
    if step.function != "_+_" or len(step.args[1].list_expr.elements) != 1:
        raise _Foreign
    return step.args[1].list_expr.elements[0]


def _constant(told: Any) -> str:
    known = told.ListFields()
    if len(known) != 1:
        raise _Foreign
    return repr(known[0][1])


def _is_known(field: Any) -> bool:
    """Whether Python has the field as CEL sees it."""
    of = field.message_type
    if of is not None and (of.full_name.startswith(_RESERVED) or of.GetOptions().map_entry):
        return False
    return field.type != field.TYPE_BYTES and not keyword.iskeyword(field.name)


def _is_count(expr: Any) -> bool:
    return bool(expr.call_expr.function == "size")
