"""One resource as it is now, with what it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Identifier

Json = dict[str, Any]


class Status(StrEnum):
    """Of R4's observation statuses those that are sent: nothing leaves before it is final."""

    FINAL = "final"
    AMENDED = "amended"
    ENTERED_IN_ERROR = "entered-in-error"


@dataclass(frozen=True)
class Resource:
    """`content` is the resource, to be read only: references to other resources of ours in it name
    their identifiers, and become literal ones or such within a Bundle by `bundle`.

    `event_ids` are the events it rests on, oldest first, and `event_kinds` their kinds: what a
    consent's scope is compared with. `members` are those of `hasMember`; `references` all of ours
    that it refers to, `members` included. `condition` is the search that finds it at the receiver,
    such as "identifier=https://…|…", not percent-encoded.
    """

    key: ResourceKey
    type: str
    status: Status
    identifier: Identifier
    condition: str
    content: Mapping[str, Any] = field(repr=False)
    event_ids: tuple[str, ...]
    event_kinds: frozenset[str]
    members: tuple[ResourceKey, ...] = ()
    references: frozenset[ResourceKey] = frozenset()

    @property
    def json(self) -> bytes:
        """As it stands, references by identifier."""
        return dumped(self.content)

    @property
    def digest(self) -> bytes:
        """The same as long as the receiver would be told nothing new: the status is no news."""
        told = {name: value for name, value in self.content.items() if name != "status"}
        if self.status is Status.ENTERED_IN_ERROR:
            told["status"] = self.status.value
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()


def dumped(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
