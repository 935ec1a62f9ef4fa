"""Credentials and signatures of the job, which has no AWS library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given
from hypothesis import strategies as st

from madeploy.registry.retention.signing import Credentials, Provider, signed, target
from madeploy.registry.retention.terms import StoreError
from manifests.credentials import object_store_yaml
from tests.support.http_servers import HttpServer, served

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)


@given(
    method=st.sampled_from(["GET", "POST"]),
    query=st.dictionaries(st.sampled_from(["prefix", "delete", "list-type", "continuation-token"]), TEXT),
    body=st.binary(max_size=50),
    token=st.sampled_from(["", "session"]),
)
def test_a_request_is_signed_as_the_aws_library_signs_it(
    method: str, query: dict[str, str], body: bytes, token: str
) -> None:
    """MR-8: any prefix, of any characters."""
    host, path = "bucket.s3.eu-west-1.amazonaws.com", "/"
    ours = signed(method, host, path, query, body, Credentials("id", "key", token), "eu-west-1", NOW)
    request = AWSRequest(method, f"https://{host}{target(path, query)}", data=body)
    request.headers["x-amz-content-sha256"] = ours["x-amz-content-sha256"]
    request.context.update({"timestamp": NOW.strftime("%Y%m%dT%H%M%SZ"), "payload_signing_enabled": True})
    auth = S3SigV4Auth(TheirCredentials("id", "key", token or None), "s3", "eu-west-1")
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    assert ours["Authorization"].endswith(f"Signature={signature}")
    assert f"SignedHeaders={auth.signed_headers(auth.headers_to_sign(request))}," in ours["Authorization"]


@pytest.mark.parametrize(
    "text",
    [
        object_store_yaml("key-id", "se/cr+et=="),
        "minio:\n    awsSecretAccessKey: 'se/cr+et=='\n    awsAccessKeyId: \"key-id\"\n    other: x\n",
    ],
    ids=["as the toolkit writes it", "as somebody else does"],
)
def test_static_keys_are_read_from_the_services_secret(text: str, tmp_path: Path) -> None:
    """MR-8."""
    file = tmp_path / "secrets.yaml"
    file.write_text(text)
    found = Provider({"OBJECT_STORE_SECRETS": str(file)}, "x").current()
    assert (found.key_id, found.secret) == ("key-id", "se/cr+et==")
    assert "se/cr" not in repr(found)


@pytest.mark.parametrize(
    "text", ["", "minio: {awsAccessKeyId: a, awsSecretAccessKey: b}", "minio:\n  awsAccessKeyId: a\n"]
)
def test_keys_that_cannot_be_found_are_no_keys(text: str, tmp_path: Path) -> None:
    """MR-8, UX-3: an empty key would be refused later, with less to go by."""
    file = tmp_path / "secrets.yaml"
    file.write_text(text)
    with pytest.raises(StoreError, match="on lines of their own") as error:
        Provider({"OBJECT_STORE_SECRETS": str(file)}, "x").current()
    assert error.value.is_fatal


class Issuer:
    """A token service, and an agent of EKS Pod Identity."""

    def __init__(self) -> None:
        issuer = self
        self.asked: list[tuple[str, dict[str, list[str]], str | None]] = []
        self.expires = "2099-01-01T00:00:00Z"
        self.status = 200

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._answer(form, issuer.xml())

            def do_GET(self) -> None:
                self._answer({}, issuer.json())

            def _answer(self, form: dict[str, list[str]], body: bytes) -> None:
                issuer.asked.append((self.path, form, self.headers.get("Authorization")))
                self.send_response(issuer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return

        self.server = HttpServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def xml(self) -> bytes:
        if self.status != 200:
            return b"<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>"
        return (
            '<R xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>'
            f"<AccessKeyId>id{len(self.asked)}</AccessKeyId><SecretAccessKey>key</SecretAccessKey>"
            f"<SessionToken>session</SessionToken><Expiration>{self.expires}</Expiration>"
            "</Credentials></AssumeRoleWithWebIdentityResult></R>"
        ).encode()

    def json(self) -> bytes:
        data = {"AccessKeyId": "id", "SecretAccessKey": "key", "Token": "session", "Expiration": self.expires}
        return json.dumps(data).encode()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    with served(made.server):
        yield made


@pytest.fixture
def web_identity(issuer: Issuer, tmp_path: Path) -> dict[str, str]:
    token = tmp_path / "token"
    token.write_text("jwt\n")
    return {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/retention",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
        "AWS_ENDPOINT_URL_STS": issuer.url,
    }


def test_a_pod_s_token_is_exchanged_for_credentials_and_these_are_kept(
    issuer: Issuer, web_identity: dict[str, str]
) -> None:
    """MR-8, MR-2: IRSA."""
    provider = Provider(web_identity, "eu-west-1")
    assert provider.current() == provider.current()
    ((path, form, _),) = issuer.asked
    assert path == "/"
    assert form["WebIdentityToken"] == ["jwt"]
    assert form["RoleArn"] == ["arn:aws:iam::123456789012:role/retention"]
    assert (provider.current().secret, provider.current().token) == ("key", "session")


def test_credentials_that_end_soon_are_fetched_anew(issuer: Issuer, web_identity: dict[str, str]) -> None:
    """MR-8: a run may take longer than they last."""
    issuer.expires = "2020-01-01T00:00:00.123Z"
    provider = Provider(web_identity, "eu-west-1")
    assert provider.current().key_id != provider.current().key_id


def test_a_refused_exchange_says_the_code_and_nothing_of_the_token(
    issuer: Issuer, web_identity: dict[str, str]
) -> None:
    """MR-8, UX-3."""
    issuer.status = 400
    with pytest.raises(StoreError, match="ExpiredTokenException") as error:
        Provider(web_identity, "eu-west-1").current()
    assert error.value.is_fatal
    assert "jwt" not in str(error.value)


def test_the_agent_of_pod_identity_is_asked_with_the_pod_s_token(issuer: Issuer, tmp_path: Path) -> None:
    """MR-8, MR-2: EKS Pod Identity."""
    (tmp_path / "token").write_text("jwt")
    environ = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{issuer.url}/v1/credentials",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }
    assert Provider(environ, "eu-west-1").current().token == "session"
    assert issuer.asked == [("/v1/credentials", {}, "jwt")]


def test_a_pod_without_an_identity_does_nothing_by_the_node_s() -> None:
    """MR-8: least rights; the node's role is everybody's."""
    with pytest.raises(StoreError, match="no AWS credentials") as error:
        Provider({}, "eu-west-1").current()
    assert error.value.is_fatal
