"""Groups whose commands are imported when they are asked for: to import them all takes longer than
most of them run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True)
class Group:
    """Commands by name, each as module:function of this package, and groups."""

    help: str
    commands: Mapping[str, str | Group]


def typer_of(group: Group) -> typer.Typer:
    """The group for Typer, empty as yet."""

    class Lazy(TyperGroup):
        def list_commands(self, _context: Any) -> list[str]:
            return list(group.commands)

        def get_command(self, _context: Any, name: str) -> Any:
            if name in group.commands and name not in self.commands:
                self.commands[name] = _made(name, group.commands[name])
            return self.commands.get(name)

        def resolve_command(self, context: Any, words: list[str]) -> Any:
            """A name that is none is compared with all there are."""
            if words[0] not in group.commands:
                for name in group.commands:
                    self.get_command(context, name)
            return super().resolve_command(context, words)

    return typer.Typer(cls=Lazy, no_args_is_help=True, add_completion=False, help=group.help)


def _made(name: str, told: str | Group) -> Any:
    if isinstance(told, Group):
        group = get_group(typer_of(told))
        group.name = name
        return group
    module, function = told.split(":")
    one = typer.Typer(add_completion=False)
    one.command(name)(getattr(import_module(f"rehab_cli.{module}"), function))
    return get_command(one)
