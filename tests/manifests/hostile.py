"""Tokens, paths, headers and requests of somebody hostile, each with the status that is right for it."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives import serialization

from tests.support.front import APP, ORIGIN
from tests.support.oidc import CLIENT, ISSUER, Key, encoded, unsigned

ANALYST: dict[str, Any] = {"groups": ["analysts"], "email": "ann@example.com", "name": "Ann", "sub": "ann"}
ENGINEER: dict[str, Any] = {
    "groups": ["ml-platform"],
    "email": "eve@example.com",
    "name": "Eve",
    "sub": "eve",
}
READ, WRITE = "ProjectService/GetProject", "ProjectService/DeleteProject"
API = "/michelangelo.api.v2."
HMAC, EXPIRES, ID, REFRESH = (f"__Host-michelangelo-{end}" for end in ("hmac", "expires", "id", "refresh"))


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    own = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 3600, **ENGINEER}
    return {name: value for name, value in (own | changes).items() if value is not None}


def _by_public_key(key: Key) -> str:
    """HMAC with the public key as its secret, for verifiers that let the token choose the algorithm."""
    public = key.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = unsigned({"alg": "HS256", "kid": key.kid}, claims())
    return f"{text}.{encoded(hmac.digest(public, text.encode(), 'sha256'))}"


def _altered(key: Key) -> str:
    """Claims of an editor under the signature of a viewer's token."""
    head, _, signature = key.token(claims(groups=["analysts"])).split(".")
    return f"{head}.{encoded(json.dumps(claims()).encode())}.{signature}"


TOKENS: Mapping[str, Callable[[Key], str]] = {
    "of another audience": lambda key: key.token(claims(aud="grafana")),
    "of other audiences": lambda key: key.token(claims(aud=["grafana", f"{CLIENT}-dev"])),
    "without an audience": lambda key: key.token(claims(aud=None)),
    "of another issuer": lambda key: key.token(claims(iss="https://login.example.com/realms/other")),
    "of an issuer with a slash more": lambda key: key.token(claims(iss=f"{ISSUER}/")),
    "without an issuer": lambda key: key.token(claims(iss=None)),
    "expired": lambda key: key.token(claims(exp=int(time.time()) - 60)),
    "without an end": lambda key: key.token(claims(exp=None)),
    "not valid yet": lambda key: key.token(claims(nbf=int(time.time()) + 600)),
    "unsigned": lambda key: unsigned({"alg": "none", "kid": key.kid}, claims()) + ".",
    "unsigned in capitals": lambda key: unsigned({"alg": "NONE", "kid": key.kid}, claims()) + ".",
    "unsigned without a word": lambda key: unsigned({"kid": key.kid}, claims()) + ".",
    "signed by the public key": _by_public_key,
    "signed by a key of the same name": lambda key: Key(kid=key.kid).token(claims()),
    "signed by a key nobody knows": lambda key: Key().token(claims()),
    "with a key of its own": lambda key: Key(kid="mine").token(claims(), jwk=Key(kid="mine").public()),
    "with an address for its key": lambda key: Key(kid="mine").token(claims(), jku="https://evil.example/k"),
    "with a path for its key": lambda key: Key(kid="../../etc/passwd").token(claims()),
    "with half a signature": lambda key: key.token(claims())[:-200],
    "with somebody else's claims": _altered,
    "of two parts": lambda key: key.token(claims()).rpartition(".")[0],
    "of four parts": lambda key: key.token(claims()) + ".e30",
    "that is none": lambda key: "not-a-token",
}


