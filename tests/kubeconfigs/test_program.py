"""What the program takes from kubeconfigs: an endpoint, a context, or every reason why not."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from madeploy import kubeconfigs
from madeploy.kubeconfigs import KubeconfigError

PEM = "-----BEGIN CERTIFICATE-----\nZXhhbXBsZQ==\n-----END CERTIFICATE-----\n"
PEM_DATA = base64.b64encode(PEM.encode()).decode()


def config(server: str = "https://compute.example.com:6443", **cluster: Any) -> dict[str, Any]:
    """A kubeconfig with one usable context, `one`, and one that names a missing cluster."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "broken", "context": {"cluster": "gone", "user": "nobody"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": server, "certificate-authority-data": PEM_DATA, **cluster}},
            {"name": "other", "cluster": {"server": "https://other.example.com"}},
        ],
        "users": [{"name": "u", "user": {"exec": {"command": "never-started"}}}],
    }


def endpoint(document: dict[str, Any], **overrides: str) -> kubeconfigs.Endpoint:
    return kubeconfigs.endpoint(
        kubeconfigs.minify(document, None, "it"), "it", kubeconfigs.Instead(**overrides)
    )


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("https://compute.example.com:6443", "https://compute.example.com", "6443"),
        ("https://compute.example.com", "https://compute.example.com", "443"),
        ("https://compute.example.com/", "https://compute.example.com", "443"),
        ("https://127.0.0.1:17443", "https://127.0.0.1", "17443"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]", "6443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "443"),
    ],
)
def test_an_address_is_split_into_the_host_with_its_scheme_and_the_port(
    server: str, host: str, port: str
) -> None:
    """REG-1: the shape the controller manager reads (V5)."""
    found = endpoint(config(server))
    assert (found.host, found.port, found.certificate_authority) == (host, port, PEM)


@pytest.mark.parametrize(
    ("server", "complaint"),
    [
        ("http://compute.example.com", "plain HTTP"),
        ("compute.example.com:6443", "https://"),
        ("https://user:word@compute.example.com", "user name or password"),
        ("https://compute.example.com/k8s/clusters/c-1", "without a path"),
        ("https://compute.example.com:6443?x=1", "something after the port"),
        ("https://compute.example.com:0", "port 0"),
        ("https://compute.example.com:70000", "no URL"),
        ("https://compute.example.com:port", "no URL"),
        ("https://[fe80::1%25eth0]:6443", "zone"),
        ("https://", "no host"),
        ("", "https://"),
    ],
)
def test_an_address_the_platform_cannot_use_is_refused_with_the_reason(server: str, complaint: str) -> None:
    """REG-1, REG-11, UX-3; and what was written in its place is not repeated with it."""
    with pytest.raises(KubeconfigError) as caught:
        endpoint(config(server))
    assert complaint in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


@pytest.mark.parametrize(
    ("cluster", "complaint"),
    [
        ({"certificate-authority-data": "%%%"}, "not base64"),
        ({"certificate-authority-data": base64.b64encode(b"\x30\x82").decode()}, "in DER"),
        (
            {"certificate-authority-data": base64.b64encode(b"-----BEGIN PRIVATE KEY-----").decode()},
            "private key",
        ),
        ({"certificate-authority-data": None}, "certificateAuthorityData"),
        (
            {"certificate-authority-data": None, "insecure-skip-tls-verify": True},
            "insecure-skip-tls-verify",
        ),
    ],
)
def test_an_authority_the_platform_cannot_use_is_refused_with_the_reason(
    cluster: dict[str, Any], complaint: str
) -> None:
    """REG-1, UX-3."""
    with pytest.raises(KubeconfigError, match=complaint):
        endpoint(config(**cluster))


def test_every_defect_is_reported_at_once() -> None:
    """UX-3."""
    with pytest.raises(KubeconfigError) as caught:
        endpoint(config("http://x", **{"certificate-authority-data": "%%%"}))
    assert len(caught.value.defects) == 2


def test_settings_stand_in_for_what_a_kubeconfig_says() -> None:
    """REG-1: the control plane may reach a cluster by another address than its administrator."""
    found = endpoint(
        config("https://rancher.example.com/k8s/clusters/c-1"), server="https://private.example.com:443"
    )
    assert (found.host, found.port) == ("https://private.example.com", "443")


def test_minifying_keeps_one_context_and_nothing_else() -> None:
    """REG-1."""
    minified = kubeconfigs.minify(config(), "one", "it")
    assert [item["name"] for item in minified["clusters"]] == ["c"]
    assert [item["name"] for item in minified["contexts"]] == ["one"]


@pytest.mark.parametrize(
    ("change", "context", "complaint"),
    [
        ({}, "missing", "there are: broken, one"),
        ({"current-context": ""}, None, "no current context"),
        ({}, "broken", "cluster 'gone'.*user 'nobody'"),
        ({"contexts": None}, "one", "there are: none"),
    ],
)
def test_a_context_that_leads_nowhere_is_refused_naming_those_there_are(
    change: dict[str, Any], context: str | None, complaint: str
) -> None:
    """REG-1, REG-11: context mismatch."""
    with pytest.raises(KubeconfigError, match=complaint):
        kubeconfigs.minify({**config(), **change}, context, "it")


@pytest.mark.parametrize("text", ["[1, 2", "just words", "", "- a\n- b", "\0"])
def test_what_is_no_kubeconfig_is_refused(text: str) -> None:
    """REG-1, UX-3."""
    with pytest.raises(KubeconfigError):
        kubeconfigs.load(text, "it")


def test_the_kubeconfig_at_hand_is_found_as_kubectl_finds_it_and_its_files_are_inlined(
    tmp_path: Path,
) -> None:
    """REG-1: $KUBECONFIG lists files; references are relative to the file that holds them."""
    document = config()
    del document["clusters"][0]["cluster"]["certificate-authority-data"]
    document["clusters"][0]["cluster"]["certificate-authority"] = "ca.pem"
    (tmp_path / "ca.pem").write_text(PEM)
    (tmp_path / "second").write_text(yaml.safe_dump(document))
    (tmp_path / "first").write_text(yaml.safe_dump({**config(), "contexts": []}))
    environ = {"KUBECONFIG": f"{tmp_path / 'first'}:{tmp_path / 'second'}"}
    found = kubeconfigs.read_context("one", environ)
    assert found["clusters"][0]["cluster"]["certificate-authority-data"] == PEM_DATA
    with pytest.raises(KubeconfigError, match=r"is not in .*first, .*second"):
        kubeconfigs.read_context("absent", environ)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """REG-1, UX-3."""
    document = config()
    document["users"][0]["user"] = {"client-key": "gone.key"}
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    with pytest.raises(KubeconfigError, match=r"client-key names a file that cannot be read"):
        kubeconfigs.read_context("one", {"KUBECONFIG": str(tmp_path / "config")})


def test_an_endpoint_does_not_print_its_authority() -> None:
    """UX-3: what is printed by accident stays short."""
    assert "CERTIFICATE" not in repr(endpoint(config()))
