"""The rule book that comes with this service."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources


def shipped() -> Mapping[str, str]:
    """Its texts by their file names, without those of its tests."""
    folder = resources.files("rehab_policy").joinpath("book")
    found = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name: file.read_text("utf-8")
        for file in found
        if file.name.endswith(".yaml") and not file.name.endswith(".test.yaml")
    }
