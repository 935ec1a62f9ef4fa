"""Rights and trust of AWS identities (AWS IAM user guide)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from .conditions import comparisons, literal_wildcards, narrowed
from .model import ALWAYS, STRICT, Path, Resource, Violation, mapping, mappings, rule, texts

_DOCUMENTS: Final[Mapping[str, str]] = {
    "aws:iam/policy:Policy": "policy",
    "aws:iam/rolePolicy:RolePolicy": "policy",
    "aws:iam/userPolicy:UserPolicy": "policy",
    "aws:iam/groupPolicy:GroupPolicy": "policy",
    "aws:s3/bucketPolicy:BucketPolicy": "policy",
    "aws:iam/role:Role": "assumeRolePolicy",
}
"""Types that carry a policy document, and the property that holds it."""

DOCUMENTS: Final = frozenset(_DOCUMENTS)
_RIGHTS: Final = DOCUMENTS - {"aws:iam/role:Role", "aws:s3/bucketPolicy:BucketPolicy"}
_TRUST: Final = frozenset({"aws:iam/role:Role"})
_ATTACHMENTS: Final = frozenset(
    {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "aws:iam/userPolicyAttachment:UserPolicyAttachment",
        "aws:iam/policyAttachment:PolicyAttachment",
    }
)
_BROAD: Final = frozenset({"AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess"})
_WITHOUT_RESOURCE: Final = frozenset(
    {
        "eks:listclusters",
        "iam:listopenidconnectproviders",
        "iam:listroles",
        "kms:createkey",
        "kms:listaliases",
        "kms:listkeys",
        "s3:listallmybuckets",
        "sts:getcalleridentity",
    }
)
"""Actions that are about no resource, so that policies can name nothing but `*` (AWS service authorization
reference)."""

_OWN_RIGHTS: Final = (
    "iam:passrole",
    "iam:create",
    "iam:put",
    "iam:attach",
    "iam:update",
    "iam:addusertogroup",
    "iam:setdefaultpolicyversion",
    "sts:assumerole",
)


def document(resource: Resource) -> Mapping[str, Any]:
    """A resource's policy document; empty where it is not known yet or not readable."""
    given = resource.properties.get(_DOCUMENTS.get(resource.token, ""))
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return {}
    return mapping(given)


