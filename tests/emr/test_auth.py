"""Who we are to receivers, and who they are to us."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_cli.authority import Authority
from rehab_emr.net.client import Client, Identity
from rehab_emr.net.guard import Guard
from rehab_runtime.errors import InvalidArgument
from tests.emr.given import PATIENT, arrived, pain
from tests.emr.house import House, Place, housed, receiving
from tests.support.ports import low_port

SYSTEM = "urn:rehab:patients"


async def refusal(house: House, **told: Any) -> str:
    with pytest.raises(InvalidArgument) as refused:
        await house.register(**told)
    (broken,) = refused.value.violations
    assert broken.field.startswith(("endpoint.", "certificate"))
    return broken.message


async def test_a_token_is_fetched_by_a_signed_assertion_kept_and_fetched_anew(
    place: Place,
) -> None:
    port = low_port()
    options = ("--jwks-url", f"http://127.0.0.1:{port}/.well-known/jwks.json")
    options += ("--client-id", "rehab", "--token-s", "600")
    async with housed(place, *options, http_listen=f"127.0.0.1:{port}") as house:
        assert await refusal(house) == "it does not take who we are"
        smart = pb.SmartBackend(client_id="rehab")
        endpoint = await house.register(smart=smart, patient_system=SYSTEM)
        assert endpoint.auth == "smart"
        await house.receiver.knows(PATIENT)
        await house.log.append(*arrived(), pain(1), pain(2))
        await house.until_all("delivered", 2)
        before = await house.receiver.counts()
        assert before["token 200"] == 2
        await house.receiver.kill()
        await house.receiver.start()  # it has forgotten the token
        await house.log.append(pain(3))
        await house.until_all("delivered", 3)
        after = await house.receiver.counts()
        assert after["token 200"] == before["token 200"] + 1
        stranger = pb.SmartBackend(client_id="somebody")
        assert await refusal(house, smart=stranger) == "it does not take who we are"


async def test_a_bearer_token_lets_in_and_is_told_to_nobody(place: Place) -> None:
    async with housed(place, "--bearer", "s3cret-token") as house:
        assert await refusal(house, bearer="another") == "it does not take who we are"
        endpoint = await house.register(bearer="s3cret-token", patient_system=SYSTEM)
        assert endpoint.auth == "bearer"
        assert b"s3cret" not in endpoint.SerializeToString()
        await house.receiver.knows(PATIENT)
        await house.log.append(*arrived(), pain(1))
        await house.until_all("delivered")


async def test_a_certificate_lets_in_and_the_receivers_is_looked_at(place: Place) -> None:
    authority = Authority(place.folder / "certs")
    theirs, ours = authority.issued("hospital"), authority.issued("emr")
    options = ("--cert", str(theirs.cert), "--key", str(theirs.key), "--client-ca", str(theirs.ca))
    ca = theirs.ca.read_text()
    async with housed(place, *options) as house:
        house.receiver.verify = ssl.create_default_context(cafile=str(theirs.ca))
        house.receiver.verify.load_cert_chain(ours.cert, ours.key)
        certificate = pb.ClientCertificate(
            certificate_pem=ours.cert.read_text(), key_pem=ours.key.read_text()
        )
        assert "not to be trusted" in await refusal(house, certificate=certificate)
        assert await refusal(house, authority_pem=ca) != ""
        assert "PEM" in await refusal(house, authority_pem="x", certificate=certificate)
        wrong = pb.ClientCertificate(certificate_pem=ca, key_pem=ours.key.read_text())
        assert "PEM" in await refusal(house, authority_pem=ca, certificate=wrong)
        endpoint = await house.register(
            certificate=certificate, authority_pem=ca, patient_system=SYSTEM
        )
        assert endpoint.auth == "mtls"
        await house.receiver.knows(PATIENT)
        await house.log.append(*arrived(), pain(1))
        await house.until_all("delivered")


async def test_a_certificate_of_another_host_is_not_believed(tmp_path: Path) -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    authority = Authority(tmp_path / "certs")
    theirs = authority.issued("hospital", ["hospital.example"])
    guard = Guard([ip_network("127.0.0.0/8")], here)
    options = ("--cert", str(theirs.cert), "--key", str(theirs.key))
    async with receiving(tmp_path / "receiver", *options) as receiver:
        port = receiver.url.rpartition(":")[2]
        client = Client(guard, Identity(theirs.ca.read_text()), 5)
        good = await client.call("GET", f"https://hospital.example:{port}/metadata")
        assert good.status == 200
        await client.close()
        client = Client(guard, Identity(theirs.ca.read_text()), 5)
        bad = await client.call("GET", f"https://another.example:{port}/metadata")
        assert (bad.status, bad.fault) == (0, "tls")
        await client.close()


async def test_an_authority_that_tells_little_is_believed_when_it_is_told(tmp_path: Path) -> None:
    async def here(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    authority, *files = plain(tmp_path, "hospital.example")
    guard = Guard([ip_network("127.0.0.0/8")], here)
    options = ("--cert", str(files[0]), "--key", str(files[1]))
    async with receiving(tmp_path / "receiver", *options) as receiver:
        url = f"https://hospital.example:{receiver.url.rpartition(':')[2]}/metadata"
        for told, status in ((authority.read_text(), 200), ("", 0)):
            client = Client(guard, Identity(told), 5)
            assert (await client.call("GET", url)).status == status
            await client.close()


def plain(folder: Path, host: str) -> Sequence[Path]:
    """An authority, a certificate of it, and the key of that: without identifiers of keys, as many
    hospitals make them for themselves."""
    above, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _name("a hospital")
    authority = (
        _builder(root, root, above)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(above, hashes.SHA256())
    )
    certificate = (
        _builder(_name(host), root, key)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(above, hashes.SHA256())
    )
    files = [folder / name for name in ("authority.pem", "plain.pem", "plain.key")]
    files[0].write_bytes(authority.public_bytes(Encoding.PEM))
    files[1].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[2].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now, hour = datetime.now(UTC), timedelta(hours=1)
    made = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
    return made.not_valid_before(now - hour).not_valid_after(now + hour)


async def test_what_a_receiver_lacks_is_told_in_plain_words(house: House) -> None:
    (house.receiver.folder / "capabilities.json").write_text(
        '{"resourceType": "CapabilityStatement", "fhirVersion": "3.0.2"}'
    )
    with pytest.raises(InvalidArgument) as refused:
        await house.register()
    told = [one.message for one in refused.value.violations]
    assert "it speaks FHIR 3.0.2; R4 (4.0.x) is needed" in told
    assert len(told) == 2
    url = house.receiver.url.replace("/fhir", "/nothing")
    assert "is this its FHIR base?" in await refusal(house, base_url=url)
    assert "not public" in await refusal(house, base_url="https://10.0.0.1/fhir")
    assert "https" in await refusal(house, base_url="http://hospital.example/fhir")
