"""From a patient's history to resources of FHIR R4."""

from __future__ import annotations

from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.resource import Resource


def resource(
    history: History, key: ResourceKey, links: Links, *, again: bool = False
) -> Resource | None:
    """The resource as the history now tells it; None when there is nothing to tell.

    `again` says that the receiver may have it already, an unknown outcome included: it is then
    `amended`. Where every event it rested on was corrected away, it is `entered-in-error` and holds
    no values: send that only to a receiver that may have it. Compare `digest` with that of what was
    sent last: the same means that there is no news.

    Raises ValueError for content that cannot be, such as a time outside years 1 to 9999.
    """
    raise NotImplementedError


def provenance(of: Resource, history: History, links: Links) -> Resource:
    """Who made it, from which events, by which program: a Provenance whose target it is.

    R4 gives Provenance no identifier: its name is a tag, and `condition` searches for that. Every
    content of a resource has its own.
    """
    raise NotImplementedError
