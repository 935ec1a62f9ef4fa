"""MA410 to MA429: kubeconfigs, and what is registered from them."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

_FLATTEN: Final = "kubectl config view --context CONTEXT --minify --flatten --raw > FILE"

_SERVER: Final = "Set server in the cluster's entry (--server https://HOST:PORT) to {}."
_AUTHORITY: Final = (
    "Set certificateAuthorityData in the cluster's entry (--certificate-authority FILE, PEM) to {}."
)

KUBECONFIGS: Final[dict[str, Code]] = {
    "MA410": Code(
        "Kubeconfig that cannot be read",
        "Nothing is known of a cluster whose kubeconfig is missing, is no text, or is larger than any is.",
        f"Write it again: {_FLATTEN}",
    ),
    "MA411": Code(
        "Kubeconfig of YAML that is broken, or not read alike everywhere",
        "kubectl, the engine and these checks must see the same values; what only some of them accept is "
        "not used.",
        f"Write it again: {_FLATTEN}",
    ),
    "MA412": Code(
        "Text that is no kubeconfig, or a field that kubectl would refuse",
        "The engine's plugin reads kubeconfigs as kubectl does, and would fail in the middle of an update.",
        f"Write it again: {_FLATTEN}",
    ),
    "MA413": Code(
        "Two entries of one name in a kubeconfig",
        "kubectl refuses the file; another reader would take either of them.",
        "Keep the one that is meant.",
    ),
    "MA414": Code(
        "Context that a kubeconfig does not have",
        "The context decides which cluster is changed; none is guessed.",
        "Name one of the contexts there are with --context.",
    ),
    "MA415": Code(
        "Context that leads nowhere",
        "A context joins a cluster and a user by their names; one of them is not in the file.",
        f"Write the file again with everything in it: {_FLATTEN}",
    ),
    "MA416": Code(
        "API server's address that the platform cannot be told",
        "The platform stores host and port apart and joins them with a colon; nothing else fits in.",
        _SERVER.format("the address the control plane reaches it at"),
    ),
    "MA417": Code(
        "API server without a certificate authority",
        "The control plane would trust any public authority, or refuse every connection.",
        _AUTHORITY.format(
            "the cluster's authority, or, where a public one signs its certificate, that one's root"
        ),
    ),
    "MA418": Code(
        "Certificate authority that cannot vouch for the API server",
        "The control plane verifies the server with nothing else; every call would fail, some of them only "
        "from a later day on.",
        _AUTHORITY.format("the authority in the ConfigMap kube-root-ca.crt, which every namespace has"),
    ),
    "MA420": Code(
        "Kubeconfig that refers to another file",
        "No other file is opened for it, and on the machine that deploys it would not be there.",
        f"Write the file with its references inlined: {_FLATTEN}",
    ),
    "MA421": Code(
        "Kubeconfig that gets its credential from a login command",
        "It holds no credential: it works only where that command is installed and signed in, and a command "
        "out of a file somebody handed over is never started.",
        "Use the context on machines that have the command: --from-context CONTEXT",
    ),
    "MA422": Code(
        "Credential that Kubernetes takes no more",
        "Passwords went with Kubernetes 1.19 and login plugins of kubectl itself with 1.26.",
        "Use a client certificate, a ServiceAccount's token, or the provider's present login command.",
    ),
    "MA423": Code(
        "Kubeconfig that acts as somebody else",
        "Registering creates rights and reads a token; whether its holder may is not to be seen from here.",
        "Take as, as-uid, as-groups and as-user-extra out, and use a credential that has the rights itself.",
    ),
    "MA424": Code(
        "API server behind a proxy",
        "A registration has no place for a proxy: the control plane connects to the server directly.",
        _SERVER.format("the address the control plane reaches it at without one"),
    ),
    "MA425": Code(
        "API server with a certificate for another name",
        "A registration has no place for a TLS server name: the certificate must be valid for the host that "
        "is dialled.",
        _SERVER.format("an address whose host the certificate names"),
    ),
    "MA426": Code(
        "Kubeconfig without a credential that can be used",
        "The API server would refuse its holder, or treat it as anonymous.",
        "Write the file again for a user who administers the cluster.",
    ),
    "MA427": Code(
        "The control plane given as a compute cluster",
        "Mixing up the two contexts is the first mistake of every registration; jobs would run beside the "
        "control plane's own pods.",
        "Name the compute cluster's context. If the control plane is meant, say so by its address inside the "
        "cluster: --server https://kubernetes.default.svc",
    ),
    "MA428": Code(
        "Registration by hand that is not complete",
        "What is not there cannot be taken over, and creating it is a change.",
        "Finish the registration as the guide says, or register the cluster anew: bin/madeploy clusters add",
    ),
    "MA429": Code(
        "Registration by hand that differs from what would be registered",
        "Taking it over changes nothing on the clusters: what differs stays as it is until it is corrected.",
        "Correct the live object, or say the same in the cluster's entry.",
        "warning",
    ),
}
