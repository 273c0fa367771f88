"""Our own code system, to be published where its URL points."""

from __future__ import annotations

from rehab_emr.domain import codes
from rehab_emr.domain.links import Links
from rehab_emr.domain.resource import dumped

VERSION = "1"
"""Raised with every code that is added; a code is never given another meaning."""


def code_system(links: Links) -> bytes:
    """A CodeSystem of R4 with every code and value of ours."""
    return dumped(
        {
            "resourceType": "CodeSystem",
            "url": links.code_system(),
            "version": VERSION,
            "name": "Rehab",
            "title": "Exercise at home",
            "status": "active",
            "caseSensitive": True,
            "content": "complete",
            "concept": [{"code": one.code, "display": one.display} for one in codes.own_codes()],
        }
    )
