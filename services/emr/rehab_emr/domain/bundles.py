"""Several resources in one request."""

from __future__ import annotations

from collections.abc import Sequence

from rehab_emr.domain.links import Dialect, Form, Links
from rehab_emr.domain.resource import Resource

PLAIN = Dialect()


def bundle(
    resources: Sequence[Resource], links: Links, form: Form, dialect: Dialect = PLAIN
) -> bytes:
    """A Bundle with one entry a resource, in their order: entry n of the answer is of resource n.

    What is final is created unless it is there (`ifNoneExist`); what is amended or entered in error
    is updated by a conditional PUT. References go to the receiver's own ids where `links.known` has
    them, within a transaction to the entry, otherwise to the identifier.

    Raises ValueError for two resources of one key: identities must not overlap.
    """
    raise NotImplementedError
