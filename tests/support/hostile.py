"""Text that somebody types who means harm."""

from __future__ import annotations

CANARY = "Xq7 canary Zw"
"""What is sent with hostile text, and must be found nowhere else. No id may have a space in it, so
it is never one that an error or a log line may name."""

TEXTS = {
    "quotes": f"'{CANARY}\" `",
    "drop": f"{CANARY}'; DROP TABLE events; --",
    "union": f"{CANARY}' OR '1'='1' UNION SELECT * FROM account --",
    "dollar": f"$1 $$ {CANARY} $tag$",
    "nul": f"{CANARY}\x00tail",
    "newline": f'{CANARY}\n{{"level": "error", "event": "forged"}}\r\nlast',
    "ansi": f"\x1b[31m{CANARY}\x1b[0m\x1b]0;title\x07",
    "separators": f"{CANARY}\u2028next\u2029paragraph\x85line",
    "right to left": f"{CANARY}\u202etxt.exe\u2066\u2069",
    "format": f"{CANARY} {{0}} {{}} %s %n %(name)s ${{jndi:ldap://x}}",
    "traversal": f"../../{CANARY}/../etc/passwd",
    "wide": f"{CANARY} \U0001f9d1\u200d\U0001f9bd \U0010ffff \ufeff\ufffe",
    "combining": CANARY + "\u0301" * 40,
    "long": CANARY * 1_700,
    "space": f" {CANARY}\t\u00a0 ",
}
"""Each by what is nasty about it. All are valid Unicode: what is not, protobuf itself refuses."""
