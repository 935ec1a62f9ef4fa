"""Tokens that say nothing of their end, but are known to have one: those that a login leaves behind.

Each issuer marks its tokens by how they begin, so that leaked ones are found; the end is in its own records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Issuer:
    """Whose tokens look like this, and how long they last."""

    form: re.Pattern[str]
    what: str
    ends: str
    instead: str = ""
    """What its own users do in place of the login, where that is not a ServiceAccount."""


LASTING: Final = (
    "Give the token of a ServiceAccount, which lasts until its Secret is deleted:\n"
    "kubectl --namespace kube-system create serviceaccount madeploy\n"
    "kubectl create clusterrolebinding madeploy --clusterrole cluster-admin --serviceaccount "
    "kube-system:madeploy\n"
    "then its Secret and its kubeconfig, as docs/adding-clusters.md shows under A credential that lasts."
)


def _issuer(form: str, what: str, ends: str, instead: str = "") -> Issuer:
    return Issuer(re.compile(form, re.IGNORECASE), what, ends, instead)


ISSUERS: Final = (
    _issuer(
        r"sha256~\S+",
        "a login token of OpenShift",
        "24 hours after the login, where the cluster sets nothing else (OAuth, accessTokenMaxAgeSeconds)",
    ),
    _issuer(
        r"(kubeconfig-[a-z0-9-]+|token-[a-z0-9]{5}):[a-z0-9]+",
        "a token of Rancher",
        "30 days after it was made, where Rancher sets nothing else (kubeconfig-default-token-ttl-minutes), "
        "and with the user",
    ),
    _issuer(r"ya29\.\S+", "an access token of Google Cloud", "an hour after the login"),
    _issuer(
        r"k8s-aws-v1\.\S+",
        "a token of EKS",
        "15 minutes after it was made",
        "A cluster on EKS is registered by its name: bin/madeploy clusters add NAME --stack STACK --eks "
        "CLUSTER --region REGION. Or:",
    ),
    _issuer(
        r"do[opr]_v1_[0-9a-f]+",
        "a token of DigitalOcean",
        "when its owner's does, seven days after the download for a kubeconfig",
    ),
    _issuer(
        r"[a-z0-9]{6}\.[a-z0-9]{16}",
        "a bootstrap token",
        "24 hours after it was made, and only lets nodes join",
    ),
    _issuer(
        r"(ci|pat):[0-9]+:\S+|gl(pat|cbt|ptt)-\S+",
        "a token of GitLab",
        "with its job, or on the day its owner set",
    ),
)


def issuer_of(token: str) -> Issuer | None:
    """Whose login left a token behind; None for one of another form, which may last."""
    return next((issuer for issuer in ISSUERS if issuer.form.fullmatch(token)), None)
