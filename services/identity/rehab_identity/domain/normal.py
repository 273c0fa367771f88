"""One form for what people write in many ways."""

from __future__ import annotations

import unicodedata

ROUNDS = 4
"""Folding and normalising settle in two; a bound all the same."""


def normal(text: str) -> str:
    """Trimmed, compatibility-normalised (NFKC) and case-folded, so that equal addresses are equal
    texts. The normal form of a normal form is itself."""
    for _ in range(ROUNDS):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = folded.strip()
        if folded == text:
            break
        text = folded
    return text


def normal_password(password: str) -> str:
    """The same letters by whatever keyboard: NFC, as RFC 8265 section 4.2 has it."""
    return unicodedata.normalize("NFC", password)
