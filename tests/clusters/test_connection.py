"""Certificates that are not accepted are told apart by what a person would look at next."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from madeploy.clusters.checks import connection
from madeploy.clusters.registration import Registered
from madeploy.clusters.remedies import remedies
from madeploy.sandbox.pki import Authority
from tests.support.environments import environment
from tests.support.faults import fault_proxy

REMEDIES = remedies(environment(clusters={"a": {"kubeconfigContext": "a"}}), "a", "prod")


def registered(port: int, authority: str) -> Registered:
    return Registered(
        "a", "https://127.0.0.1", str(port), authority, "", None, {}, {"ca": "ca", "token": "token"}
    )


def authority(directory: Path, name: str) -> Authority:
    directory.mkdir()
    return Authority(directory, "ca", name)


@pytest.mark.parametrize(
    ("other", "said"),
    [("somebody else", "the registered authority is CN=somebody else"), ("mine", "the keys are not")],
)
def test_a_wrong_authority_is_shown_beside_the_right_one(other: str, said: str, tmp_path: Path) -> None:
    """REG-11: by their names, and when these are equal, that the keys differ."""
    authority(tmp_path / "mine", "mine")
    trusted = authority(tmp_path / "other", other).pair.certificate.read_text()
    with fault_proxy("https://127.0.0.1:1", tmp_path / "mine") as proxy:
        _, finding = connection.handshake(registered(proxy.port, trusted), REMEDIES)
    assert finding is not None
    assert finding.code == "MA434"
    assert "signed by CN=mine" in finding.evidence
    assert said in finding.evidence
    assert "certificateAuthorityData" in finding.fix


def test_an_expired_certificate_is_told_from_a_wrong_authority(tmp_path: Path) -> None:
    """REG-11: the registered authority is right, so nothing is to be registered anew."""
    pki = tmp_path / "mine"
    made = authority(pki, "mine")
    key = serialization.load_pem_private_key(made.pair.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    template = x509.load_pem_x509_certificate(made.pair.certificate.read_bytes())
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(template.subject)
        .issuer_name(template.issuer)
        .public_key(template.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=400))
        .not_valid_after(now - datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    expired = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    with fault_proxy("https://127.0.0.1:1", pki) as proxy:
        _, finding = connection.handshake(registered(proxy.port, expired), REMEDIES)
    assert finding is not None
    assert finding.code == "MA434"
    assert "expired" in finding.evidence
    assert "certificateAuthorityData" not in finding.fix
