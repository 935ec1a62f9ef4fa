"""Which identities have roles, what the roles are called, and on which ServiceAccounts they are put."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madeploy.names import aws
from madeploy.names.services import STORE_CLIENTS
from madeploy.settings import Environment
from manifests import catalog, identities, registration
from manifests.inputs import Inputs
from tests.support.environments import MINIMAL, aws_storage, environment, gateway_minio, minimal
from tests.support.objects import of_kind, one

ANNOTATION = "eks.amazonaws.com/role-arn"
OIDC = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id"
ROLE = "arn:aws:iam::123456789012:role/tasks"
POD_IDENTITY = {"kind": "podIdentity", "clusterName": "control"}


def made(task_identity: dict[str, Any] | None, **storage: Any) -> Environment:
    cluster = {"kubeconfigContext": "gpu"}
    if task_identity is not None:
        cluster |= {"taskIdentity": task_identity}  # type: ignore[dict-item]
    return environment(storage=aws_storage(**storage), clusters={"gpu": cluster})


def annotations(env: Environment) -> dict[str, str | None]:
    """Role on each ServiceAccount of pods that call the object store, as rendered for a stack `prod`."""
    targets = catalog.targets(Inputs(env, "prod"))
    objects = {
        target.cluster: [obj for bundle in target.bundles for obj in bundle.objects] for target in targets
    }

    def role(cluster: str, name: str) -> str | None:
        for account in of_kind(objects[cluster], "ServiceAccount"):
            if account["metadata"]["name"] == name:
                found: str | None = account["metadata"].get("annotations", {}).get(ANNOTATION)
                return found
        return None

    services = {name: role("control-plane", f"michelangelo-{name}") for name in STORE_CLIENTS}
    return services | {f"tasks-{name}": role(name, "default") for name in env.clusters}


def test_roles_taken_by_irsa_are_on_their_service_accounts_before_they_exist() -> None:
    """MR-2: rendered files and updates say the same; task pods included (facts 3.3)."""
    env = made({"kind": "irsa", "oidcProviderArn": f"{OIDC}/gpu"}, rolePath="/ml/")
    base = "arn:aws:iam::123456789012:role/ml/michelangelo-prod-"
    assert annotations(env) == {
        "controllermgr": f"{base}controllermgr",
        "worker": f"{base}worker",
        "tasks-gpu": f"{base}tasks-gpu",
    }


def test_eks_pod_identity_needs_no_annotation() -> None:
    """MR-2: it knows ServiceAccounts by name; the roles are there all the same."""
    env = made({"kind": "podIdentity", "clusterName": "gpu"}, identity=POD_IDENTITY)
    assert set(annotations(env).values()) == {None}
    assert {item.identity for item in identities.subjects(env)} == {"controllermgr", "worker", "tasks-gpu"}


def test_a_given_role_is_put_on_the_task_pods_account_and_none_is_made() -> None:
    """MR-2: with buckets made here and with existing ones."""
    given_role = {"kind": "role", "roleArn": ROLE}
    env = made(given_role)
    assert annotations(env)["tasks-gpu"] == ROLE
    assert {item.identity for item in identities.subjects(env)} == {"controllermgr", "worker"}
    existing = MINIMAL["storage"] | {"roleArns": {"worker": ROLE}}
    env = environment(
        storage=existing, clusters={"gpu": {"kubeconfigContext": "gpu", "taskIdentity": given_role}}
    )
    assert annotations(env) == {"controllermgr": None, "worker": ROLE, "tasks-gpu": ROLE}
    assert identities.given_roles(env) == {"worker": ROLE, "tasks-gpu": ROLE}
    assert identities.subjects(env) == ()


def test_task_pods_get_nothing_that_was_not_asked_for() -> None:
    """MR-2: another store, or no identity: the account of other people's pods is left alone."""
    assert annotations(made(None))["tasks-gpu"] is None
    assert annotations(gateway_minio())["tasks-local"] is None


def test_only_the_annotation_of_the_default_account_is_ours() -> None:
    """MR-2: Kubernetes makes that account; a label would claim it."""
    env = made({"kind": "irsa", "oidcProviderArn": f"{OIDC}/gpu"})
    account = one(registration.compute_side(Inputs(env, "prod"), "gpu").objects, "ServiceAccount", "default")
    assert account.keys() == {"apiVersion", "kind", "metadata"}
    assert account["metadata"].keys() == {"name", "namespace", "annotations"}
    assert account["metadata"]["annotations"].keys() == {ANNOTATION}


def test_the_account_is_read_off_what_the_settings_say() -> None:
    """MR-2: said, or in an OIDC provider's ARN; otherwise the credentials know it."""
    irsa = {"kind": "irsa", "oidcProviderArn": f"{OIDC}/gpu"}
    assert identities.account(made(None)) == "123456789012"
    assert identities.account(made(None, identity=POD_IDENTITY, accountId="210987654321")) == "210987654321"
    assert identities.account(made(irsa, identity=POD_IDENTITY)) == "123456789012"
    assert identities.account(made(None, identity=POD_IDENTITY)) is None
    assert identities.account(minimal()) is None


def test_what_cannot_be_predicted_is_not_guessed() -> None:
    """MR-2: without an account no ARN; without AWS none at all."""
    assert identities.predicted_roles(made(None, identity=POD_IDENTITY), "prod") == {}
    assert identities.predicted_roles(minimal(), "prod") == {}
    assert identities.predicted_roles(gateway_minio(), "prod") == {}


@given(
    stacks=st.lists(st.text("abcdefgh-0123456789", min_size=1, max_size=100), min_size=2, unique=True),
    cluster=st.text("abc-0123456789", min_size=1, max_size=63),
)
def test_role_names_fit_iam_and_differ(stacks: list[str], cluster: str) -> None:
    """MR-2: at most 64 characters, whatever the lengths of stack and cluster; no two stacks share one."""
    for identity in (*STORE_CLIENTS, aws.tasks(cluster)):
        names = {aws.role(stack, identity) for stack in stacks}
        assert len(names) == len(stacks)
        assert all(len(name) <= 64 for name in names)
