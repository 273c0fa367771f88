"""Who may use the log: the suite's own services. People reach it through them."""

from __future__ import annotations

from collections.abc import Collection

from rehab_runtime.auth import current_principal
from rehab_runtime.errors import PermissionDenied


def require_service(allowed: Collection[str] = ()) -> str:
    """The name of the service that calls; if any are told, only those may. Raises
    PermissionDenied."""
    principal = current_principal()
    if principal.role != "service":
        raise PermissionDenied(f"a {principal.role} may not use the log itself")
    name = principal.id.removeprefix("service-")
    if allowed and name not in allowed:
        raise PermissionDenied(f"the service {name} may not do this")
    return name
