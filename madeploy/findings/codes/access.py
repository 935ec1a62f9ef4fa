"""MA24x: who may come in."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

ACCESS: Final[dict[str, Code]] = {
    "MA240": Code(
        "Nobody has chosen who may come in",
        "The platform authenticates nobody: whoever reaches the host may create and delete everything.",
        "Choose: `kind: oidc` for people who sign in, or `kind: open` with the reason why no lock is needed "
        "(docs/access.md).",
    ),
    "MA241": Code(
        "Sign-in that lets nobody in",
        "People sign in at the provider and are then refused, all of them.",
        "Name groups or claims in `viewers` or `editors`.",
    ),
    "MA242": Code(
        "Issuer that the provider's tokens do not say",
        "Every token is refused, or tokens of tenants that are not yours are looked at.",
        "Copy `issuer` from the provider's /.well-known/openid-configuration.",
    ),
    "MA243": Code(
        "Authorities that Envoy cannot see",
        "It cannot check the provider's certificate, and nobody can sign in.",
        "Put the authorities into the ConfigMap controlPlane.caBundleConfigMap and set `bundle`.",
    ),
    "MA244": Code(
        "Lock that can be walked around",
        "Whoever runs a pod in the cluster reaches the API server, which authenticates nobody, beside Envoy.",
        "Leave network.policies on, in a cluster whose network plugin enforces NetworkPolicies.",
    ),
    "MA245": Code(
        "Right that hangs on a claim people can change",
        "Whoever changes it in their account, or in a tenant of their own, takes over the rights of others.",
        "Use groups, or the claim `oid`, which never changes.",
    ),
    "MA246": Code(
        "Envoy that is too old for sign-in",
        "It does not start with configuration that it does not know.",
        "Take a newer tag of Envoy's image.",
    ),
}
