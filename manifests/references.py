"""What objects refer to by name, and which of those names somebody else provides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from madeploy.names.kubernetes import (
    CREDENTIALS_NAMESPACE,
    RAY_NAMESPACE,
    cluster_ca_secret,
    cluster_token_secret,
)
from madeploy.settings import Environment
from madeploy.settings.front_door import IngressFrontDoor
from madeploy.settings.tls import AcmeTls, InternalCaTls, ProvidedTls
from manifests.credentials import object_store_secret_name
from manifests.objects import Object
from manifests.workload_pods import WorkloadPods, workload_pods

ISSUER_ANNOTATION: Final = "cert-manager.io/cluster-issuer"
CERT_MANAGER: Final = "(cert-manager's own namespace)"
"""Stands for the namespace a ClusterIssuer's Secrets are looked up in, which settings do not know."""


@dataclass(frozen=True)
class Name:
    """Identity of an object: kind, namespace (None for cluster-scoped ones) and name."""

    kind: str
    namespace: str | None
    name: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


@dataclass(frozen=True)
class Reference:
    """One object naming another."""

    source: str
    """The object that refers, as `Kind/namespace/name`."""

    field: str
    """Where in it."""

    target: Name
    key: str | None = None
    """Key of a ConfigMap or Secret, port of a Service, listener of a Gateway, when one is named."""


def name_of(obj: Object) -> Name:
    """Identity of an object."""
    return Name(obj["kind"], obj["metadata"].get("namespace"), obj["metadata"]["name"])


def references(obj: Object) -> Iterator[Reference]:
    """Everything the object names, optional references left out."""
    own = name_of(obj)
    if own.namespace is not None:
        yield Reference(str(own), "metadata.namespace", Name("Namespace", None, own.namespace))
    for pods in workload_pods([obj]):
        yield from _pod_references(str(own), pods)
    read = _READERS.get(obj["kind"])
    if read is not None:
        for where, target, key in read(obj):
            yield Reference(str(own), where, target, key)
    issuer = obj["metadata"].get("annotations", {}).get(ISSUER_ANNOTATION)
    if issuer is not None:
        where = f"metadata.annotations[{ISSUER_ANNOTATION}]"
        yield Reference(str(own), where, Name("ClusterIssuer", None, issuer))


def made_by_controllers(objects: Iterable[Object]) -> Iterator[Name]:
    """Names that come into being because of these objects: Secrets that cert-manager writes."""
    for obj in objects:
        spec, namespace = obj.get("spec", {}), obj["metadata"].get("namespace")
        issued = ISSUER_ANNOTATION in obj["metadata"].get("annotations", {})
        if obj["kind"] == "Certificate":
            yield Name("Secret", namespace, spec["secretName"])
        elif obj["kind"] == "Ingress" and issued:
            yield from (Name("Secret", namespace, entry["secretName"]) for entry in spec.get("tls", ()))
        elif obj["kind"] == "Gateway" and issued:
            yield from (target for _, target, _ in _gateway(obj) if target.kind == "Secret")


