"""What a rule of the access table says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Relation(StrEnum):
    """How the caller stands to what the call is about."""

    OWN = "own"
    """It is the caller's own: the patient, or a device that acts for the patient."""
    CARE = "care"
    """The caller treats the patient now."""
    GRANT = "grant"
    """The caller has taken emergency access to the patient."""
    CLINIC = "clinic"
    """The caller belongs to the clinic."""
    SUITE = "suite"
    """A service of the suite."""


@dataclass(frozen=True)
class Rule:
    """Who may call an RPC: `who` gives, by role, the relations of which one must hold; a role
    that is not there may not. `about` and `clinic` are the request's fields that name patient
    and clinic, "asked.patient_id" for a field of a field, empty where none does. Whoever relies
    on CARE or CLINIC to see a patient needs the patient's consent to `purpose`, if one is
    named."""

    who: Mapping[str, frozenset[Relation]]
    about: str = ""
    clinic: str = ""
    purpose: str = ""
    scope: str = ""
    """What an API key must be made for; empty: no API key may."""
    services: frozenset[str] = field(default_factory=frozenset)
    """The services that may; any when empty."""
    traced: bool = False
    """It reads or changes what is a patient's: an audit event tells of it before the answer."""
    per_item: bool = False
    """What it is about comes piece by piece: the service decides on each by this rule."""
    open: bool = False
    """Whoever calls shows who they are by the request itself."""
