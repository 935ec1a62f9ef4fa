"""What breaks the rules for pods, rights, networks and reliability."""

from __future__ import annotations

from tests.policies.cases.shape import (
    CONFIG_MAP,
    DEPLOYMENT,
    INGRESS,
    MAIN,
    NGINX,
    POD,
    POLICY,
    RBAC,
    base,
    case,
    deployment,
    drop,
    grant,
    put,
)

PODS = (
    deployment("no-privileged-containers", put(*MAIN, "securityContext", "privileged", to=True)),
    deployment("no-host-namespaces", put(*POD, "hostNetwork", to=True)),
    deployment("no-host-namespaces", put(*POD, "hostPID", to=True), label="processes"),
    deployment(
        "no-host-paths",
        lambda o: o["spec"]["template"]["spec"]["volumes"].append({"name": "h", "hostPath": {"path": "/"}}),
    ),
    deployment("no-host-ports", put(*MAIN, "ports", 0, "hostPort", to=15566)),
    deployment("capabilities-dropped", put(*MAIN, "securityContext", "capabilities", "drop", to=["NET_RAW"])),
    deployment(
        "capabilities-dropped",
        put(*MAIN, "securityContext", "capabilities", "add", to=["SYS_ADMIN"]),
        label="added",
    ),
    deployment("not-as-root", drop(*POD, "securityContext", "runAsNonRoot")),
    deployment("not-as-root", put(*MAIN, "securityContext", "runAsUser", to=0), label="user 0"),
    deployment("not-as-root", put(*MAIN, "securityContext", "runAsNonRoot", to=False), label="container"),
    deployment(
        "seccomp-profile-set", put(*POD, "securityContext", "seccompProfile", "type", to="Unconfined")
    ),
    deployment("no-privilege-escalation", drop(*MAIN, "securityContext", "allowPrivilegeEscalation")),
    deployment("read-only-root", put(*MAIN, "securityContext", "readOnlyRootFilesystem", to=False)),
    deployment("api-token-decided", drop(*POD, "automountServiceAccountToken")),
    deployment("images-pinned", put(*MAIN, "image", to="example.com:5000/app")),
    deployment(
        "images-pinned", put(*MAIN, "image", to="ghcr.io/michelangelo-ai/apiserver:main"), label="main"
    ),
    deployment("images-pinned", put(*MAIN, "image", to="envoyproxy/envoy:v1.29-latest"), label="suffix"),
    deployment("images-can-be-pulled", put(*MAIN, "imagePullPolicy", to="Never")),
)

RIGHTS_CASES = (
    grant(
        "no-wildcard-rights", "ClusterRole", "reader", apiGroups=["ray.io"], resources=["*"], verbs=["get"]
    ),
    grant(
        "no-wildcard-rights",
        "Role",
        "credentials",
        apiGroups=["ray.io"],
        resources=["a"],
        verbs=["*"],
        label="verbs",
    ),
    grant(
        "no-secrets-of-all-namespaces",
        "ClusterRole",
        "reader",
        apiGroups=[""],
        resources=["secrets"],
        verbs=["list"],
    ),
    grant("secrets-by-name", "Role", "credentials", apiGroups=[""], resources=["secrets"], verbs=["get"]),
    grant(
        "no-borrowed-rights",
        "ClusterRole",
        "reader",
        apiGroups=[""],
        resources=["users"],
        verbs=["impersonate"],
    ),
    grant(
        "no-borrowed-rights",
        "Role",
        "credentials",
        apiGroups=[""],
        resources=["pods/exec"],
        verbs=["create"],
        label="exec",
    ),
    case("no-cluster-admin", f"{RBAC}/ClusterRoleBinding", "", put("roleRef", "name", to="cluster-admin")),
    case(
        "no-rights-for-everybody",
        f"{RBAC}/ClusterRoleBinding",
        "",
        put("subjects", 0, to={"kind": "Group", "name": "system:authenticated"}),
    ),
    case(
        "service-accounts-with-namespace", f"{RBAC}/ClusterRoleBinding", "", drop("subjects", 0, "namespace")
    ),
    case("bound-roles-exist", f"{RBAC}/ClusterRoleBinding", "", put("roleRef", "name", to="viewer")),
)

