"""Certificates that are issued here are good by RFC 5280 and the rules of the web."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from rehab_cli.authority import Authority
from rehab_runtime.tls import Tls


def chain(files: Tls) -> tuple[PolicyBuilder, x509.Certificate]:
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    return (
        PolicyBuilder().store(Store([authority])),
        x509.load_pem_x509_certificate(files.cert.read_bytes()),
    )


def test_a_certificate_holds_before_a_strict_verifier(tmp_path: Path) -> None:
    policy, own = chain(Authority(tmp_path / "certs").issued("emr", ["emr.example"]))
    for host in ("emr.example", "localhost"):
        assert len(policy.build_server_verifier(x509.DNSName(host)).verify(own, [])) == 2
    told = policy.build_client_verifier().verify(own, []).subjects
    assert told is not None
    assert "spiffe://rehab.local/service/emr" in [name.value for name in told]


def test_it_does_not_hold_for_another_host_or_authority(tmp_path: Path) -> None:
    policy, own = chain(Authority(tmp_path / "certs").issued("emr"))
    with pytest.raises(VerificationError):
        policy.build_server_verifier(x509.DNSName("another.example")).verify(own, [])
    others, _ = chain(Authority(tmp_path / "others").issued("emr"))
    with pytest.raises(VerificationError):
        others.build_server_verifier(x509.DNSName("localhost")).verify(own, [])