def statements(resource: Resource, effect: str) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Statements of a document with that effect, and their paths."""
    given = document(resource).get("Statement")
    path: Path = (_DOCUMENTS.get(resource.token, ""), "Statement")
    if isinstance(given, Mapping):
        given = [given]
    for statement, place in mappings(given, path):
        if statement.get("Effect") == effect:
            yield statement, place


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    given = statement.get("Principal")
    if isinstance(given, str):
        yield given
    for value in mapping(given).values():
        yield from texts(value)


@rule(
    "MA550",
    "iam-actions-named",
    title="IAM rights for every action",
    why="Reading a bucket becomes deleting it and changing its policy.",
    fix="Name the actions; the model-registry guide needs s3:GetObject, s3:PutObject, s3:DeleteObject and "
    "s3:ListBucket.",
    severities=ALWAYS,
    kinds=DOCUMENTS,
)
def actions(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        for action in texts(statement.get("Action")):
            if action == "*" or action.endswith(":*"):
                yield Violation((*path, "Action"), f"allows the action {action}")


@rule(
    "MA551",
    "iam-resources-named",
    title="IAM rights on every resource",
    why="It reaches every bucket of the account, other teams' included.",
    fix="Name the ARNs: the bucket for s3:ListBucket, `bucket/*` for objects.",
    severities=ALWAYS,
    kinds=_RIGHTS,
)
def resources(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        if all(action.lower() in _WITHOUT_RESOURCE for action in texts(statement.get("Action"))):
            continue
        for target in texts(statement.get("Resource")):
            if target == "*" or target in ("arn:aws:s3:::*", "arn:aws:s3:::*/*"):
                yield Violation((*path, "Resource"), f"allows the resource {target}")


@rule(
    "MA552",
    "iam-principals-named",
    title="IAM rights for everybody",
    why="Every AWS account, or the whole internet, may use them.",
    fix="Name the account, role or service, or compare aws:PrincipalOrgID, aws:PrincipalAccount, "
    "aws:SourceVpce or their like with values without a wildcard.",
    severities=ALWAYS,
    kinds=DOCUMENTS,
)
def principals(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        if "*" in _principals(statement) and not narrowed(statement):
            yield Violation((*path, "Principal"), "allows the principal *" + _unnarrowed(statement))


def _unnarrowed(statement: Mapping[str, Any]) -> str:
    """What to add about a statement whose conditions look as if they narrowed it."""
    return ", and its conditions leave it to nobody in particular" if statement.get("Condition") else ""


@rule(
    "MA553",
    "no-static-keys",
    title="Static AWS credentials",
    why="A key never expires, works from anywhere, and stays in every place it was copied to.",
    fix="Use IRSA or EKS Pod Identity: storage.identity.",
    severities=STRICT,
    kinds=["aws:iam/accessKey:AccessKey", "aws:iam/user:User"],
)
def static_keys(resource: Resource) -> Iterator[Violation]:
    kind = resource.token.rpartition(":")[2]
    yield Violation((), "makes an access key" if kind == "AccessKey" else "makes a user for a program")


@rule(
    "MA554",
    "trust-with-conditions",
    title="Role that pods it is not meant for may take",
    why="Without both conditions any pod of any cluster of the issuer, or any association of the AWS "
    "account, may take the role.",
    fix="For IRSA compare `<issuer>:sub` with system:serviceaccount:<namespace>:<name> and `<issuer>:aud` "
    "with sts.amazonaws.com by StringEquals; for Pod Identity compare the namespace and account tags. "
    "StringLike is enough for several ServiceAccounts of one namespace.",
    severities=ALWAYS,
    kinds=_TRUST,
)
def trust(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        place = (*path, "Condition")
        if "sts:AssumeRoleWithWebIdentity" in texts(statement.get("Action")):
            for claim in ("sub", "aud"):
                if not _compared(statement, f":{claim}"):
                    yield Violation(place, f"the token's {claim} is not compared by StringEquals")
        elif "pods.eks.amazonaws.com" in _principals(statement):
            for tag in ("kubernetes-namespace", _ACCOUNT_TAG):
                if not _compared(statement, f"aws:RequestTag/{tag}"):
                    yield Violation(place, f"the session's tag {tag} is not compared by StringEquals")


_ACCOUNT_TAG: Final = "kubernetes-service-account"
_SUBJECT: Final = re.compile(
    r"system:serviceaccount:[^*?:]+:[^:]+"  # one or, by a wildcard, several ServiceAccounts of a namespace
    r"|(?!system:)[^*?:]+:[^*?:/]+[:/].+"  # what belongs to one owner elsewhere: repo:<owner>/…
)
"""Subjects that name whose they are, though not which."""


def _compared(statement: Mapping[str, Any], end: str) -> bool:
    """Whether the key with that end has to be there and to be what the statement says."""
    for item in comparisons(statement):
        if not item.key.lower().endswith(end.lower()) or item.if_exists or item.quantifier == "forallvalues":
            continue
        if item.operator == "stringequals":
            return True
        # The namespace of an association is compared by a tag of its own.
        like = end.endswith(_ACCOUNT_TAG) or all(map(_of_one_owner, item.values))
        if item.operator == "stringlike" and item.values and like:
            return True
    return False


def _of_one_owner(value: str) -> bool:
    """Whether what StringLike takes is one value, or what belongs to one namespace or owner."""
    return not {"*", "?"} & set(value) or _SUBJECT.fullmatch(value) is not None


@rule(
    "MA558",
    "wildcards-that-match",
    title="Wildcard where IAM knows none",
    why="StringEquals compares `*` and `?` as themselves, and no request has such a value: nobody can take "
    "the role by it, and nothing is granted or denied as it was meant. As part of a principal IAM refuses "
    "them.",
    fix="Name the value in full, or compare by StringLike (ArnLike for ARNs) with as little left open as "
    "possible; for principals compare aws:PrincipalArn.",
    severities=ALWAYS,
    kinds=DOCUMENTS,
)
def literal(resource: Resource) -> Iterator[Violation]:
    for effect in ("Allow", "Deny"):
        for statement, path in statements(resource, effect):
            for item, value in literal_wildcards(statement):
                said = f"{item.path[1]} compares {item.key} with {value[:80]}, its wildcard as itself"
                yield Violation((*path, *item.path), said)
            for name in _principals(statement):
                if name != "*" and {"*", "?"} & set(name):
                    yield Violation((*path, "Principal"), f"names the principal {name[:80]}")


@rule(
    "MA555",
    "no-iam-exceptions",
    title="IAM rights by exception",
    why="Allow with Not… grants everything but what is listed, and so everything AWS adds later.",
    fix="List what is allowed.",
    severities=ALWAYS,
    kinds=DOCUMENTS,
)
def exceptions(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        for key in ("NotAction", "NotResource", "NotPrincipal"):
            if key in statement:
                yield Violation((*path, key), f"allows by {key}")


@rule(
    "MA556",
    "no-rights-to-gain-rights",
    title="IAM rights that lead to all others",
    why="A service that changes identities can make itself an administrator.",
    fix="Leave them to whoever deploys.",
    severities=ALWAYS,
    kinds=_RIGHTS,
)
def own_rights(resource: Resource) -> Iterator[Violation]:
    for statement, path in statements(resource, "Allow"):
        for action in texts(statement.get("Action")):
            if action.lower() == "sts:assumerole" and _names_roles(statement):
                continue
            if action.lower().startswith(_OWN_RIGHTS):
                yield Violation((*path, "Action"), f"allows {action}")


def _names_roles(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is about single roles: who may take one gains what that one may, and no more."""
    named = list(texts(statement.get("Resource")))
    return bool(named) and all(":role/" in arn and not {"*", "?"} & set(arn) for arn in named)


@rule(
    "MA557",
    "no-broad-managed-policies",
    title="Managed policy that grants far more",
    why="It grants a whole service or account to one pod.",
    fix="Use a policy that names actions and buckets.",
    severities=ALWAYS,
    kinds=_ATTACHMENTS,
)
def broad_policies(resource: Resource) -> Iterator[Violation]:
    arn = str(resource.properties.get("policyArn") or "")
    if ":aws:policy/" in arn and arn.rpartition("/")[2] in _BROAD:
        yield Violation(("policyArn",), f"attaches {arn.rpartition('/')[2]}")


RULES: Final = (
    actions,
    resources,
    principals,
    static_keys,
    trust,
    exceptions,
    own_rights,
    broad_policies,
    literal,
)
