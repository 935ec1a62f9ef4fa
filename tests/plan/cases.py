"""The commonest changes of an environment: a name, the environment before, and the one after."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from madeploy.settings import Environment
from tests.support.environments import MINIMAL, aws_storage, environment

Made = Callable[[], Environment]
_ACME: Final = {"tls": {"mode": "acme", "email": "platform@example.com"}}
_AWS: Final = aws_storage()
_ONE: Final = {"first": {"server": "https://first.example.com:6443"}}
_TWO: Final = {**_ONE, "second": {"server": "https://second.example.com:6443"}}


_LOGIN: Final = {
    "kind": "oidc",
    "provider": "keycloak",
    "issuer": "https://login.example.com/realms/ml",
    "clientId": "michelangelo",
    "editors": {"groups": ["ml-platform"]},
}
_LOCK: Final = {"kind": "guarded", "trustedCidrs": ["203.0.113.0/28"]}
_TENANT: Final = {
    "team": "00000000-0000-4000-8000-000000000001",
    "description": "Vision models",
    "gitRepo": "https://git.example.com/vision",
}


def made(**sections: Any) -> Made:
    """The smallest environment with these sections."""
    return lambda: environment(**sections)


def _domains(app: str) -> dict[str, Any]:
    return {"domains": {**MINIMAL["domains"], "app": app}}


CASES: Final[dict[str, tuple[Made, Made]]] = {
    "nothing": (made(), made()),
    "the application moves to another host": (
        made(**_ACME),
        made(**_ACME, **_domains("studio.ml.example.com")),
    ),
    "an origin is admitted": (made(), made(cors={"additionalOrigins": ["https://studio.example.com"]})),
    "an origin is refused again": (made(cors={"additionalOrigins": ["https://studio.example.com"]}), made()),
    "people have to sign in": (made(), made(access={"browser": _LOGIN})),
    "nobody has to sign in any more": (made(access={"browser": _LOGIN}), made()),
    "authentication begins at the API's host": (made(), made(access={"api": _LOCK})),
    "authentication ends at the API's host": (made(access={"api": _LOCK}), made()),
    "another network is trusted": (
        made(access={"api": _LOCK}),
        made(access={"api": _LOCK | {"trustedCidrs": ["198.51.100.0/28"]}}),
    ),
    "a tenant comes": (made(), made(tenants={"vision": _TENANT})),
    "a tenant leaves the settings": (made(tenants={"vision": _TENANT}), made()),
    "all images are updated": (made(), made(images={"tag": "sha-abcdef0"})),
    "the API server gets more pods": (made(), made(controlPlane={"apiserver": {"replicas": 4}})),
    "Envoy gets one pod only": (made(), made(controlPlane={"envoy": {"replicas": 1}})),
    "the worker gets more memory": (
        made(),
        made(controlPlane={"worker": {"resources": {"cpu": "250m", "memory": "1Gi"}}}),
    ),
    "the workflow engine moves": (
        made(),
        made(workflow={"engine": "temporal", "host": "temporal-2.example.com:7233"}),
    ),
    "the first cluster is added": (made(), made(clusters=_ONE)),
    "a second cluster is added": (made(clusters=_ONE), made(clusters=_TWO)),
    "the second cluster is removed": (made(clusters=_TWO), made(clusters=_ONE)),
    "a cluster's API server moves": (
        made(clusters=_ONE),
        made(clusters={"first": {"server": "https://moved.example.com:6443"}}),
    ),
    "certificates come from ACME": (made(), made(**_ACME)),
    "the front door becomes the Gateway API": (
        made(),
        made(frontDoor={"kind": "gatewayApi", "className": "eg", "controllerNamespace": "gateways"}),
    ),
    "another bucket takes the models": (
        made(storage=_AWS),
        made(storage={**_AWS, "buckets": {**_AWS["buckets"], "models": "example-ml-models-2"}}),
    ),
    "an unprotected bucket is renamed": (
        made(storage={**_AWS, "protect": False}),
        made(
            storage={
                **_AWS,
                "protect": False,
                "buckets": {**_AWS["buckets"], "models": "example-ml-models-2"},
            }
        ),
    ),
    "the buckets move to another region": (
        made(storage={**_AWS, "protect": False}),
        made(storage={**_AWS, "protect": False, "region": "eu-west-2"}),
    ),
    "access logs are given up": (
        made(storage={**_AWS, "accessLogs": {"bucket": "example-ml-access"}}),
        made(storage=_AWS),
    ),
    "isolation is lifted": (made(), made(network={"policies": False})),
    "the namespace changes": (made(), made(platform={"namespace": "michelangelo"})),
    "the controller manager runs alone": (
        made(controlPlane={"controllermgr": {"replicas": 1, "leaderElection": False}}),
        made(
            controlPlane={"controllermgr": {"replicas": 1, "leaderElection": False, "logLevel": "debug"}},
        ),
    ),
    "the platform goes to another release": (
        made(platform={"release": "2026.04"}, images={"tag": "sha-cbf5720"}),
        made(images={"tag": "0.12.0"}),
    ),
    "the platform goes back to an earlier release": (
        made(images={"tag": "0.12.0"}),
        made(platform={"release": "2026.04"}, images={"tag": "sha-cbf5720"}),
    ),
    "a team may read models": (made(), made(modelRegistry={"namespaces": ["team-a"]})),
}
