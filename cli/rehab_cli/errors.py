"""What a command tells instead of a traceback."""

from __future__ import annotations


class SuiteError(Exception):
    """The suite cannot run, or cannot be asked: one line that says why and what to do."""
