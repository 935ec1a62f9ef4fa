"""A cluster whose entry gets another name: the same objects under two names on the cluster itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import renames as program
from components.configuration import Access, Configuration
from madeploy.clients.errors import ClientError
from madeploy.errors import ToolkitError
from madeploy.fleet import urns
from madeploy.fleet.renames import address, same_entries, second_names
from madeploy.fleet.roles import StackRole
from madeploy.kubeconfigs import Endpoint
from madeploy.plan.environments import between
from madeploy.plan.sentences import sentences
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.stacks import updates as applying
from madeploy.stacks.access import StackAccess
from tests.kubeconfigs.documents import document
from tests.support.environments import environment
from tests.support.proves import proves

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z0-9]", fullmatch=True)


def stack_of(**clusters: dict[str, Any]) -> Environment:
    return environment(clusters={name.replace("_", "-"): entry for name, entry in clusters.items()})


WAYS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"kubeconfigContext": "ml"}, {"kubeconfigContext": "ml", "region": "a"}),
    (
        {"kubeconfigContext": "a", "server": "https://ml.example.com"},
        {"kubeconfigContext": "b", "server": "https://ML.example.com.:443/"},
    ),
    (
        {"eks": {"clusterName": "ml", "region": "eu-west-1"}},
        {"eks": {"clusterName": "ml", "region": "eu-west-1"}, "zone": "x"},
    ),
]


@pytest.mark.parametrize(("before", "after"), WAYS)
@given(old=NAMES, new=NAMES)
def test_an_entry_that_leads_to_the_same_cluster_under_another_name_is_told(
    before: dict[str, Any], after: dict[str, Any], old: str, new: str
) -> None:
    """REG-4, UX-6: by context, by address however it is spelt, by name on EKS."""
    was, is_now = environment(clusters={old: before}), environment(clusters={new: after})
    assert same_entries(was, is_now) == ({} if old == new else {new: old})


@pytest.mark.parametrize(
    "after",
    [
        {"west": {"kubeconfigContext": "ml"}, "east": {"kubeconfigContext": "other"}},
        {"east": {"kubeconfigContext": "other"}},
        {},
        {"west": {"kubeconfigContext": "ml"}, "second": {"kubeconfigContext": "ml"}},
    ],
)
def test_clusters_that_come_go_or_stay_are_not_taken_for_renamed(after: dict[str, Any]) -> None:
    """REG-4: two entries of one cluster side by side are another mistake, MA401 or MA408."""
    assert same_entries(stack_of(west={"kubeconfigContext": "ml"}), environment(clusters=after)) == {}


@given(st.dictionaries(NAMES, st.sampled_from(["https://a:1", "https://b:1", ""]), max_size=4), NAMES)
def test_a_name_is_second_only_beside_a_registration_that_no_entry_names(
    registered: dict[str, str], new: str
) -> None:
    """REG-4."""
    found = second_names(registered, {new: "https://a:1"}, [new])
    former = [name for name, where in registered.items() if where == "https://a:1" and name != new]
    assert set(found.values()) <= set(former)
    assert bool(found) == (new not in registered and bool(former))
    assert second_names(registered, {new: "https://a:1"}, [new, *registered]) == {}


@pytest.mark.parametrize(("before", "after"), WAYS)
@pytest.mark.parametrize("layout", ["inline", "sharded"])
def test_plan_names_what_the_update_would_delete_from_under_the_new_name(
    layout: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """REG-4, UX-6: in both layouts; fixed names on both sides."""
    shard = {"shard": 0} if layout == "sharded" else {}
    old, new = (
        environment(clusters={name: {**entry, **shard}}, fleet={"layout": layout})
        for name, entry in (("west", before), ("west-1", after))
    )
    (told,) = [item for item in sentences(between(old, new, "prod")) if "MA406" in item.text]
    assert told.level == "outage"
    assert "west-1 is the cluster that is registered as west" in told.text
    assert "ServiceAccount default/ray-manager" in told.text
    assert not any("registered (west-1)" in item.text for item in sentences(between(old, new, "prod")))


def _registration(name: str, host: str, port: str) -> dict[str, Any]:
    rest = {"host": host, "port": port}
    return {
        "type": "kubernetes:michelangelo.api/v2:Cluster",
        "urn": f"urn:pulumi:prod::michelangelo::x::{name}",
        "inputs": {"metadata": {"name": name}, "spec": {"kubernetes": {"rest": rest}}},
    }


@pytest.mark.parametrize("host", ["https://compute.example.com", "https://COMPUTE.example.com."])
@proves("REG-13", played="the engine")
def test_an_update_of_a_renamed_cluster_is_refused_before_it_begins(
    host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """REG-4, UX-6: by the addresses in the state and in the kubeconfigs; other updates go on."""
    settings = stack_of(west_1={"kubeconfigContext": "ml"})
    access = StackAccess("prod", tmp_path, settings, {"west-1": document()})
    monkeypatch.setattr(applying, "open_stack", lambda *_, **__: access)
    engine: Any = None
    stacks = applying.EnvironmentStacks("prod", tmp_path, settings, engine, tmp_path)
    registered = urns.registered_in([_registration("west", host, "6443"), {"type": "other", "urn": "x"}])
    assert registered == {"west": "https://compute.example.com:6443"}
    with pytest.raises(ToolkitError, match="registered as west") as refused:
        applying.refuse_second_names(stacks, registered, None)
    assert "bin/madeploy clusters remove west --stack prod" in str(refused.value.fix)
    applying.refuse_second_names(stacks, registered, ["another"])
    applying.refuse_second_names(stacks, {"west": address("https://other.example.com", "6443")}, None)
    applying.refuse_second_names(stacks, {"west-1": registered["west"]}, None)


class _Registered:
    """A control plane with these registrations; None for one that does not answer."""

    def __init__(self, items: list[dict[str, Any]] | None) -> None:
        self._items = items

    def items(self, path: str) -> list[dict[str, Any]]:
        assert path == "/apis/michelangelo.api/v2/namespaces/ma-system/clusters"
        if self._items is None:
            raise ClientError("https://hub", "timeout")
        return self._items


def _live(name: str, **metadata: str) -> dict[str, Any]:
    rest = {"host": "https://compute.example.com", "port": "6443"}
    return {"metadata": {"name": name, **metadata}, "spec": {"kubernetes": {"rest": rest}}}


@pytest.mark.parametrize(
    ("items", "refused"),
    [
        ([_live("west")], True),
        ([_live("east"), _live("west")], True),
        ([_live("west", deletionTimestamp="2026-11-28T00:00:00Z")], False),
        ([_live("west-1")], False),
        ([{"metadata": {"name": "west"}}], False),
        ([], False),
        (None, False),
    ],
)
@proves("REG-13", played="the engine")
def test_the_program_refuses_it_too_by_what_the_control_plane_has(
    items: list[dict[str, Any]] | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REG-4, UX-6: for `pulumi up` without these commands; a silent control plane hinders nothing."""
    monkeypatch.setattr(program.Kubernetes, "from_kubeconfig", lambda *_: _Registered(items))
    settings = stack_of(west_1={"kubeconfigContext": "ml"})
    endpoint = Endpoint("https://compute.example.com", "6443", "")
    secret: Any = None
    access = {CONTROL_PLANE: Access(secret, {}, None), "west-1": Access(secret, {}, endpoint)}
    args = Configuration(settings, access, None, StackRole("environment", "prod"))
    if refused:
        with pytest.raises(pulumi.RunError, match=r"registered as west"):
            program.refuse_second_names(args)
    else:
        program.refuse_second_names(args)