def provided(environment: Environment) -> dict[Name, str]:
    """Names that must exist without this toolkit, or that only the engine makes because they hold
    secret values, each with who provides it."""
    namespace = environment.platform.namespace
    tls, front_door = environment.tls, environment.front_door
    names: dict[Name, str] = {
        Name("Namespace", None, "default"): "Kubernetes",
        Name("Namespace", None, "kube-system"): "Kubernetes",
    }

    def secret(name: str, who: str, where: str = namespace) -> None:
        names[Name("Secret", where, name)] = who

    if isinstance(tls, ProvidedTls):
        secret(tls.api_secret_name, "tls.apiSecretName: whoever makes the certificates")
        secret(tls.app_secret_name, "tls.appSecretName: whoever makes the certificates")
        if tls.envoy.enabled:
            secret(tls.envoy.secret_name, "tls.envoy.secretName: whoever makes the certificates")
    if isinstance(tls, InternalCaTls):
        secret(tls.ca_secret_name, "tls.caSecretName: whoever runs the internal CA", CERT_MANAGER)
    elif isinstance(tls, AcmeTls) and tls.external_account_binding is not None:
        bound = tls.external_account_binding.secret_name
        secret(bound, "tls.externalAccountBinding: whoever has the account", CERT_MANAGER)
    kind = "IngressClass" if isinstance(front_door, IngressFrontDoor) else "GatewayClass"
    names[Name(kind, None, front_door.class_name)] = "frontDoor.className: the installed controller"
    for pull_secret in environment.images.pull_secrets:
        secret(pull_secret, "images.pullSecrets: the cluster's administrator")
    bundle = environment.control_plane.ca_bundle_config_map
    if bundle is not None:
        names[Name("ConfigMap", namespace, bundle)] = "controlPlane.caBundleConfigMap: the administrator"
    credentials = object_store_secret_name(environment)
    if credentials is not None:
        secret(credentials, "the engine, or storage.credentialsSecret")
    if environment.metadata_storage is not None:
        database = environment.metadata_storage.credentials_secret
        secret(database, "metadataStorage.credentialsSecret: the database's administrator")
    login = environment.access.login
    if login is not None:
        secret(
            login.credentials_secret, "access.browser.credentialsSecret: whoever runs the identity provider"
        )
    guarded = environment.access.guarded
    if guarded is not None and guarded.certificates is not None:
        callers = guarded.certificates.authorities_secret
        secret(callers, "access.api.certificates.authoritiesSecret: whoever signs callers' certificates")
    if environment.ray_logs is not None:
        keys = environment.ray_logs.credentials_secret
        secret(keys, "the engine, or rayLogs.credentialsSecret", RAY_NAMESPACE)
    for cluster in environment.clusters:
        secret(cluster_ca_secret(cluster), "the engine", CREDENTIALS_NAMESPACE)
        secret(cluster_token_secret(cluster), "the engine", CREDENTIALS_NAMESPACE)
    if environment.serving is not None:
        class_name = environment.serving.gateway_class
        names[Name("GatewayClass", None, class_name)] = "serving.gatewayClass: the installed controller"
        if not environment.serving.create_namespace:
            names[Name("Namespace", None, environment.serving.namespace)] = "serving.namespace: its project"
        sync = environment.serving.model_sync
        if sync is not None and sync.credentials_secret is not None:
            secret(sync.credentials_secret, "serving.modelSync", environment.serving.namespace)
    registry = environment.model_registry
    for team in (*registry.namespaces, *registry.retention.namespaces):
        names[Name("Namespace", None, team)] = "modelRegistry.namespaces: the team"
    if registry.ci_reader is not None:
        reader = registry.ci_reader
        names[Name("ServiceAccount", reader.namespace, reader.service_account)] = "modelRegistry.ciReader"
    return names


def _pod_references(source: str, pods: WorkloadPods) -> Iterator[Reference]:
    def refer(where: str, kind: str, name: str, key: str | None = None) -> Reference:
        return Reference(source, where, Name(kind, pods.namespace, name), key)

    spec = pods.spec
    if "serviceAccountName" in spec:
        yield refer("serviceAccountName", "ServiceAccount", spec["serviceAccountName"])
    for entry in spec.get("imagePullSecrets", ()):
        yield refer("imagePullSecrets", "Secret", entry["name"])
    sources: dict[str, tuple[str, str]] = {}
    for volume in spec.get("volumes", ()):
        for kind, field, name in (("ConfigMap", "configMap", "name"), ("Secret", "secret", "secretName")):
            source_of = [volume, *volume.get("projected", {}).get("sources", ())]
            for data in (entry[field] for entry in source_of if field in entry):
                if data.get("optional"):
                    continue
                target = data.get(name) or data["name"]
                sources[volume["name"]] = (kind, target)
                yield refer(f"volumes[{volume['name']}]", kind, target)
                for item in data.get("items", ()):
                    yield refer(f"volumes[{volume['name']}].items", kind, target, item["key"])
    for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
        yield from _container_references(refer, container, sources)


def _container_references(
    refer: Any, container: Mapping[str, Any], volumes: Mapping[str, tuple[str, str]]
) -> Iterator[Reference]:
    where = f"containers[{container['name']}]"
    for mount in container.get("volumeMounts", ()):
        if mount.get("subPath") and mount["name"] in volumes:
            kind, name = volumes[mount["name"]]
            yield refer(f"{where}.volumeMounts.subPath", kind, name, mount["subPath"])
    for kind, field, key_field in (
        ("ConfigMap", "configMapRef", "configMapKeyRef"),
        ("Secret", "secretRef", "secretKeyRef"),
    ):
        for entry in container.get("envFrom", ()):
            if field in entry and not entry[field].get("optional"):
                yield refer(f"{where}.envFrom", kind, entry[field]["name"])
        for entry in container.get("env", ()):
            data = entry.get("valueFrom", {}).get(key_field)
            if data is not None and not data.get("optional"):
                yield refer(f"{where}.env[{entry['name']}]", kind, data["name"], data["key"])


_Found = Iterator[tuple[str, Name, str | None]]


def _service_backend(namespace: str, name: str, port: Any) -> tuple[Name, str]:
    return Name("Service", namespace, name), str(port)


def _ingress(obj: Object) -> _Found:
    spec, namespace = obj["spec"], obj["metadata"]["namespace"]
    if "ingressClassName" in spec:
        yield "spec.ingressClassName", Name("IngressClass", None, spec["ingressClassName"]), None
    for entry in spec.get("tls", ()):
        yield "spec.tls", Name("Secret", namespace, entry["secretName"]), None
    for rule in spec.get("rules", ()):
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]
            port = service["port"].get("number") or service["port"]["name"]
            where = f"spec.rules[{rule.get('host', '*')}{path['path']}]"
            yield where, *_service_backend(namespace, service["name"], port)


