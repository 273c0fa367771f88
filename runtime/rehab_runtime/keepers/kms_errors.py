"""What KMS and its client say, in our errors: never in their words, but for KMS's own codes."""

from __future__ import annotations

from botocore import exceptions

from rehab_runtime.keepers.wrapper import KeyRefused, KeysUnavailable

NOT_ENABLED = "see the key's state in KMS; a deletion can be cancelled"
TRANSIENT = frozenset(
    {
        "DependencyTimeoutException",
        "InternalFailure",
        "KMSInternalException",
        "KeyUnavailableException",
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)
REMEDIES = {
    "AccessDeniedException": "allow kms:Encrypt, kms:Decrypt, kms:ReEncrypt* and kms:DescribeKey",
    "DisabledException": "enable the key in KMS",
    "ExpiredTokenException": "renew the service's AWS credentials",
    "IncorrectKeyException": "restore the table of keys",
    "InvalidCiphertextException": "restore the table of keys",
    "KMSInvalidStateException": NOT_ENABLED,
    "NotFoundException": "correct the key's id, region or account",
}

# the first that fits
VERDICTS: tuple[tuple[type[Exception], type[KeysUnavailable] | type[KeyRefused], str, str], ...] = (
    (
        exceptions.NoCredentialsError,
        KeyRefused,
        "there are no AWS credentials",
        "give the service a role or a key",
    ),
    (
        exceptions.PartialCredentialsError,
        KeyRefused,
        "the AWS credentials are not complete",
        "give the service a role or a whole key",
    ),
    (
        exceptions.ParamValidationError,
        KeyRefused,
        "a wrapped data key has no valid form",
        "restore the table of keys",
    ),
    (
        exceptions.SSLError,
        KeyRefused,
        "the certificate of KMS is not trusted",
        "set AWS_CA_BUNDLE to the file of its CA",
    ),
    (
        exceptions.BotoCoreError,
        KeysUnavailable,
        "KMS cannot be reached in time",
        "see the endpoint and the network",
    ),
    # what a closed pool of threads raises
    (RuntimeError, KeysUnavailable, "the connection to KMS is closed", "ask another replica"),
)


def translated(error: Exception) -> KeysUnavailable | KeyRefused:
    if isinstance(error, KeysUnavailable | KeyRefused):
        return error
    if isinstance(error, exceptions.ClientError):
        return _answered(error)
    for kind, verdict, line, remedy in VERDICTS:
        if isinstance(error, kind):
            return verdict(line, remedy)
    return KeysUnavailable("what answers is not KMS", "correct the endpoint")


def _answered(error: exceptions.ClientError) -> KeysUnavailable | KeyRefused:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in TRANSIENT or status >= 500 or status == 429:
        return KeysUnavailable(f"KMS answers {status}", "see its quotas and AWS Health")
    remedy = REMEDIES.get(code)
    if remedy is None:
        return KeyRefused(f"KMS refuses with {status}", "see CloudTrail for the refused call")
    return KeyRefused(f"KMS refuses: {code}", remedy)
