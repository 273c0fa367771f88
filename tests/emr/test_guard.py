"""A registered URL reaches nothing that only the suite can reach."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from rehab_emr.net.guard import Guard, Unreachable
from rehab_runtime.errors import InvalidArgument

PUBLIC = "93.184.215.14"


def guard(*addresses: str, allowed: Sequence[str] = ()) -> Guard:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise OSError(host)
        return addresses

    return Guard([ip_network(one) for one in allowed], resolve)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.9", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1"),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "ff02::1", "192.0.2.1"),
    ],
)
async def test_an_address_that_is_not_public_is_not_called(address: str) -> None:
    with pytest.raises(Unreachable) as told:
        await guard(address).place("https://hospital.example/fhir")
    assert told.value.code == "address_forbidden"


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
async def test_a_public_address_is_called_where_it_was_looked_at(address: str) -> None:
    place = await guard(address).place("https://hospital.example:8443/fhir")
    assert (place.address, place.host, place.port) == (address, "hospital.example", 8443)


async def test_of_several_addresses_one_that_may_be_called_is() -> None:
    place = await guard("10.0.0.1", PUBLIC).place("https://hospital.example/fhir")
    assert place.address == PUBLIC


async def test_a_network_that_is_allowed_may_be_called() -> None:
    here = guard("10.1.2.3", allowed=["10.1.0.0/16"])
    assert (await here.place("https://emr.intern/fhir")).address == "10.1.2.3"
    with pytest.raises(Unreachable):
        await guard("10.2.0.1", allowed=["10.1.0.0/16"]).place("https://emr.intern/fhir")


async def test_plain_http_goes_to_loopback_only_whatever_a_name_says() -> None:
    with pytest.raises(Unreachable):
        await guard("10.1.2.3", allowed=["10.1.0.0/16"]).place("http://localhost/fhir")
    here = guard("127.0.0.1", allowed=["127.0.0.0/8"])
    assert (await here.place("http://localhost:8080/fhir")).address == "127.0.0.1"


async def test_a_name_that_is_not_known_is_told_so() -> None:
    with pytest.raises(Unreachable) as told:
        await guard().place("https://nowhere.example/fhir")
    assert told.value.code == "name_not_found"


@pytest.mark.parametrize(
    "url",
    [
        *("", "hospital.example", "ftp://hospital.example", "file:///etc/passwd", "https://"),
        *("http://hospital.example/fhir", "http://localhost/fhir", "https://a:b@c.example/"),
        *("https://c.example/?x=1", "https://c.example/#x", "https://c.example:0/"),
        *("https://c.example:99999/", "gopher://c.example", "https://[::1"),
    ],
)
def test_a_url_that_could_never_be_called_is_refused_with_the_field(url: str) -> None:
    with pytest.raises(InvalidArgument) as told:
        guard(PUBLIC).require_form(url, "endpoint.base_url")
    assert told.value.violations[0].field == "endpoint.base_url"
    assert "c.example" not in told.value.message


def test_a_url_of_a_hospital_is_taken() -> None:
    guard(PUBLIC).require_form("https://hospital.example/fhir/r4", "endpoint.base_url")
    guard(allowed=["127.0.0.0/8"]).require_form("http://127.0.0.1:8080/fhir", "endpoint.base_url")