def _gateway(obj: Object) -> _Found:
    spec, namespace = obj["spec"], obj["metadata"]["namespace"]
    yield "spec.gatewayClassName", Name("GatewayClass", None, spec["gatewayClassName"]), None
    for listener in spec["listeners"]:
        for ref in listener.get("tls", {}).get("certificateRefs", ()):
            where = f"spec.listeners[{listener['name']}].tls"
            target = Name(ref.get("kind", "Secret"), ref.get("namespace", namespace), ref["name"])
            yield where, target, None


def _route(obj: Object) -> _Found:
    spec, namespace = obj["spec"], obj["metadata"]["namespace"]
    yield from _parents("spec.parentRefs", spec["parentRefs"], namespace)
    for number, rule in enumerate(spec["rules"]):
        for ref in rule.get("backendRefs", ()):
            where = f"spec.rules[{number}].backendRefs"
            yield where, *_service_backend(ref.get("namespace", namespace), ref["name"], ref["port"])


def _parents(where: str, refs: Sequence[Mapping[str, Any]], namespace: str | None) -> _Found:
    for ref in refs:
        target = Name(ref.get("kind", "Gateway"), ref.get("namespace", namespace), ref["name"])
        yield where, target, ref.get("sectionName")


def _backend_tls_policy(obj: Object) -> _Found:
    spec, namespace = obj["spec"], obj["metadata"]["namespace"]
    for ref in spec["targetRefs"]:
        yield "spec.targetRefs", Name(ref["kind"], namespace, ref["name"]), None
    for ref in spec["validation"].get("caCertificateRefs", ()):
        yield "spec.validation.caCertificateRefs", Name(ref["kind"], namespace, ref["name"]), "ca.crt"


def _certificate(obj: Object) -> _Found:
    ref, namespace = obj["spec"]["issuerRef"], obj["metadata"]["namespace"]
    kind = ref.get("kind", "Issuer")
    where = None if kind == "ClusterIssuer" else namespace
    yield "spec.issuerRef", Name(kind, where, ref["name"]), None


def _cluster_issuer(obj: Object) -> _Found:
    spec = obj["spec"]
    if "ca" in spec:
        yield "spec.ca.secretName", Name("Secret", CERT_MANAGER, spec["ca"]["secretName"]), None
    binding = spec.get("acme", {}).get("externalAccountBinding")
    if binding is not None:
        reference = binding["keySecretRef"]
        target = Name("Secret", CERT_MANAGER, reference["name"])
        yield "spec.acme.externalAccountBinding.keySecretRef", target, reference["key"]
    for solver in spec.get("acme", {}).get("solvers", ()):
        http01 = solver.get("http01", {})
        if "ingress" in http01:
            name = http01["ingress"]["ingressClassName"]
            yield "spec.acme.solvers", Name("IngressClass", None, name), None
        refs = http01.get("gatewayHTTPRoute", {}).get("parentRefs", ())
        yield from _parents("spec.acme.solvers", refs, None)


def _binding(obj: Object) -> _Found:
    namespace = obj["metadata"].get("namespace")
    role = obj["roleRef"]
    where = None if role["kind"] == "ClusterRole" else namespace
    yield "roleRef", Name(role["kind"], where, role["name"]), None
    for subject in obj.get("subjects", ()):
        if subject["kind"] == "ServiceAccount":
            target = Name("ServiceAccount", subject.get("namespace", namespace), subject["name"])
            yield "subjects", target, None


def _secret(obj: Object) -> _Found:
    if obj.get("type") == "kubernetes.io/service-account-token":
        meta = obj["metadata"]
        account = meta["annotations"]["kubernetes.io/service-account.name"]
        yield "metadata.annotations", Name("ServiceAccount", meta["namespace"], account), None


def _cluster(obj: Object) -> _Found:
    rest = obj["spec"]["kubernetes"]["rest"]
    for field in ("caDataTag", "tokenTag"):
        where = f"spec.kubernetes.rest.{field}"
        yield where, Name("Secret", CREDENTIALS_NAMESPACE, rest[field]), None


_READERS: Final = {
    "BackendTLSPolicy": _backend_tls_policy,
    "Certificate": _certificate,
    "Cluster": _cluster,
    "ClusterIssuer": _cluster_issuer,
    "ClusterRoleBinding": _binding,
    "GRPCRoute": _route,
    "Gateway": _gateway,
    "HTTPRoute": _route,
    "Ingress": _ingress,
    "RoleBinding": _binding,
    "Secret": _secret,
    "TLSRoute": _route,
}
