"""What a mapping is told from outside: whose record it is, and how its receiver is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from rehab_emr.domain.keys import DEVICE, FINE_KINDS, KINDS, PROVENANCE, READING, ResourceKey


@dataclass(frozen=True, slots=True)
class Identifier:
    """A business identifier, such as a medical record number."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class Options:
    """What a receiver wants beside session and week summaries, vitals and pain.

    `rep_series` sends the range of motion of every repetition, one series a set; `readings` sends
    each reading of a metric that is told by the minute, beside its days' summaries: of a history
    that was made to tell of them (`History.empty`).
    """

    rep_series: bool = False
    readings: bool = False
    checked_codes_only: bool = False
    """Leave out codes that were read in secondary sources alone (`codes`)."""
    provenance: bool = True
    devices: bool = True

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of keys to send; a key of any other kind wants no delivery."""
        left_out = set(FINE_KINDS)
        if self.rep_series:
            left_out.discard("rep_series")
        if self.readings:
            left_out.discard(READING)
        if not self.provenance:
            left_out.add(PROVENANCE)
        if not self.devices:
            left_out.add(DEVICE)
        return KINDS - left_out


@dataclass(frozen=True, slots=True)
class Links:
    """`patient` is the literal reference at the receiver, such as "Patient/123"; where it is empty
    `patient_identifier` names the patient.

    `base` begins every system and canonical URL of ours and has no slash at its end. `organization`
    is the literal reference of the clinic at the receiver, empty where it has none. `known` has the
    literal references of what the receiver has already, such as "Observation/17".
    """

    base: str
    patient: str = ""
    patient_identifier: Identifier | None = None
    organization: str = ""
    known: Mapping[ResourceKey, str] = field(default_factory=lambda: MappingProxyType({}))
    options: Options = Options()

    def identifier(self, key: ResourceKey) -> Identifier:
        """The identifier by which the receiver knows the resource."""
        return Identifier(f"{self.base}/fhir/identifier/{key.kind.replace('_', '-')}", key.id)

    def code_system(self) -> str:
        return f"{self.base}/fhir/CodeSystem/rehab"


class Form(StrEnum):
    """How a Bundle is meant."""

    TRANSACTION = "transaction"
    BATCH = "batch"
    COLLECTION = "collection"
    SINGLY = "singly"
    """No Bundle at all: a request for each resource."""


class IfNoneExist(StrEnum):
    """What receivers take for the search of a conditional create. The standard wants parameters
    only; some servers find nothing, or create twice, unless told otherwise."""

    PARAMETERS = ""
    QUESTION_MARK = "?"
    TYPED = "type?"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a receiver wants conditional requests written."""

    if_none_exist: IfNoneExist = IfNoneExist.PARAMETERS
    encode_separator: bool = False
    """Whether the `|` of `identifier=system|value` goes as %7C."""
