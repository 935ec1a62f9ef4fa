"""ServiceAccount tokens with claims of a test's choice, signed with the API server's own key."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from madeploy.sandbox.cluster import ISSUER


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_token(pki: Path, account_uid: str, **claims: Any) -> str:
    """A token for `default/ray-manager` of the cluster whose keys are in `pki`; `claims` come on top."""
    private = serialization.load_pem_private_key((pki / "service-account.key").read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    public = private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    # The API server names its keys by the digest of the public half.
    header = {"alg": "ES256", "kid": _encoded(hashlib.sha256(public).digest())}
    body = {
        "iss": ISSUER,
        "aud": [ISSUER],
        "sub": "system:serviceaccount:default:ray-manager",
        "kubernetes.io": {
            "namespace": "default",
            "serviceaccount": {"name": "ray-manager", "uid": account_uid},
        },
        **claims,
    }
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, body))
    first, second = decode_dss_signature(private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{_encoded(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"
