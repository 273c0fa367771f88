"""What can go wrong on the device, told in one line that names the field and the rule."""

from __future__ import annotations


class EdgeError(Exception):
    """Base of all of them."""


class Unreadable(EdgeError):
    """A recording that is not there, or not of its format."""


class UnknownExercise(EdgeError):
    """An exercise that nothing is known of."""


class Unmeasurable(EdgeError, ValueError):
    """A path from which nothing can be measured: too short, or with gaps."""


class NoRuntime(EdgeError):
    """No TFLite runtime that works here."""


class ModelRefused(EdgeError, ValueError):
    """A model that a runtime cannot load, or values that do not fit it."""


class Uncalibrated(EdgeError, ValueError):
    """Repetitions that no baseline can be made from."""