BACKEND = ("spec", "rules", 0, "http", "paths", 0, "backend", "service", "port", "number")

NETWORK = (
    case("pods-isolated", POLICY, "", put("metadata", "namespace", to="elsewhere")),
    case("egress-with-destination", POLICY, "default-deny", put("spec", "egress", to=[{}])),
    case(
        "egress-with-destination",
        POLICY,
        "default-deny",
        put("spec", "egress", to=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]),
        label="cidr",
    ),
    case("ingress-with-source", POLICY, "michelangelo-apiserver", put("spec", "ingress", to=[{"from": []}])),
    case("services-inside", "core/Service", "", put("spec", "type", to="NodePort")),
    case(
        "services-inside", "core/Service", "", put("spec", "type", to="LoadBalancer"), label="load balancer"
    ),
    case("hosts-with-tls", INGRESS, "apiserver", drop("spec", "tls")),
    case(
        "hosts-with-tls",
        INGRESS,
        "apiserver",
        put("spec", "tls", 0, "hosts", to=["b.example.com"]),
        label="other",
    ),
    case("hosts-by-name", INGRESS, "apiserver", drop("spec", "rules", 0, "host")),
    case(
        "hosts-by-name",
        "gateway.networking.k8s.io/Gateway",
        "",
        drop("spec", "listeners", 0, "hostname"),
        label="gateway",
    ),
    case(
        "hosts-by-name",
        "gateway.networking.k8s.io/HTTPRoute",
        "",
        put("spec", "hostnames", to=["*.example.com"]),
        label="route",
    ),
    case(
        "grpc-to-the-api", INGRESS, "apiserver", drop("metadata", "annotations", f"{NGINX}backend-protocol")
    ),
    case("application-reachable", INGRESS, "apiserver", put(*BACKEND, to=8081)),
    case(
        "no-plain-http",
        INGRESS,
        "apiserver",
        put("metadata", "annotations", f"{NGINX}ssl-redirect", to="false"),
    ),
    case(
        "no-ingress-snippets",
        INGRESS,
        "apiserver",
        put("metadata", "annotations", f"{NGINX}server-snippet", to="return 200;"),
    ),
)

RELIABILITY = (
    deployment("several-replicas", put("spec", "replicas", to=1)),
    case(
        "disruption-budgets",
        "policy/PodDisruptionBudget",
        "",
        put("spec", "selector", to={"matchLabels": {"app": "michelangelo-other"}}),
    ),
    case("budgets-let-go", "policy/PodDisruptionBudget", "", put("spec", "maxUnavailable", to=0)),
    case(
        "budgets-let-go",
        "policy/PodDisruptionBudget",
        "",
        lambda o: o["spec"].update(maxUnavailable=None, minAvailable=9),
        label="all of them",
    ),
    case(
        "probes-that-can-pass",
        DEPLOYMENT,
        "controllermgr",
        put(*MAIN, "livenessProbe", to={"httpGet": {"path": "/healthz", "port": 8083}}),
    ),
    deployment(
        "probes-that-can-pass", put(*MAIN, "livenessProbe", to={"grpc": {"port": 15566}}), label="grpc"
    ),
    deployment(
        "probes-that-can-pass", put(*MAIN, "livenessProbe", to={"exec": {"command": ["sh"]}}), label="exec"
    ),
    deployment(
        "probes-that-can-pass", put(*MAIN, "livenessProbe", to={"httpGet": {"port": "grpc"}}), label="http"
    ),
    deployment("readiness-probes", drop(*MAIN, "readinessProbe")),
    deployment("resources-declared", drop(*MAIN, "resources", "limits")),
    deployment("replicas-apart", drop(*POD, "topologySpreadConstraints")),
    base("one-leader", "controllermgr", put("controllermgr", "leaderElection", to=False)),
    case("namespaces-said", CONFIG_MAP, "michelangelo-config", drop("metadata", "namespace")),
)
