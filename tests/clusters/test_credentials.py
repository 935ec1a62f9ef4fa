"""Credentials of a registered cluster, as the program makes them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pulumi
import pytest

from components.compute_cluster import expiry
from components.configuration import Access, Configuration
from components.platform import Platform
from madeploy.fleet.roles import StackRole
from madeploy.kubeconfigs import Endpoint
from madeploy.settings import CONTROL_PLANE, Environment
from tests.support import environments
from tests.support.proves import proves
from tests.support.recording import TOKEN, Recording, Registration, record

pytestmark = pytest.mark.whole

PEM = "-----BEGIN CERTIFICATE-----\nZXhhbXBsZQ==\n-----END CERTIFICATE-----\n"
SECRET = "kubernetes:core/v1:Secret"
REGISTERED = "gpu-secret-default-cluster-gpu-client-token"


def token(**claims: Any) -> str:
    """Something of a token's shape, with these claims."""
    parts = (b"{}", json.dumps(claims).encode(), b"example")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


BOUNDED = token(exp=1_800_000_000)


def environment(**cluster: Any) -> Environment:
    return environments.environment(clusters={"gpu": {"kubeconfigContext": "gpu", **cluster}})


def deploy(made: Environment, bounded: str | None = None) -> Recording:
    """What the program registers for an environment with one cluster."""

    def program() -> None:
        secret = pulumi.Output.secret("canary-kubeconfig")
        given = pulumi.Output.secret(bounded) if bounded else None
        endpoint = Endpoint("https://gpu.example.com", "6443", PEM)
        access = {CONTROL_PLANE: Access(secret, {}, None)}
        access |= {name: Access(secret, {}, endpoint, given) for name in made.clusters}
        Platform("michelangelo", Configuration(made, access, None, StackRole("environment", "test")))

    return record(program)


def credentials(recording: Recording) -> dict[str, Registration]:
    """The credentials' Secrets on the compute cluster, by their names there."""
    return {
        made.inputs["metadata"]["name"]: made
        for made in recording.of_type(SECRET)
        if made.provider == "k8s-gpu"
    }


def test_the_first_generation_has_the_guides_name_and_the_resources_of_old() -> None:
    """REG-2: a stack from before there were generations is changed in nothing."""
    (made,) = credentials(deploy(environment())).values()
    assert (made.name, made.inputs["metadata"]["name"]) == ("gpu-token", "ray-manager-token")


def test_a_kept_credential_exists_beside_the_registered_one() -> None:
    """REG-8: both are awaited; what the control plane gets is the registered one's token."""
    recording = deploy(environment(credential={"generation": 2, "keep": [{"generation": 1}]}))
    made = credentials(recording)
    assert {name: item.name for name, item in made.items()} == {
        "ray-manager-token": "gpu-token",
        "ray-manager-token-2": "gpu-token-2",
    }
    registered = recording.one(SECRET, REGISTERED)
    assert made["ray-manager-token-2"].identity in recording.waits_for(registered)
    assert made["ray-manager-token"].identity not in recording.waits_for(registered)
    for item in made.values():
        assert item.inputs["type"] == "kubernetes.io/service-account-token"
        assert item.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "jsonpath={.data.token}"


def test_a_prepared_cluster_has_credentials_and_is_not_registered() -> None:
    """REG-5, REG-9: generation 0 is everything on the cluster and nothing on the control plane."""
    recording = deploy(environment(credential={"generation": 0, "keep": [{"generation": 1}]}))
    assert set(credentials(recording)) == {"ray-manager-token"}
    assert not recording.of_type("kubernetes:michelangelo.api/v2:Cluster")
    assert not [made for made in recording.of_type(SECRET) if "cluster-gpu" in made.name]


