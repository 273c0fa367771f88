"""Addresses that are listened on, and what is told when one is not to be had."""

from __future__ import annotations

import errno
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_runtime.startup import (
    StartupError,
    cannot_listen,
    named,
    reachable,
    require_free,
    split,
)

VARIABLE = "SAMPLE_LISTEN"
ports = st.integers(0, 65535)


def test_an_error_of_the_start_is_one_line_of_what_and_what_to_do() -> None:
    error = StartupError("the sky is down", "put it up again")
    assert str(error) == "the sky is down; put it up again"
    assert (error.line, error.remedy) == ("the sky is down", "put it up again")


@given(st.from_regex(r"[a-z0-9.\-]{1,20}", fullmatch=True), ports)
def test_a_host_and_its_port_are_told_apart(host: str, port: int) -> None:
    assert split(f"{host}:{port}") == (host, port)


@given(st.ip_addresses(v=6).map(str), ports)
def test_an_ipv6_host_stands_in_brackets(host: str, port: int) -> None:
    assert split(f"[{host}]:{port}") == (host, port)
    with pytest.raises(ValueError, match="brackets"):
        split(f"{host}:{port}")


@pytest.mark.parametrize(
    "wrong",
    ["", "host", ":1", "host:", "host:x", "host:-1", "host:65536", "ho st:1", "host:1\n", "host:¹"],
)
def test_what_is_no_host_and_port_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="must be host:port"):
        split(wrong)


@pytest.mark.parametrize(
    ("listen", "told", "elsewhere"),
    [
        ("127.0.0.1:0", "127.0.0.1:7", "127.0.0.1:7"),
        ("0.0.0.0:0", "127.0.0.1:7", ""),
        ("[::]:0", "[::1]:7", ""),
        ("[::1]:0", "[::1]:7", "[::1]:7"),
        ("clinic.example:0", "clinic.example:7", "clinic.example:7"),
    ],
)
def test_who_listens_everywhere_is_reached_here_and_named_nowhere(
    listen: str, told: str, elsewhere: str
) -> None:
    assert reachable(listen, 7) == told
    assert named(listen, told) == elsewhere


def test_a_port_that_is_free_is_let_through_and_still_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    for _ in range(2):
        require_free(f"127.0.0.1:{port}", VARIABLE)


@pytest.mark.parametrize("listen", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_taken_port_is_told_with_how_to_find_who_has_it(listen: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StartupError) as refused:
            require_free(f"{listen}:{port}", VARIABLE)
    assert refused.value.line == f"cannot listen on {listen}:{port}: the port is in use"
    assert f"ss -ltnp 'sport = :{port}'" in refused.value.remedy
    assert VARIABLE in refused.value.remedy


def test_an_address_of_another_machine_is_told() -> None:
    # 192.0.2.0/24 belongs to nobody (RFC 5737)
    with pytest.raises(StartupError, match="this machine does not have the address") as refused:
        require_free("192.0.2.1:0", VARIABLE)
    assert refused.value.remedy == f"correct the host in {VARIABLE}"


def test_a_host_that_there_is_none_of_is_told() -> None:
    # .invalid belongs to nobody (RFC 2606)
    with pytest.raises(StartupError, match="no such host"):
        require_free("nobody.invalid:0", VARIABLE)


def test_a_port_for_the_system_only_is_told() -> None:
    error = cannot_listen("127.0.0.1:80", VARIABLE, OSError(errno.EACCES, "refused"))
    assert error.line == "cannot listen on 127.0.0.1:80: this user may not use the port"
    assert "above 1023" in error.remedy
