"""Both front doors: what they look like, and that they serve the same URLs."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import catalog
from manifests.gateway_api import routes
from manifests.ingress import ingresses
from manifests.objects import Object, to_yaml
from tests.support.environments import ALL, environment
from tests.support.objects import of_kind, one
from tests.support.proves import proves
from tests.support.routing import by_gateway, by_ingress

API, APP = "api.ml.example.com", "app.ml.example.com"
GATEWAY = {"kind": "gatewayApi", "className": "eg", "controllerNamespace": "envoy-gateway-system"}
OTHER_CONTROLLER = {
    "kind": "ingress",
    "className": "traefik",
    "controllerNamespace": "traefik",
    "apiAnnotations": {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"},
    "appAnnotations": {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"},
}
ENVOY_TLS = {"mode": "provided", "envoy": {"enabled": True}}
SERVICES = ["ProjectService", "PipelineRunService", "ModelFamilyService", "InferenceServerService"]

NGINX = ingresses(environment())
NGINX_TLS = ingresses(environment(tls=ENVOY_TLS))
TRAEFIK = ingresses(environment(frontDoor=OTHER_CONTROLLER))
GATEWAY_API = routes(environment(frontDoor=GATEWAY))
GATEWAY_TLS = routes(environment(frontDoor=GATEWAY, tls=ENVOY_TLS))


def _answers(host: str, path: str) -> list[Any]:
    by_nginx, by_other = by_ingress(NGINX, host, path), by_ingress(TRAEFIK, host, path)
    encrypted = by_ingress(NGINX_TLS, host, path)
    return [
        by_nginx,
        by_other,
        encrypted,
        by_gateway(GATEWAY_API, host, path),
        by_gateway(GATEWAY_TLS, host, path),
    ]


CALLS = st.builds(
    lambda service, method: f"/michelangelo.api.v2.{service}/{method}",
    st.sampled_from(SERVICES),
    st.from_regex(r"[A-Z][A-Za-z]{0,20}", fullmatch=True),
)
FILES = st.one_of(
    st.sampled_from(
        [
            "/",
            "/index.html",
            "/config.json",
            "/assets/app-1.js",
            "/michelangelo.api.v2.",
            "/michelangelo.api.v2",
            "/michelangelo.api.v2.ProjectServiceX/ListProject",
            "/michelangelo.api.v1.ProjectService/ListProject",
            "/michelangelo_api_v2_ProjectService/ListProject",
            "/x/michelangelo.api.v2.ProjectService/ListProject",
            "/michelangelo.api.v2.projectservice/ListProject",
        ]
    ),
    st.from_regex(r"/[a-z0-9_./-]{0,30}", fullmatch=True).filter(lambda path: "//" not in path),
)


@given(path=CALLS)
def test_every_call_of_the_api_on_the_application_host_reaches_envoy(path: str) -> None:
    """NET-1, NET-6, NET-7: through every door, with and without TLS in Envoy."""
    assert _answers(APP, path) == [("michelangelo-envoy", 8081)] * 5


@given(path=FILES)
def test_everything_else_on_the_application_host_reaches_the_application(path: str) -> None:
    """NET-6, NET-7: the guide's single path would send it all to Envoy (facts 2.3, row 21)."""
    assert _answers(APP, path) == [("michelangelo-ui", 80)] * 5


@given(
    path=st.one_of(CALLS, FILES, st.just("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"))
)
def test_everything_on_the_api_host_reaches_the_api_server(path: str) -> None:
    """NET-1, NET-5, NET-7: reflection included, which `ma` needs."""
    assert _answers(API, path) == [("michelangelo-apiserver", 15566)] * 5


@pytest.mark.parametrize("host", ["ml.example.com", "other.example.com", f"x.{APP}"])
def test_other_hosts_are_not_served(host: str) -> None:
    """NET-1."""
    assert _answers(host, "/") == [None] * 5


@pytest.mark.parametrize("host", [API, APP])
def test_plain_http_is_only_a_redirect_at_the_gateway(host: str) -> None:
    """NET-7: as `ssl-redirect` is at the Ingress."""
    assert by_gateway(GATEWAY_API, host, "/anything", tls=False) == "redirect"
    redirect = one(GATEWAY_API, "HTTPRoute", "michelangelo-https-redirect")
    assert redirect["spec"]["rules"][0]["filters"][0]["requestRedirect"]["scheme"] == "https"