def test_a_bounded_token_goes_to_the_control_plane_with_its_own_end_in_the_open() -> None:
    """REG-5: read from the token, never from what was asked for; the Secret it is bound to holds nothing."""
    recording = deploy(environment(credential={"kind": "bounded", "lifetimeHours": 1}), BOUNDED)
    (anchor,) = credentials(recording).values()
    assert anchor.inputs["type"] == "Opaque"
    assert not {"data", "stringData"} & anchor.inputs.keys()
    registered = recording.one(SECRET, REGISTERED)
    assert base64.b64decode(registered.inputs["data"]["token"]).decode() == BOUNDED
    assert anchor.identity in recording.waits_for(registered)
    assert registered.secret_inputs == {"data"}
    assert registered.inputs["metadata"]["annotations"] == {
        "michelangelo.infra/token-expires-at": "2027-01-15T08:00:00Z"
    }
    (cluster,) = recording.of_type("kubernetes:michelangelo.api/v2:Cluster")
    assert not {"labels", "annotations"} & cluster.inputs["metadata"].keys(), "V7"


def test_a_long_lived_token_has_no_end_to_tell() -> None:
    """REG-5."""
    registered = deploy(environment()).one(SECRET, REGISTERED)
    assert "annotations" not in registered.inputs["metadata"]
    assert expiry(base64.b64encode(TOKEN.encode()).decode()) == ""


def test_a_bounded_credential_without_a_token_registers_nothing() -> None:
    """REG-5: the rules refuse it first; the program does not trust in that."""
    with pytest.raises(ValueError, match=r"no clusterTokens\.gpu"):
        deploy(environment(credential={"kind": "bounded"}))


@pytest.mark.parametrize("generation", [1, 3])
@proves("REG-5")
def test_a_token_is_waited_for_as_long_as_the_guide_says_and_its_absence_explained(generation: int) -> None:
    """REG-5: half a minute, when it is made and when it is looked at again; by a hook of its own."""
    recording = deploy(environment(credential={"generation": generation}))
    (made,) = credentials(recording).values()
    assert made.timeouts == {"create": "30s", "update": "30s"}
    suffix = "" if generation == 1 else f"-{generation}"
    assert made.error_hooks == (f"gpu-token{suffix}",)


def test_the_deletion_of_a_cluster_is_waited_for_within_a_limit() -> None:
    """REG-9 (V16): its finalizer waits for a controller manager that may not run."""
    (cluster,) = deploy(environment()).of_type("kubernetes:michelangelo.api/v2:Cluster")
    assert cluster.timeouts == {"delete": "2m"}


def test_kuberay_is_installed_before_anything_is_registered_where_the_toolkit_is_to() -> None:
    """REG-7: the version and the namespace the platform is made for, from the project's own charts."""
    recording = deploy(environment(operators={"kubeRay": "install"}))
    (release,) = recording.of_type("kubernetes:helm.sh/v3:Release")
    assert release.provider == "k8s-gpu"
    assert release.inputs == {
        "name": "kuberay-operator",
        "chart": "kuberay-operator",
        "version": "1.7.1",
        "repositoryOpts": {"repo": "https://ray-project.github.io/kuberay-helm/"},
        "namespace": "ray-system",
        "createNamespace": True,
    } | {key: value for key, value in release.inputs.items() if key in ("compat", "resourceNames")}
    (cluster,) = recording.of_type("kubernetes:michelangelo.api/v2:Cluster")
    assert release.identity in recording.waits_for(cluster)
    assert not deploy(environment()).of_type("kubernetes:helm.sh/v3:Release")


def test_adding_a_cluster_leaves_the_controller_managers_pods_alone_and_a_revision_rolls_them() -> None:
    """REG-8, REG-9 (facts 3.1)."""

    def template(made: Environment) -> Any:
        name = "controllermgr-deployment-ma-system-michelangelo-controllermgr"
        return deploy(made).one("kubernetes:apps/v1:Deployment", name).inputs["spec"]["template"]

    one = environment()
    rotated = environment(credential={"generation": 2, "keep": [{"generation": 1}]})
    revised = environments.environment(controlPlane={"controllermgr": {"credentialsRevision": 1}})
    before = template(environments.environment())
    assert template(one) == template(rotated) == before
    annotations = template(revised)["metadata"]["annotations"]
    assert annotations.pop("michelangelo.infra/cluster-credentials-revision") == "1"
    assert annotations == before["metadata"]["annotations"]
