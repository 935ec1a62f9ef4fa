"""Criticals of kube-score: which are accepted, and why. `docs/kube-score.md` is written from this list.

`python -m tests.support.kube_score` writes the page; a test fails when it is out of date.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from madeploy.names.kubernetes import workload
from madeploy.names.services import SERVICES
from madeploy.names.tenants import ISOLATION
from madeploy.sandbox.tools.catalog import KUBERNETES, TOOLS
from madeploy.settings import Environment
from manifests import catalog
from manifests.flows import HISTORY_SERVER
from manifests.inputs import Inputs
from manifests.network_policies import COMPUTE_SIDE, TASK_SIDE
from manifests.objects import Object

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "kube-score.md"

SCORED: Final = frozenset({"Deployment", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "Service"})
"""Kinds of ours that kube-score has checks for; it passes over the others in silence."""

_CRITICAL: Final = 1
"""Grade of a critical; 5 is a warning, 10 is fine."""


@dataclass(frozen=True, order=True)
class Critical:
    """What kube-score finds critical about one object. The comment counts too: one check looks at several
    fields, and accepting one of them must not accept the others."""

    check: str
    """Id of the check, such as `container-resources`."""

    comment: str
    object: str
    """`Kind/name`."""


@dataclass(frozen=True)
class Accepted:
    """One critical that stays, with the objects it is accepted for."""

    check: str
    comment: str
    objects: tuple[str, ...]
    reason: str
    lifted_by: str
    """What an operator sets who decides otherwise, or a dash."""

    @property
    def criticals(self) -> frozenset[Critical]:
        """One for each object."""
        return frozenset(Critical(self.check, self.comment, name) for name in self.objects)


_HISTORY_SERVER: Final = (f"Deployment/{workload(HISTORY_SERVER)}",)
_DEPLOYMENTS: Final = tuple(f"Deployment/{workload(service)}" for service in SERVICES)

ACCEPTED: Final = (
    Accepted(
        "container-resources",
        "CPU limit is not set",
        _DEPLOYMENTS,
        "A CPU limit throttles a container while its node idles, and latency pays for it. CPU is shared by "
        "the requests, which are always set; memory is limited",
        "`controlPlane.<service>.resources.cpuLimit`",
    ),
    Accepted(
        "container-image-pull-policy",
        "ImagePullPolicy is not set to Always",
        _DEPLOYMENTS,
        "Images are pinned, so the copy on the node is the right one, and pods start while the registry is "
        "away",
        "`images.pullPolicy: Always`",
    ),
    *(
        Accepted(check, comment, _HISTORY_SERVER, "As for the services of the control plane", "–")
        for check, comment in (
            ("container-resources", "CPU limit is not set"),
            ("container-image-pull-policy", "ImagePullPolicy is not set to Always"),
        )
    ),
    Accepted(
        "pod-probes-identical",
        "Container has the same readiness and liveness probe",
        (f"Deployment/{workload('apiserver')}",),
        "A connection is all the API server answers: it has no HTTP and no gRPC health service. The two "
        "differ in patience: it gets no more calls well before it is restarted",
        "–",
    ),
    Accepted(
        "networkpolicy-targets-pod",
        "The NetworkPolicys selector doesn't match any pods",
        (f"NetworkPolicy/{COMPUTE_SIDE}",),
        "It selects the compute cluster's own `kube-apiserver`, a pod that is not deployed from here",
        "–",
    ),
    Accepted(
        "networkpolicy-targets-pod",
        "The NetworkPolicys selector doesn't match any pods",
        (f"NetworkPolicy/{TASK_SIDE}", f"NetworkPolicy/{ISOLATION}"),
        "They select pods that users' jobs and models start later",
        "–",
    ),
)
"""What is accepted; everything else fails."""

ACCEPTED_CRITICALS: Final = frozenset[Critical]().union(*(row.criticals for row in ACCEPTED))


def criticals(binary: Path, environment: Environment) -> frozenset[Critical]:
    """Criticals of everything that is deployed in an environment, each cluster scored by itself: a policy
    on one cluster selects no pods of another."""
    return frozenset(
        critical
        for target in catalog.targets(Inputs(environment))
        for critical in score(binary, [obj for bundle in target.bundles for obj in bundle.objects])
    )


def score(binary: Path, objects: Iterable[Object]) -> frozenset[Critical]:
    """Runs kube-score over the objects of one cluster; needs no network.

    Fails if it has not looked at each object of the kinds it knows.
    """
    objects = list(objects)
    minor = KUBERNETES.rpartition(".")[0]
    # Annotations that silence a check are not how exceptions are made here.
    options = (
        "--disable-ignore-checks-annotations",
        f"--kubernetes-version=v{minor}",
        "--output-format=json",
    )
    result = subprocess.run(
        [binary, "score", *options, "-"],
        input="\n---\n".join(map(json.dumps, objects)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode in (0, 1), result.stderr
    rows = json.loads(result.stdout) or []
    looked_at = sorted(_name(row["type_meta"]["kind"], row["object_meta"]["name"]) for row in rows)
    known = sorted(_name(obj["kind"], obj["metadata"]["name"]) for obj in objects if obj["kind"] in SCORED)
    assert looked_at == known
    found = frozenset(
        Critical(
            check["check"]["id"],
            comment["summary"],
            _name(row["type_meta"]["kind"], row["object_meta"]["name"]),
        )
        for row in rows
        for check in row["checks"]
        if check["grade"] == _CRITICAL and not check["skipped"]
        for comment in check["comments"] or [{"summary": ""}]
    )
    assert (result.returncode == 1) == bool(found), result.stderr
    return found


def _name(kind: str, name: str) -> str:
    return f"{kind}/{name}"


def page() -> str:
    """The whole page."""
    lines = [
        "# kube-score",
        "",
        f"kube-score {TOOLS['kube-score'].version} finds nothing critical in any environment but what stands "
        "here. A test compares both ways:",
        "a new critical fails it, and so does a row that is no longer needed. Written by",
        "`python -m tests.support.kube_score`.",
        "",
        "| Check | What it says | Objects | Why it stays | Setting that lifts it |",
        "|---|---|---|---|---|",
    ]
    for row in ACCEPTED:
        objects = ", ".join(f"`{name}`" for name in row.objects)
        cells = (f"`{row.check}`", row.comment, objects, row.reason, row.lifted_by)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
