"""Codes that people read to each other and type.

Crockford's base 32 (crockford.com/base32.html): digits and letters without I, L, O, U; in what is
typed, case and hyphens do not matter and O, I, L stand for 0, 1, 1. The last character is a check:
the sum of the others, each by its weight, modulo 31. 31 is prime, so one wrong character, or two
that were swapped, never pass.
"""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 10
"""50 bits: with a quarter of an hour to live and a limit of failures none is ever guessed."""
LENGTH = RANDOM_CHARACTERS + 1
MODULUS = 31
USABLE = ALPHABET[:MODULUS]
"""Z is left out: modulo 31 it would look like 0."""
_READ = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def new_code() -> str:
    """Shown as XXXX-XXXX-XXX."""
    digits = [secrets.randbelow(MODULUS) for _ in range(RANDOM_CHARACTERS)]
    return spelled("".join(USABLE[digit] for digit in digits))


def spelled(random: str) -> str:
    whole = random + _check(random)
    return "-".join((whole[:4], whole[4:8], whole[8:]))


def read_code(typed: str) -> str | None:
    """The code as it was made, without hyphens; None for what can be none."""
    code = typed.upper().translate(_READ)
    if len(code) != LENGTH or any(character not in USABLE for character in code):
        return None
    return code if _check(code[:-1]) == code[-1] else None


def _check(random: str) -> str:
    total = sum(
        weight * USABLE.index(character) for weight, character in enumerate(random, start=1)
    )
    return USABLE[total % MODULUS]
