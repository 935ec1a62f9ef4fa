"""Pods of the five services, their Services and accounts."""

from __future__ import annotations

import pytest

from madeploy.names.kubernetes import Workload
from madeploy.names.services import SERVICES
from manifests import catalog
from manifests.inputs import Inputs
from tests.support.environments import (
    ALL,
    environment,
    gateway_minio,
    minimal,
    production_aws,
)
from tests.support.objects import container, deployment, of_kind, one, pod_spec

ENVIRONMENTS = pytest.mark.parametrize("name", ALL)
EACH_SERVICE = pytest.mark.parametrize("service", SERVICES)


@ENVIRONMENTS
@EACH_SERVICE
def test_every_pod_meets_pod_security_restricted(service: Workload, name: str) -> None:
    """CP-7 (Kubernetes, Pod Security Standards, restricted)."""
    spec = pod_spec(deployment(catalog.objects(ALL[name]()), service))
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    pod = spec["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {entry["name"] for entry in pod.get("sysctls", [])} <= {"net.ipv4.ip_unprivileged_port_start"}
    for item in spec["containers"]:
        assert item["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }
        assert not any("hostPort" in port for port in item.get("ports", []))
    for volume in spec["volumes"]:
        assert volume.keys() - {"name"} <= {"configMap", "secret", "emptyDir"}


@ENVIRONMENTS
@EACH_SERVICE
def test_every_reference_of_a_pod_is_to_something_that_is_there(service: Workload, name: str) -> None:
    """CP-1 to CP-5: accounts and ConfigMaps are made here, ports exist; Secrets and ConfigMaps of
    others' are those that the settings name."""
    chosen = ALL[name]()
    objects = catalog.objects(chosen)
    spec, item = pod_spec(deployment(objects, service)), container(deployment(objects, service))
    namespace = chosen.platform.namespace

    one(objects, "ServiceAccount", spec["serviceAccountName"], namespace)
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {mount["name"] for mount in item["volumeMounts"]} == volumes.keys()
    for volume in volumes.values():
        if "configMap" in volume and volume["configMap"]["name"] != chosen.control_plane.ca_bundle_config_map:
            config_map = one(objects, "ConfigMap", volume["configMap"]["name"], namespace)
            data = {**config_map.get("data", {}), **config_map.get("binaryData", {})}
            for mount in item["volumeMounts"]:
                if mount["name"] == volume["name"] and "subPath" in mount:
                    assert mount["subPath"] in data
        if "secret" in volume:
            assert volume["secret"]["secretName"] in (
                "michelangelo-object-store",
                chosen.tls.envoy.secret_name,
                chosen.metadata_storage.credentials_secret if chosen.metadata_storage else None,
                chosen.access.login.credentials_secret if chosen.access.login else None,
            )
    ports = {port["name"] for port in item.get("ports", [])}
    probes = [item[key] for key in ("startupProbe", "readinessProbe", "livenessProbe") if key in item]
    for probe in probes:
        action = probe.get("tcpSocket") or probe["httpGet"]
        assert action["port"] in ports


@ENVIRONMENTS
def test_every_service_selects_pods_and_a_port_they_have(name: str) -> None:
    """CP-1, CP-2, CP-4, CP-5."""
    objects = catalog.objects(ALL[name]())
    pods = [obj["spec"]["template"] for obj in of_kind(objects, "Deployment")]
    for service in of_kind(objects, "Service"):
        selected = [
            pod for pod in pods if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]
        assert len(selected) == 1, service["metadata"]["name"]
        ports = {
            port["name"]: port["containerPort"] for port in selected[0]["spec"]["containers"][0]["ports"]
        }
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


@EACH_SERVICE
def test_selectors_match_the_pods_and_use_nothing_that_ever_changes(service: Workload) -> None:
    """CP-7: selectors are immutable; a label that changed would end in a replacement, an outage."""
    for name in ALL:
        spec = deployment(catalog.objects(ALL[name]()), service)["spec"]
        assert spec["selector"] == {"matchLabels": {"app": f"michelangelo-{service}"}}
        assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


def test_only_the_two_services_that_call_kubernetes_get_a_token() -> None:
    """CP-3, CP-7: no token for worker, UI and Envoy, neither by account nor by pod."""
    objects = catalog.objects(minimal())
    for service in SERVICES:
        expected = service in ("apiserver", "controllermgr")
        account = one(objects, "ServiceAccount", f"michelangelo-{service}")
        assert account["automountServiceAccountToken"] is expected
        assert pod_spec(deployment(objects, service))["automountServiceAccountToken"] is expected


def test_probes_are_those_the_real_services_answer() -> None:
    """CP-7 (V4, facts 1.1): never the probe listener of the controller manager, no gRPC health, and
    none for the worker, which opens no port."""
    objects = catalog.objects(minimal())
    actions = {
        service: {
            key: {kind: probe[kind] for kind in ("tcpSocket", "httpGet", "grpc", "exec") if kind in probe}
            for key, probe in container(deployment(objects, service)).items()
            if key.endswith("Probe")
        }
        for service in SERVICES
    }
    tcp_grpc = {"tcpSocket": {"port": "grpc"}}
    metrics = {"httpGet": {"port": "metrics", "path": "/metrics"}}
    ready = {"httpGet": {"port": "metrics", "path": "/ready"}}
    tcp_http = {"tcpSocket": {"port": "http"}}
    assert actions == {
        "apiserver": dict.fromkeys(("startupProbe", "readinessProbe", "livenessProbe"), tcp_grpc),
        "controllermgr": {
            "startupProbe": metrics,
            "readinessProbe": metrics,
            "livenessProbe": {"tcpSocket": {"port": "metrics"}},
        },
        "worker": {},
        "ui": {
            "startupProbe": tcp_http,
            "readinessProbe": {"httpGet": {"port": "http", "path": "/"}},
            "livenessProbe": tcp_http,
        },
        "envoy": {"startupProbe": ready, "readinessProbe": ready, "livenessProbe": tcp_http},
    }
    ports = {
        service: {
            port["name"]: port["containerPort"] for port in container(deployment(objects, service))["ports"]
        }
        for service in ("apiserver", "controllermgr", "ui", "envoy")
    }
    assert ports == {
        "apiserver": {"grpc": 15566},
        "controllermgr": {"metrics": 8091},
        "ui": {"http": 80},
        "envoy": {"http": 8081, "metrics": 9902},
    }
    assert "ports" not in container(deployment(objects, "worker"))


@pytest.mark.parametrize("service", ["apiserver", "controllermgr"])
def test_a_slow_first_start_is_not_taken_for_a_dead_process(service: Workload) -> None:
    """CP-7, CP-8: start-up may take its 15 s and more; only then does the liveness probe count."""
    probe = container(deployment(catalog.objects(minimal()), service))["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 60


def test_resources_are_the_environments_and_memory_is_reserved_in_full() -> None:
    """CP-7."""
    objects = catalog.objects(production_aws())
    assert container(deployment(objects, "controllermgr"))["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "128Mi"},
        "limits": {"cpu": "2", "memory": "1Gi", "ephemeral-storage": "1Gi"},
    }
    assert container(deployment(objects, "apiserver"))["resources"] == {
        "requests": {"cpu": "500m", "memory": "512Mi", "ephemeral-storage": "128Mi"},
        "limits": {"memory": "512Mi", "ephemeral-storage": "1Gi"},
    }


def test_static_keys_are_a_file_from_a_secret_read_last() -> None:
    """CP-6, REG-3 (facts 1.2): only for stores without roles."""
    objects = catalog.objects(gateway_minio())
    for service in ("controllermgr", "worker"):
        item, spec = container(deployment(objects, service)), pod_spec(deployment(objects, service))
        env = {entry["name"]: entry["value"] for entry in item["env"]}
        assert env["CONFIG_DIR"] == "/config:/etc/michelangelo/secrets"
        mounts = {mount["mountPath"]: mount["name"] for mount in item["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        assert volumes[mounts["/config"]]["configMap"]["name"] == f"michelangelo-{service}-config"
        secret = volumes[mounts["/etc/michelangelo/secrets"]]["secret"]
        assert secret == {"secretName": "michelangelo-object-store", "defaultMode": 0o440}
    for service in SERVICES:
        assert not any(
            "secret" in volume
            for volume in pod_spec(deployment(catalog.objects(minimal()), service))["volumes"]
        )


def test_an_existing_secret_takes_the_place_of_the_one_made_here() -> None:
    """MR-1, CP-6."""
    storage = {
        "kind": "s3Compatible",
        "endpoint": "https://minio.example.com",
        "credentialsSecret": "from-vault",
    }
    objects = catalog.objects(environment(storage=storage))
    for service in ("controllermgr", "worker"):
        volumes = pod_spec(deployment(objects, service))["volumes"]
        assert [volume["secret"]["secretName"] for volume in volumes if "secret" in volume] == ["from-vault"]


def test_private_authorities_are_trusted_besides_the_systems() -> None:
    """CP-7 (facts 1.2)."""
    objects = catalog.objects(gateway_minio())
    for service in ("controllermgr", "worker"):
        item = container(deployment(objects, service))
        env = {entry["name"]: entry["value"] for entry in item["env"]}
        assert env["SSL_CERT_DIR"].split(":") == ["/etc/ssl/certs", "/etc/michelangelo/ca"]
        (volume,) = [v for v in pod_spec(deployment(objects, service))["volumes"] if v["name"] == "ca"]
        assert volume["configMap"] == {"name": "company-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]}
    assert "env" not in container(deployment(catalog.objects(minimal()), "worker"))


def test_roles_reach_accounts_through_irsa_and_not_through_pod_identity() -> None:
    """MR-2."""
    buckets = {"workspace": "example-ml-workspace", "models": "example-ml-models"}
    arn = "arn:aws:iam::123456789012:role/existing"
    existing = environment(
        storage={"kind": "existing", "region": "eu-west-1", "buckets": buckets, "roleArns": {"worker": arn}}
    )
    objects = catalog.objects(existing)
    worker = one(objects, "ServiceAccount", "michelangelo-worker")
    assert worker["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": arn}
    assert "annotations" not in one(objects, "ServiceAccount", "michelangelo-controllermgr")["metadata"]

    associated = environment(
        storage={
            "kind": "aws",
            "region": "eu-west-1",
            "buckets": buckets,
            "identity": {"kind": "podIdentity", "clusterName": "ml"},
        }
    )
    bundles = catalog.bundles(Inputs(associated, "prod"))
    accounts = of_kind([obj for bundle in bundles for obj in bundle.objects], "ServiceAccount")
    assert not any("annotations" in account["metadata"] for account in accounts)


def test_the_application_calls_the_app_domain_and_can_write_where_nginx_must() -> None:
    """CP-4, NET-8, CP-7: port 80 without root by a sysctl that `restricted` allows."""
    objects = catalog.objects(minimal())
    config = one(objects, "ConfigMap", "public-config")["data"]["config.json"]
    assert config == '{"apiBaseUrl": "https://app.ml.example.com"}'
    item, spec = container(deployment(objects, "ui")), pod_spec(deployment(objects, "ui"))
    assert spec["securityContext"]["sysctls"] == [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "80"}
    ]
    mounts = {mount["mountPath"]: mount for mount in item["volumeMounts"]}
    assert mounts["/usr/share/nginx/html/config.json"]["subPath"] == "config.json"
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    for path in ("/var/cache/nginx", "/run", "/tmp"):
        assert "emptyDir" in volumes[mounts[path]["name"]]


def test_envoy_reads_the_mounted_file_and_its_certificate_where_the_guide_puts_it() -> None:
    """CP-5, NET-4."""
    plain = container(deployment(catalog.objects(minimal()), "envoy"))
    assert plain["args"][:2] == ["--config-path", "/etc/envoy/envoy.yaml"]
    assert {mount["mountPath"] for mount in plain["volumeMounts"]} == {"/etc/envoy", "/tmp"}
    objects = catalog.objects(gateway_minio())
    terminating = deployment(objects, "envoy")
    (volume,) = [v for v in pod_spec(terminating)["volumes"] if v["name"] == "tls"]
    assert volume["secret"]["secretName"] == "michelangelo-envoy-tls"
    (mount,) = [m for m in container(terminating)["volumeMounts"] if m["name"] == "tls"]
    assert mount == {"name": "tls", "mountPath": "/etc/ssl/certs", "readOnly": True}


def test_services_say_which_protocol_they_speak() -> None:
    """NET-1, NET-7: gateways and meshes choose HTTP/2 or TLS to the pod by this field."""
    protocols = {
        obj["metadata"]["name"]: (obj["spec"]["ports"][0]["name"], obj["spec"]["ports"][0]["appProtocol"])
        for obj in of_kind(catalog.objects(gateway_minio()), "Service")
    }
    assert protocols == {
        "michelangelo-apiserver": ("grpc", "kubernetes.io/h2c"),
        "michelangelo-controllermgr": ("metrics", "http"),
        "michelangelo-envoy": ("http", "https"),
        "michelangelo-ui": ("http", "http"),
    }
