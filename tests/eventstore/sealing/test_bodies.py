"""What a sealed body and a fingerprint promise."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rehab_eventstore.crypto.bodies import FINGERPRINT_BYTES, fingerprint, open_, seal
from rehab_eventstore.crypto.keys import DataKey
from rehab_runtime.errors import RehabError
from rehab_runtime.sealed import (
    MAX_SEALS,
    OVERHEAD_BYTES,
    ROTATE_AFTER_SEALS,
    Bound,
    CannotOpen,
)

KEY = DataKey.new("key-1")
BOUND = Bound("event-1", "patient-1", "pain_report", 1)
CANARY = b"the patient says that it hurts"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
bounds = st.builds(Bound, texts, texts, texts, st.integers(0, 2**32 - 1))


@given(st.binary(max_size=3000), bounds)
def test_what_was_sealed_is_opened_in_its_place(body: bytes, bound: Bound) -> None:
    sealed = seal(KEY, body, bound)
    assert len(sealed) == len(body) + OVERHEAD_BYTES
    assert open_(KEY, sealed, bound) == body


@given(st.binary(max_size=200), bounds, bounds)
def test_a_body_opens_in_no_other_place(body: bytes, bound: Bound, other: Bound) -> None:
    assume(bound != other)
    with pytest.raises(CannotOpen):
        open_(KEY, seal(KEY, body, bound), other)


@given(bounds, st.sampled_from(Bound._fields), texts, st.integers(0, 2**32 - 1))
def test_each_part_of_the_place_binds(bound: Bound, field: str, text: str, number: int) -> None:
    other = bound._replace(**{field: number if field == "schema_version" else text})
    assume(other != bound)
    with pytest.raises(CannotOpen):
        open_(KEY, seal(KEY, CANARY, bound), other)


@pytest.mark.parametrize(
    "other",
    [
        BOUND._replace(event_id="event-2"),
        BOUND._replace(stream="patient-2"),
        BOUND._replace(kind="pain_Report"),
        BOUND._replace(schema_version=2),
    ],
)
def test_a_part_of_the_same_length_binds_too(other: Bound) -> None:
    with pytest.raises(CannotOpen):
        open_(KEY, seal(KEY, CANARY, BOUND), other)


def test_text_that_moves_from_one_part_of_the_place_to_the_next_is_another_place() -> None:
    sealed = seal(KEY, CANARY, Bound("ab", "c", "d", 1))
    for other in (Bound("a", "bc", "d", 1), Bound("ab", "", "cd", 1), Bound("abc", "", "d", 1)):
        with pytest.raises(CannotOpen):
            open_(KEY, sealed, other)


def test_every_flipped_bit_is_noticed() -> None:
    sealed = seal(KEY, CANARY, BOUND)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            open_(KEY, bytes(changed), BOUND)


def test_every_cut_and_every_addition_is_noticed() -> None:
    sealed = seal(KEY, CANARY, BOUND)
    for length in range(len(sealed)):
        with pytest.raises(CannotOpen):
            open_(KEY, sealed[:length], BOUND)
    with pytest.raises(CannotOpen):
        open_(KEY, sealed + b"\0", BOUND)


def test_another_key_opens_nothing() -> None:
    for other in (DataKey.new("key-1"), KEY.rotated("key-2")):
        with pytest.raises(CannotOpen):
            open_(other, seal(KEY, CANARY, BOUND), BOUND)


def test_the_error_names_event_and_key_and_no_content() -> None:
    sealed = seal(KEY, CANARY, BOUND)
    with pytest.raises(CannotOpen) as caught:
        open_(KEY, sealed, BOUND._replace(kind="alert"))
    error = caught.value
    assert (error.event_id, error.key_id) == ("event-1", "key-1")
    assert isinstance(error, RehabError)
    told = f"{error!r} {error} {error.message} {error.detail}"
    assert CANARY.decode() not in told
    assert sealed.hex() not in told
    assert KEY.expose().hex() not in told


def test_no_nonce_is_used_twice() -> None:
    sealed = [seal(KEY, b"", BOUND) for _ in range(2000)]
    assert len({one[1:13] for one in sealed}) == 2000


def test_a_key_is_rotated_long_before_it_has_sealed_all_it_may() -> None:
    assert ROTATE_AFTER_SEALS * 4 == MAX_SEALS == 2**32


@pytest.mark.parametrize(
    ("bound", "field"),
    [
        (BOUND._replace(event_id="x" * 65_536), "event_id"),
        (BOUND._replace(stream="ä" * 40_000), "stream"),
        (BOUND._replace(kind="x" * 65_536), "kind"),
        (BOUND._replace(schema_version=-1), "schema_version"),
        (BOUND._replace(schema_version=2**32), "schema_version"),
    ],
)
def test_a_place_that_is_too_large_is_refused_by_name(bound: Bound, field: str) -> None:
    with pytest.raises(ValueError, match=f"^{field} must be"):
        seal(KEY, b"", bound)


@given(st.binary(max_size=500), st.binary(max_size=500))
def test_fingerprints_are_equal_for_equal_plaintexts_only(one: bytes, other: bytes) -> None:
    assert len(fingerprint(KEY, one)) == FINGERPRINT_BYTES
    assert (fingerprint(KEY, one) == fingerprint(KEY, other)) is (one == other)


@given(st.binary(max_size=500), st.integers(1, 5))
def test_fingerprints_stay_comparable_over_rotations(body: bytes, rotations: int) -> None:
    key = KEY
    for number in range(rotations):
        key = DataKey(f"key-{number}", key.rotated("").expose())
    assert fingerprint(key, body) == fingerprint(KEY, body)


def test_fingerprints_of_another_patient_are_others() -> None:
    assert fingerprint(DataKey.new("key-1"), CANARY) != fingerprint(KEY, CANARY)


def test_a_fingerprint_is_an_hmac_of_a_key_derived_from_the_second_half_of_the_secret() -> None:
    # computed by the standard library: RFC 5869 with an empty salt, RFC 2104
    secret = bytes(range(64))
    extracted = hmac.digest(bytes(32), secret[32:], hashlib.sha256)
    derived = hmac.digest(extracted, b"rehab eventstore fingerprint 1\1", hashlib.sha256)
    expected = hmac.digest(derived, CANARY, hashlib.sha256)[:16]
    assert fingerprint(DataKey("key-1", secret), CANARY) == expected
