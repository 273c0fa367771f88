"""Units: the UCUM codes that may be sent, and how people read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNITS: Mapping[str, str] = MappingProxyType(
    {
        "/min": "per minute",
        "mm[Hg]": "mmHg",
        "ms": "ms",
        "s": "s",
        "min": "min",
        "h": "h",
        "%": "%",
        "deg": "degrees",
        "kcal": "kcal",
        "kJ": "kJ",
        "m": "m",
        "km": "km",
        "[mi_i]": "mi",
        "kg": "kg",
        "g": "g",
        "[lb_av]": "lb",
        "Cel": "°C",
        "[degF]": "°F",
        "{score}": "score",
        "{repetitions}": "repetitions",
        "{sets}": "sets",
        "{steps}": "steps",
        "{sessions}": "sessions",
        "1": "",
    }
)
"""By code; every one is a term of UCUM's grammar."""