@proves("NET-5")
def test_the_api_ingress_is_the_guides() -> None:
    """NET-5."""
    ingress = one(NGINX, "Ingress", "michelangelo-apiserver", "ma-system")
    prefix = "nginx.ingress.kubernetes.io/"
    wanted = {
        f"{prefix}ssl-redirect": "true",
        f"{prefix}backend-protocol": "GRPC",
        f"{prefix}proxy-read-timeout": "3600",
        f"{prefix}proxy-send-timeout": "3600",
    }
    assert wanted.items() <= ingress["metadata"]["annotations"].items()
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": [API], "secretName": "michelangelo-apiserver-tls"}]


@proves("NET-6")
def test_the_application_ingress_is_the_guides_but_for_its_paths() -> None:
    """NET-6."""
    ingress = one(NGINX, "Ingress", "michelangelo-ui", "ma-system")
    prefix = "nginx.ingress.kubernetes.io/"
    annotations = ingress["metadata"]["annotations"]
    assert annotations[f"{prefix}ssl-redirect"] == "true"
    assert annotations[f"{prefix}proxy-read-timeout"] == "3600"
    assert f"{prefix}backend-protocol" not in annotations
    assert ingress["spec"]["tls"] == [{"hosts": [APP], "secretName": "michelangelo-ui-tls"}]


@pytest.mark.parametrize("objects", [NGINX, NGINX_TLS], ids=["plain", "TLS in Envoy"])
def test_ingress_nginx_admits_every_path(objects: tuple[Object, ...]) -> None:
    """NET-6: `strict-validate-path-type` wants these characters alone unless the path is
    `ImplementationSpecific`."""
    strict = re.compile(r"/[A-Za-z0-9_/-]*")
    for ingress in of_kind(objects, "Ingress"):
        for entry in ingress["spec"]["rules"][0]["http"]["paths"]:
            assert entry["pathType"] == "ImplementationSpecific" or strict.fullmatch(entry["path"]), entry


def test_another_controller_gets_its_own_annotations_and_portable_paths() -> None:
    """NET-5."""
    for ingress in of_kind(TRAEFIK, "Ingress"):
        annotations = ingress["metadata"]["annotations"]
        assert annotations == {"traefik.ingress.kubernetes.io/router.entrypoints": "websecure"}
        assert ingress["spec"]["ingressClassName"] == "traefik"
        paths = ingress["spec"]["rules"][0]["http"]["paths"]
        assert {entry["pathType"] for entry in paths} == {"Prefix"}


def test_only_the_envoy_paths_speak_tls_to_their_back_end_when_envoy_ends_it() -> None:
    """NET-4: the back end's protocol belongs to a whole Ingress."""
    protocol = "nginx.ingress.kubernetes.io/backend-protocol"
    found = {
        entry["backend"]["service"]["name"]: ingress["metadata"]["annotations"].get(protocol)
        for ingress in of_kind(NGINX_TLS, "Ingress")
        for entry in ingress["spec"]["rules"][0]["http"]["paths"]
    }
    assert found == {
        "michelangelo-apiserver": "GRPC",
        "michelangelo-ui": None,
        "michelangelo-envoy": "HTTPS",
    }


def test_one_ingress_alone_asks_for_each_certificate() -> None:
    """NET-11: cert-manager refuses a Secret that two Ingresses ask for."""
    made = ingresses(environment(tls={"mode": "internalCa", "envoy": {"enabled": True}}))
    asked = [
        entry["secretName"]
        for ingress in made
        if "cert-manager.io/cluster-issuer" in ingress["metadata"]["annotations"]
        for entry in ingress["spec"]["tls"]
    ]
    assert sorted(asked) == ["michelangelo-apiserver-tls", "michelangelo-ui-tls"]


def test_the_gateway_ends_tls_for_both_hosts_with_their_own_certificates() -> None:
    """NET-7."""
    gateway = one(GATEWAY_API, "Gateway", "michelangelo", "ma-system")
    assert gateway["spec"]["gatewayClassName"] == "eg"
    https = {
        listener["hostname"]: (listener["port"], listener["tls"]["certificateRefs"][0]["name"])
        for listener in gateway["spec"]["listeners"]
        if listener["protocol"] == "HTTPS"
    }
    assert https == {API: (443, "michelangelo-apiserver-tls"), APP: (443, "michelangelo-ui-tls")}
    assert all(
        listener["allowedRoutes"]["namespaces"] == {"from": "Same"}
        for listener in gateway["spec"]["listeners"]
    )


def test_calls_through_the_gateway_are_not_cut_short() -> None:
    """NET-7: Envoy-based implementations end requests after 15 s unless told otherwise."""
    route = one(GATEWAY_API, "HTTPRoute", "michelangelo-ui")
    calls = [
        rule for rule in route["spec"]["rules"] if rule["backendRefs"][0]["name"] == "michelangelo-envoy"
    ]
    assert calls
    assert all(rule["timeouts"] == {"request": "0s"} for rule in calls)


