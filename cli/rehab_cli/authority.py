"""A small authority for the certificates by which services know each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from rehab_runtime.tls import Tls

TRUST_DOMAIN = "rehab.local"
AUTHORITY_LASTS = timedelta(days=3650)
LASTS = timedelta(days=90)
RENEWED_BEFORE = timedelta(days=30)
SKEW = timedelta(minutes=5)
"""Other machines' clocks may be behind."""
HERE = ("localhost", "127.0.0.1", "::1")

PrivateKey = ec.EllipticCurvePrivateKey


class Authority:
    """Keeps its key and everything it issues in one folder, readable by the owner alone."""

    def __init__(self, folder: Path) -> None:
        """Made when there is none. Raises OSError; ValueError when the files are no authority's."""
        self._folder = folder
        self._ca, self._ca_key = folder / "ca.pem", folder / "ca.key"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._ca.exists():
            self._make()
        self._certificate = x509.load_pem_x509_certificate(self._ca.read_bytes())
        key = load_pem_private_key(self._ca_key.read_bytes(), None)
        if not isinstance(key, PrivateKey):
            raise ValueError(f"{self._ca_key} is no key of this authority")
        self._key = key

    def issued(self, service: str, hosts: Sequence[str] = ()) -> Tls:
        """A service's files; made anew when there are none, or they end within a month. `hosts` are
        names and addresses under which others reach it, beside this machine and its own name."""
        files = Tls(self._folder / f"{service}.pem", self._folder / f"{service}.key", self._ca)
        if not (files.cert.exists() and files.key.exists() and self._lasts(files.cert)):
            key = ec.generate_private_key(ec.SECP256R1())
            leaf = self._leaf(service, key, [service, *HERE, *hosts])
            # the key first: a certificate without its key would serve nobody
            _write(files.key, _pem(key))
            _write(files.cert, leaf.public_bytes(Encoding.PEM))
        return files

    def _make(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("RehabTrack services")
        made = (
            _builder(name, name, key, AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        _write(self._ca_key, _pem(key))
        _write(self._ca, made.public_bytes(Encoding.PEM))

    def _leaf(self, service: str, key: PrivateKey, hosts: Sequence[str]) -> x509.Certificate:
        uri = x509.UniformResourceIdentifier(f"spiffe://{TRUST_DOMAIN}/service/{service}")
        names = [uri, *map(_general_name, dict.fromkeys(hosts))]
        signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return (
            _builder(_name(service), self._certificate.subject, key, LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(signed_by, critical=False)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _lasts(self, path: Path) -> bool:
        """Whether it is ours, and good for some time."""
        try:
            found = x509.load_pem_x509_certificate(path.read_bytes())
            found.verify_directly_issued_by(self._certificate)
        except Exception:
            return False
        return found.not_valid_after_utc > datetime.now(UTC) + RENEWED_BEFORE


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + lasts)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """RFC 5280, 4.2.1.3: of an authority, or of who shows a certificate."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and for the owner alone."""
    half = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    half.replace(path)
