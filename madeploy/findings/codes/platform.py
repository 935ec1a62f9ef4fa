"""MA4xx clusters, MA5xx security."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

CLUSTERS: Final[dict[str, Code]] = {
    "MA401": Code(
        "Two clusters on one API server",
        "The controller manager keeps one client per host and port: the second cluster would be used with "
        "the first one's credentials.",
        "Register each API server once.",
    ),
    "MA402": Code(
        "Cluster without a way to reach it",
        "Registering it needs its kubeconfig once, to make the service account the platform uses.",
        "Set kubeconfigContext, or store its kubeconfig encrypted.",
    ),
    "MA406": Code(
        "One cluster under two names",
        "What a registration makes on the cluster has fixed names (ray-manager, its token, "
        "michelangelo-config): the update would make it again for the new name and then delete it for the "
        "old one, from under the new one, whose jobs lose their account at that moment.",
        "Keep the name; or remove the cluster, and add it under the new name afterwards.",
    ),
    "MA409": Code(
        "Address that the control plane cannot use",
        "The platform joins host and port and sends no token over plain HTTP; loopback is the pod itself.",
        "Give the address as the control plane's pods reach it.",
    ),
}

SECURITY: Final[dict[str, Code]] = {
    "MA501": Code(
        "Secret in plain text",
        "Whoever reads the repository, now or in its history, has the credential.",
        "Encrypt it, and replace the credential: it is no longer secret.",
    ),
    "MA502": Code(
        "Value that looks like a secret in a plain setting",
        "Settings are shown, rendered and logged; whoever reads the repository has the credential.",
        "Take it out, and replace the credential: it is no longer secret.",
    ),
    "MA503": Code(
        "Encrypted value that cannot be decrypted",
        "Pulumi writes encrypted values itself; this one is empty or was typed in.",
        "Set it again with `pulumi config set --secret`.",
    ),
    "MA504": Code(
        "Store of secrets that is missing or not ready",
        "The External Secrets Operator reads nothing from it: Secrets are not made, or keep what they had.",
        "See the store's conditions, and the operator's login to it.",
    ),
    "MA505": Code(
        "Secret that was not read from its store",
        "Pods that mount it stay in ContainerCreating, or use what was valid once.",
        "Put what is missing into the store.",
    ),
}
