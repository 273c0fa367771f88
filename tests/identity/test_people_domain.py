"""Forms, codes and decisions, as pure functions."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_identity.domain.codes import (
    LENGTH,
    RANDOM_CHARACTERS,
    USABLE,
    new_code,
    read_code,
    spelled,
)
from rehab_identity.domain.credentials import (
    api_key,
    new_key_id,
    new_secret,
    read_api_key,
    read_refresh_token,
    refresh_token,
)
from rehab_identity.domain.normal import normal, normal_password
from rehab_identity.domain.people import Refresh, Session, on_refresh
from rehab_identity.peers import Sources

KEY = b"k" * 32
AT = datetime(2026, 3, 2, tzinfo=UTC)
RANDOM = st.text(USABLE, min_size=RANDOM_CHARACTERS, max_size=RANDOM_CHARACTERS)


@given(st.text(max_size=60))
def test_the_normal_form_of_a_normal_form_is_itself(text: str) -> None:
    assert normal(normal(text)) == normal(text)


@given(st.text(max_size=60))
def test_case_width_and_spaces_around_do_not_matter(text: str) -> None:
    assert normal(f"  {text}\t") == normal(text)
    assert normal(unicodedata.normalize("NFD", text)) == normal(text)
    assert normal(normal(text).upper().lower()) == normal(normal(text).upper())


def test_a_password_is_the_same_however_its_letters_are_composed() -> None:
    assert normal_password("é") == normal_password("e\u0301")
    assert normal_password("Abc ") == "Abc "


@given(RANDOM)
def test_a_code_is_read_in_any_case_and_spacing_and_with_look_alikes(random: str) -> None:
    shown = spelled(random)
    typed = shown.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert read_code(shown) == read_code(typed) == shown.replace("-", "")


@given(RANDOM, st.integers(0, LENGTH - 1), st.sampled_from(USABLE))
def test_one_wrong_character_is_never_a_code(random: str, place: int, other: str) -> None:
    code = spelled(random).replace("-", "")
    if code[place] != other:
        assert read_code(code[:place] + other + code[place + 1 :]) is None


@given(RANDOM, st.integers(0, LENGTH - 2))
def test_two_characters_that_are_swapped_are_never_a_code(random: str, place: int) -> None:
    code = spelled(random).replace("-", "")
    if code[place] != code[place + 1]:
        swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
        assert read_code(swapped) is None


@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    found = read_code(typed)
    assert found is None or len(found) == LENGTH


def test_codes_made_are_codes_and_differ() -> None:
    made = {read_code(new_code()) for _ in range(200)}
    assert None not in made
    assert len(made) == 200


def test_a_key_is_read_as_it_was_made_and_only_with_the_key_of_its_checksum() -> None:
    key_id, secret = new_key_id(), new_secret()
    whole = api_key(KEY, key_id, secret)
    found = read_api_key(KEY, whole)
    assert found is not None
    assert (found.key_id, found.secret) == (key_id, secret)
    assert secret not in repr(found)
    assert read_api_key(b"x" * 32, whole) is None
    assert read_api_key(KEY, whole.replace(key_id, new_key_id())) is None


@given(st.data())
def test_a_key_with_a_typing_error_is_none(data: st.DataObject) -> None:
    whole = api_key(KEY, "abcdefghijkl", "a" * 52)
    place = data.draw(st.integers(0, len(whole) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != whole[place]))
    assert read_api_key(KEY, whole[:place] + other + whole[place + 1 :]) is None


@given(st.text(max_size=100))
def test_whatever_is_shown_is_a_credential_or_none(text: str) -> None:
    assert read_api_key(KEY, text) is None
    assert read_refresh_token(text) is None


def test_a_refresh_token_is_read_as_it_was_made() -> None:
    found = read_refresh_token(refresh_token("a" * 24, "b" * 52))
    assert found is not None
    assert (found.session_id, found.secret) == ("a" * 24, "b" * 52)


@pytest.mark.parametrize(
    ("generation", "after_s", "asked_again", "verdict"),
    [
        (5, 0, False, Refresh.NEXT),
        (5, 1000, True, Refresh.NEXT),
        (4, 10, False, Refresh.AGAIN),
        (4, 10.1, False, Refresh.STOLEN),
        (4, 1, True, Refresh.STOLEN),
        (3, 1, False, Refresh.STOLEN),
        (5, 4000, False, Refresh.OVER),
        (3, 4000, False, Refresh.OVER),
    ],
)
def test_what_a_refresh_token_is_worth(
    generation: int, after_s: float, asked_again: bool, verdict: Refresh
) -> None:
    expires_at = AT + timedelta(hours=1)
    session = Session(
        "s", "a", "", "password", AT, AT, expires_at, None, generation=5, asked_again=asked_again
    )
    assert on_refresh(session, generation, AT + timedelta(seconds=after_s), 10) is verdict


@pytest.mark.parametrize(
    ("peer", "source"),
    [
        ("ipv4:192.0.2.7:5123", "192.0.2.7"),
        ("ipv6:[2001:db8:1:2:3::9]:5123", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2::1%5D:5123", "2001:db8:1:2::/64"),
        ("ipv6:[::ffff:192.0.2.7]:1", "192.0.2.7"),
        ("unix:/tmp/socket", "unix"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_its_network(peer: str, source: str) -> None:
    assert Sources().named(peer) == source
    # nobody is believed who is not trusted
    assert Sources().named(peer, ["203.0.113.9"]) == source


PROXIES = [ip_network("10.0.0.0/8"), ip_network("2001:db8:ffff::/48")]
PROXY = "ipv4:10.1.2.3:4711"


@pytest.mark.parametrize(
    ("peer", "forwarded", "source"),
    [
        pytest.param("ipv4:192.0.2.7:1", ["198.51.100.1"], "192.0.2.7", id="a stranger says so"),
        pytest.param(PROXY, ["198.51.100.1"], "198.51.100.1", id="a proxy says so"),
        pytest.param(PROXY, ["1.1.1.1, 198.51.100.1"], "198.51.100.1", id="told before the proxy"),
        pytest.param(PROXY, ["1.1.1.1", "198.51.100.1"], "198.51.100.1", id="told in two headers"),
        pytest.param(PROXY, ["198.51.100.1, 10.9.9.9"], "198.51.100.1", id="two proxies"),
        pytest.param(PROXY, ["10.8.8.8, 10.9.9.9"], "10.8.8.8", id="only proxies"),
        pytest.param(PROXY, [], "10.1.2.3", id="says nothing"),
        pytest.param(PROXY, [""], "10.1.2.3", id="says an empty line"),
        pytest.param(PROXY, ["198.51.100.1, unknown"], "10.1.2.3", id="says no address"),
        pytest.param(PROXY, ["198.51.100.1,unknown,10.9.9.9"], "10.9.9.9", id="no address between"),
        pytest.param(PROXY, ["198.51.100.1:80"], "198.51.100.1", id="with a port"),
        pytest.param(PROXY, ["[2001:db8:1:2::9]:80"], "2001:db8:1:2::/64", id="IPv6 with a port"),
        pytest.param(PROXY, ["2001:db8:1:2::9"], "2001:db8:1:2::/64", id="IPv6"),
        pytest.param(PROXY, ["::ffff:198.51.100.1"], "198.51.100.1", id="IPv4 told as IPv6"),
        pytest.param("ipv6:[::ffff:10.1.2.3]:1", ["1.2.3.4"], "1.2.3.4", id="proxy as IPv6"),
        pytest.param("ipv6:[2001:db8:ffff::1]:1", ["1.2.3.4"], "1.2.3.4", id="an IPv6 proxy"),
        pytest.param("unix:/tmp/socket", ["1.2.3.4"], "unix", id="no network"),
    ],
)
def test_a_source_is_the_last_stranger_in_front_of_trusted_proxies(
    peer: str, forwarded: list[str], source: str
) -> None:
    assert Sources(PROXIES).named(peer, forwarded) == source
