"""What Vault answers, in our errors: never in its own words, which may hold keys."""

from __future__ import annotations

import requests
from hvac import exceptions

from rehab_runtime.keepers.wrapper import KeyRefused, KeysUnavailable


class Forbidden(KeyRefused):
    """Vault does not take the token, or its policy forbids the request."""


NOT_VAULT = "what answers is not Vault's API", "correct Vault's address"

Verdict = type[KeysUnavailable] | type[KeyRefused]

# the first that fits
VERDICTS: tuple[tuple[type[Exception], Verdict, str, str], ...] = (
    (
        exceptions.Forbidden,
        Forbidden,
        "Vault forbids it",
        "let the policy update encrypt, decrypt and rewrap and read the key; renew the token",
    ),
    (exceptions.Unauthorized, Forbidden, "Vault does not know the token", "renew the token"),
    (
        exceptions.InvalidPath,
        KeyRefused,
        "Vault knows no such path",
        "correct the mount and the key's name, or enable transit",
    ),
    (
        exceptions.InvalidRequest,
        KeyRefused,
        "Vault refuses the request",
        "see that the transit key exists, and Vault's audit log",
    ),
    (
        exceptions.RateLimitExceeded,
        KeysUnavailable,
        "Vault answers too many requests",
        "raise its rate limit quota",
    ),
    (
        exceptions.VaultDown,
        KeysUnavailable,
        "Vault is sealed or in maintenance",
        "run: vault operator unseal",
    ),
    (
        exceptions.VaultNotInitialized,
        KeysUnavailable,
        "Vault is not initialised",
        "run: vault operator init",
    ),
    (exceptions.VaultError, KeysUnavailable, "Vault is in trouble", "run: vault status"),
    (
        requests.exceptions.SSLError,
        KeyRefused,
        "Vault's certificate is not trusted",
        "name the file of its CA",
    ),
    (
        requests.exceptions.Timeout,
        KeysUnavailable,
        "Vault does not answer in time",
        "see its load and the network",
    ),
    (
        requests.exceptions.RequestException,
        KeysUnavailable,
        "Vault cannot be reached",
        "see its address and the network",
    ),
    (OSError, KeyRefused, "the file with the token cannot be read", "see its path and mode"),
    # what a closed pool of threads raises
    (RuntimeError, KeysUnavailable, "the session with Vault is closed", "ask another replica"),
)


def translated(error: Exception) -> KeysUnavailable | KeyRefused:
    if isinstance(error, KeysUnavailable | KeyRefused):
        return error
    for kind, verdict, line, remedy in VERDICTS:
        if isinstance(error, kind):
            return verdict(line, remedy)
    return KeysUnavailable(*NOT_VAULT)