PATHS: Mapping[str, int] = {
    f"{API}{WRITE}": 403,
    f"/{API}{WRITE}": 403,
    f"{API}ProjectService//DeleteProject": 403,
    f"/.{API}{WRITE}": 403,
    f"/x/..{API}{WRITE}": 403,
    f"{API}ProjectService/GetProject/../DeleteProject": 403,
    f"{API}ProjectService/GetProject/%2e%2e/DeleteProject": 403,
    f"{API}ProjectService/GetProject/.%2e/DeleteProject": 403,
    f"{API}ProjectService/GetProject/%252e%252e/DeleteProject": 403,
    f"{API}ProjectService/%44eleteProject": 403,
    f"{API}ProjectService/Delete%50roject": 403,
    f"/%6dichelangelo.api.v2.{WRITE}": 403,
    f"{API}ProjectService%2fDeleteProject": 400,
    f"{API}ProjectService%2FDeleteProject": 400,
    f"{API}ProjectService%5cDeleteProject": 400,
    f"{API}ProjectService\\DeleteProject": 403,
    f"{API}{WRITE};/GetProject": 403,
    f"{API}{WRITE}?x=/{READ}": 403,
    f"{API}{WRITE}%3f{READ}": 403,
    f"{API}{READ}%00": 400,
    f"{API}{READ}%20": 403,
    f"{API}{READ}/": 403,
    f"{API}{READ}.": 403,
    f"{API}{READ}s": 403,
    f"{API}ProjectService/getproject": 403,
    f"{API}projectservice/GetProject": 403,
    f"{API.upper()}{WRITE}": 403,
    f"{API}ProjectService/deleteproject": 403,
    f"{API}ProjectService/DeleteProjectCollection": 403,
    f"{API}ProjectService/CreateProject": 403,
    f"{API}ProjectService/UpdateProject": 403,
    f"{API}EvaluationReportService/GetEvaluationReport": 403,
    f"{API}Unknown/GetProject": 403,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": 403,
    "/michelangelo.api.v1.ProjectService/GetProject": 403,
    f"{API}{WRITE}#/{READ}": 400,
}


HEADERS: Mapping[str, tuple[list[tuple[str, str]], int]] = {
    "underscores": ([("x_user_email", "boss@example.com")], 400),
    "another method": ([("x-http-method-override", "GET")], 403),
    "another path": ([("x-original-url", f"{API}{READ}"), ("x-rewrite-url", f"{API}{READ}")], 403),
    "another path, as Envoy says it": ([("x-envoy-original-path", f"{API}{READ}")], 403),
    "a trusted address": ([("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")], 403),
    "an internal caller": ([("x-envoy-internal", "true")], 403),
    "claims": ([("x-jwt-payload", encoded(json.dumps({"groups": ["ml-platform"]}).encode()))], 403),
    "a name in capitals": ([("X-USER-EMAIL", "eve@example.com"), ("X-User-Email", "eve@example.com")], 403),
}


ORIGINS: Mapping[str, list[tuple[str, str]]] = {
    "none": [("origin", "")],
    "null": [("origin", "null")],
    "another": [("origin", "https://evil.example")],
    "a neighbour": [("origin", "https://docs.ml.example.com")],
    "with more at its end": [("origin", f"{ORIGIN}.evil.example")],
    "another port": [("origin", f"{ORIGIN}:8443")],
    "as plain text of a form": [("origin", "https://docs.ml.example.com"), ("content-type", "text/plain")],
}


SMUGGLED: Mapping[str, tuple[str, int]] = {
    "two lengths": ("content-length: 5\r\ncontent-length: 50\r\n", 400),
    "a length and chunks": ("content-length: 5\r\ntransfer-encoding: chunked\r\n", 400),
    "a negative length": ("content-length: -1\r\n", 400),
    "a length in words": ("content-length: five\r\n", 400),
    "chunks, twice": ("transfer-encoding: chunked, chunked\r\n", 501),
    "another encoding": ("transfer-encoding: xchunked\r\n", 501),
    "a blank before the colon": ("content-length : 5\r\n", 400),
    # One value of one header, which is the viewer's own request.
    "a folded header": ("x-a: b\r\n  x-user-email: boss@example.com\r\ncontent-length: 5\r\n", 403),
    "an end of text": ("x-a: b\0c\r\ncontent-length: 5\r\n", 400),
    "a second host": (f"host: {APP}\r\ncontent-length: 5\r\n", 401),
}
