"""The registration guide's troubleshooting list, row by row, in the words of those who meet it."""

from __future__ import annotations

from typing import Final

from madeploy.findings.symptoms.symptom import Symptom

_GUIDE = "registration guide, troubleshooting"
_VERIFY = "bin/madeploy clusters verify --all --stack {stack}"

REGISTRATION: Final = (
    Symptom(
        f"{_GUIDE} 1",
        "MA448",
        r"context \"?(?P<context>[^\" ]+)\"? does not exist|no context exists with the name",
        'error: context "my-compute-cluster-context" does not exist',
        "the kubeconfig at hand has no such context, so commands go to another cluster or to none",
        "See which contexts there are, and which the stack names:\n"
        "kubectl config get-contexts\n"
        "bin/madeploy clusters list --stack {stack}",
    ),
    Symptom(
        f"{_GUIDE} 2",
        "MA432",
        r"dial tcp (?P<address>\S+?):? (connect: )?(i/o timeout|operation timed out)"
        r"|context deadline exceeded|TLS handshake timeout",
        'Get "https://203.0.113.9:6443/healthz": dial tcp 203.0.113.9:6443: i/o timeout',
        "packets to {address} get lost on the way: a firewall, a security group or a NetworkPolicy",
        f"Open the way from the control plane's pods, then prove it:\n{_VERIFY}",
    ),
    Symptom(
        f"{_GUIDE} 2 (name)",
        "MA430",
        r"dial tcp: lookup (?P<host>\S+?)( on \S+)?: no such host",
        'Get "https://compute.example.com:6443/healthz": dial tcp: lookup compute.example.com on '
        "10.96.0.10:53: no such host",
        "{host} does not resolve where the controller manager runs",
        f"Correct clusters.<name>.server, or the DNS record, then prove it:\n{_VERIFY}",
    ),
    Symptom(
        f"{_GUIDE} 3",
        "MA456",
        r"token Secret (is )?not populated|timed out waiting for the condition on secrets/ray-manager-token",
        "error: timed out waiting for the condition on secrets/ray-manager-token",
        "the token controller has not filled the Secret: its ServiceAccount or its annotation is missing",
        "See the account and the annotation kubernetes.io/service-account.name, then write both again:\n"
        "{compute} -n default get serviceaccount ray-manager\n"
        "{compute} -n default get secret ray-manager-token -o yaml\n"
        "pulumi up --refresh --stack {stack}",
    ),
    Symptom(
        f"{_GUIDE} 4",
        "MA431",
        r"dial tcp (?P<address>\S+?:\d+): connect: connection refused",
        'Get "https://203.0.113.9:443/healthz": dial tcp 203.0.113.9:443: connect: connection refused',
        "nothing listens at {address}: host or port of the Cluster is not the API server's",
        f"Give the API server's own port in clusters.<name>.server (443 or 6443), then prove it:\n{_VERIFY}",
    ),
    Symptom(
        f"{_GUIDE} 4 (authority)",
        "MA434",
        r"x509: certificate signed by unknown authority",
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "the registered authority is not the API server's",
        f"Give the API server's own authority in clusters.<name>.certificateAuthorityData, then:\n{_VERIFY}",
    ),
    Symptom(
        f"{_GUIDE} 4 (name)",
        "MA435",
        r"x509: certificate is valid for (?P<names>.+?), not (?P<host>\S+)",
        "x509: certificate is valid for kubernetes, kubernetes.default, 10.96.0.1, not 203.0.113.9",
        "the API server's certificate is for {names}, and the Cluster names {host}",
        f"Give a name that the certificate has in clusters.<name>.server, then:\n{_VERIFY}",
    ),
    Symptom(
        f"{_GUIDE} 5",
        "MA437",
        r"the server has asked for the client to provide credentials|\b401 Unauthorized\b"
        r"|error: You must be logged in",
        "the server has asked for the client to provide credentials",
        "the registered token is not accepted any more: it was replaced, revoked or has expired, and the "
        "controller manager keeps the one it read first",
        "Have a new one made, registered and proven, with the controller manager rolled:\n"
        "bin/madeploy clusters rotate NAME --stack {stack}",
    ),
)