def test_routes_stay_within_the_limits_of_every_stable_version() -> None:
    """NET-7: 16 rules, 8 matches in each."""
    for route in of_kind(GATEWAY_API, "HTTPRoute"):
        assert len(route["spec"]["rules"]) <= 16
        assert all(len(rule.get("matches", ())) <= 8 for rule in route["spec"]["rules"])


def test_the_gateway_checks_the_certificate_of_an_envoy_that_ends_tls() -> None:
    """NET-4, NET-7."""
    policy = one(GATEWAY_TLS, "BackendTLSPolicy", "michelangelo-envoy")
    assert policy["spec"]["validation"] == {"wellKnownCACertificates": "System", "hostname": APP}
    private = environment(frontDoor=GATEWAY, tls=ENVOY_TLS, controlPlane={"caBundleConfigMap": "company-ca"})
    policy = one(routes(private), "BackendTLSPolicy", "michelangelo-envoy")
    (reference,) = policy["spec"]["validation"]["caCertificateRefs"]
    assert reference == {"group": "", "kind": "ConfigMap", "name": "company-ca"}
    assert of_kind(GATEWAY_API, "BackendTLSPolicy") == []


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_there_is_one_front_door(make: Any) -> None:
    """NET-7: never both, never none."""
    made = make()
    assert bool(ingresses(made)) != bool(routes(made))


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_the_two_domains_are_the_only_place_their_names_come_from(make: Any) -> None:
    """NET-8: another pair of names changes those names everywhere and nothing else."""
    made = make()
    domains = made.domains
    renamed = made.model_copy(
        update={"domains": domains.model_copy(update={"api": "g.example", "app": "w.example"})}
    )
    before, after = _text(catalog.objects(made)), _text(catalog.objects(renamed))
    assert domains.api in before
    assert domains.app in before
    moved = before.replace(domains.api, "g.example").replace(domains.app, "w.example")
    assert _without_checksums(moved) == _without_checksums(after)


@proves("CARD-5")
def test_domains_reach_every_place_the_guide_lists() -> None:
    """NET-8: worker address, the application's configuration, Envoy's CORS origin."""
    objects = catalog.objects(environment(controlPlane={"worker": {"apiAccess": "public"}}))
    worker = one(objects, "ConfigMap", "michelangelo-worker-config")["data"]["base.yaml"]
    assert f"{API}:443" in worker
    assert f'"https://{APP}"' in one(objects, "ConfigMap", "public-config")["data"]["config.json"]
    assert f"exact: https://{APP}" in one(objects, "ConfigMap", "envoy-config")["data"]["envoy.yaml"]


def _text(objects: list[Object]) -> str:
    return "---\n".join(to_yaml(obj) for obj in objects)


def _without_checksums(text: str) -> str:
    return re.sub(r"config-checksum: .*", "config-checksum: x", text)


LOCKED = {
    "browser": {
        "kind": "oidc",
        "provider": "keycloak",
        "issuer": "https://login.example.com/realms/ml",
        "clientId": "michelangelo",
        "editors": {"groups": ["ml-platform"]},
    },
    "api": {"kind": "guarded"},
}


@given(path=st.one_of(CALLS, FILES))
def test_with_locks_everything_goes_through_envoy(path: str) -> None:
    """ACC-1, ACC-2: through every door, with and without TLS in Envoy; nothing leads around."""
    for tls in ({"mode": "provided"}, ENVOY_TLS):
        for door, route in (({}, by_ingress), ({"frontDoor": OTHER_CONTROLLER}, by_ingress)):
            objects = ingresses(environment(access=LOCKED, tls=tls, **door))
            assert route(objects, APP, path) == ("michelangelo-envoy", 8081)
            assert route(objects, API, path) == ("michelangelo-envoy", 8082)
        gateway = routes(environment(access=LOCKED, tls=tls, frontDoor=GATEWAY))
        assert by_gateway(gateway, APP, path) == ("michelangelo-envoy", 8081)
        assert by_gateway(gateway, API, path) == ("michelangelo-envoy", 8082)


def test_ingress_nginx_takes_the_cookies_of_a_session_and_speaks_tls_where_envoy_does() -> None:
    """ACC-1, NET-4: by annotations of the application's one Ingress."""
    for tls, protocol in (({"mode": "provided"}, None), (ENVOY_TLS, "HTTPS")):
        ingress = one(ingresses(environment(access=LOCKED, tls=tls)), "Ingress", "michelangelo-ui")
        annotations = ingress["metadata"]["annotations"]
        assert annotations["nginx.ingress.kubernetes.io/proxy-buffer-size"] == "32k"
        assert annotations.get("nginx.ingress.kubernetes.io/backend-protocol") == protocol
