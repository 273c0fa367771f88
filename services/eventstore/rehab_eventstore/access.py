"""Who may use the log: the suite's own services. People reach it through them."""

from __future__ import annotations

from rehab_runtime.auth import current_principal
from rehab_runtime.errors import PermissionDenied


def require_service() -> None:
    principal = current_principal()
    if principal.role != "service":
        raise PermissionDenied(f"a {principal.role} may not use the log itself")
