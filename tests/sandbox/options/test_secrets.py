"""A secret value is encrypted in the state, whatever resource it went into, and never printed."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest

from tests.support.engine import Program, Stack

Live = Callable[..., dict[str, Any] | None]
OnCluster = Callable[..., Program]

pytestmark = pytest.mark.sandbox


def forms(value: str) -> list[str]:
    """Ways in which a value could lie around: as it is, in base64 at each of the three offsets, in hex."""
    encoded = [base64.b64encode(b"x" * pad + value.encode()).decode()[4 if pad else 0 :] for pad in range(3)]
    # The ends depend on what stands beside the value.
    return [value, value.encode().hex(), *(text.rstrip("=")[2:-4] for text in encoded)]


def shown_in(text: str, value: str) -> list[str]:
    return [form for form in forms(value) if form in text]


def test_a_secret_value_is_encrypted_wherever_it_went(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """S2: the value goes into every kind of field; no state holds a trace of it."""
    values = {version: f"canary-{version}-{namespace}-value" for version in ("one", "two")}

    def body(version: str) -> Callable[[pulumi.ResourceOptions], None]:
        def declare(opts: pulumi.ResourceOptions) -> None:
            value = pulumi.Output.secret(values[version])
            k8s.core.v1.ConfigMap(
                "map",
                metadata={"namespace": namespace, "name": "map", "annotations": {"note": value}},
                data={"plain": "known", "nested": pulumi.Output.format("a: [{0}]", value)},
                opts=opts,
            )
            k8s.core.v1.Secret(
                "text", metadata={"namespace": namespace, "name": "text"}, string_data={"k": value}, opts=opts
            )
            k8s.core.v1.Secret(
                "unmarked",
                metadata={"namespace": namespace, "name": "unmarked"},
                string_data={"k": values[version]},
                opts=opts,
            )
            k8s.core.v1.Secret(
                "data",
                metadata={"namespace": namespace, "name": "data"},
                data={"k": value.apply(lambda text: base64.b64encode(text.encode()).decode())},
                opts=opts,
            )
            k8s.core.v1.Pod(
                "pod",
                metadata={"namespace": namespace, "name": f"pod-{version}"},
                spec={
                    "containers": [
                        {"name": "main", "image": "registry.invalid/a:1", "args": ["--flag", value]},
                        {
                            "name": "side",
                            "image": "registry.invalid/b:1",
                            "env": [{"name": "V", "value": value}],
                        },
                    ]
                },
                opts=opts,
            )
            pulumi.export("value", value)

        return declare

    printed = ""
    for command in (
        lambda: stack.preview(on_cluster(body("one"))),
        lambda: stack.up(on_cluster(body("one"))),
        lambda: stack.up(on_cluster(body("two"))),
        stack.refresh,
        lambda: stack.preview(on_cluster(body("two"))),
    ):
        run = command()
        assert not run.failed, run.text
        printed += run.text
        for value in values.values():
            assert shown_in(stack.state, value) == []
    assert run.changes == {}
    for value in values.values():
        assert shown_in(printed, value) == []
    found = live("v1", "ConfigMap", "map")
    assert found is not None
    assert found["data"] == {"plain": "known", "nested": f"a: [{values['two']}]"}
    assert '"plain":"known"' in stack.state.replace(" ", "")


def test_the_token_of_a_service_account_reaches_the_state_encrypted(
    stack: Stack, namespace: str, on_cluster: OnCluster, live: Live
) -> None:
    """REG-2: nobody gave the token as an input; it is secret because it is a Secret's data."""

    def body(opts: pulumi.ResourceOptions) -> None:
        account = k8s.core.v1.ServiceAccount(
            "account", metadata={"namespace": namespace, "name": "robot"}, opts=opts
        )
        token = k8s.core.v1.Secret(
            "token",
            metadata={
                "namespace": namespace,
                "name": "robot-token",
                "annotations": {
                    "kubernetes.io/service-account.name": account.metadata.name,
                    "pulumi.com/waitFor": "jsonpath={.data.token}",
                },
            },
            type="kubernetes.io/service-account-token",
            opts=opts,
        )
        # Handed on, as a registration does.
        k8s.core.v1.Secret(
            "copy",
            metadata={"namespace": namespace, "name": "copy"},
            data={"token": token.data["token"]},
            opts=opts,
        )

    preview = stack.preview(on_cluster(body))
    assert not preview.failed, preview.text
    run = stack.up(on_cluster(body))
    assert not run.failed, run.text
    made, copy = live("v1", "Secret", "robot-token"), live("v1", "Secret", "copy")
    assert made is not None
    assert copy is not None
    assert copy["data"]["token"] == made["data"]["token"]
    token = base64.b64decode(made["data"]["token"]).decode()
    assert token.count(".") == 2
    for part in token.split("."):
        assert shown_in(stack.state, part[:60]) == []
        assert shown_in(run.text + preview.text, part[:60]) == []
    assert made["data"]["token"][:60] not in stack.state


def test_the_forms_that_are_looked_for_would_be_found() -> None:
    """The checks of this file can fail."""
    value = "canary-one-something-value"
    for hidden in (
        f"x{value}y",
        base64.b64encode(f"{value}".encode()).decode(),
        base64.b64encode(f"ab{value}cd".encode()).decode(),
        base64.b64encode(f"a{value}".encode()).decode(),
        value.encode().hex(),
    ):
        assert shown_in(hidden, value)
    assert not shown_in(base64.b64encode(gzip.compress(b"other")).decode(), value)
