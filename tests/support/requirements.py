"""Requirements and the tests that show them: `docs/requirements.md` is written from both.

`python -m tests.support.requirements` writes the page; a test fails when it is out of date.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "requirements.md"
ID = re.compile(
    r"\b(ACC|CARD|CP|NET|REG|REL|MR|OPS|UX)-([0-9]+)(?: to (?:ACC|CARD|CP|NET|REG|REL|MR|OPS|UX)-([0-9]+))?\b"
)

TITLES = {
    "CARD-1": "Top-level layout of the repository",
    "CARD-2": "Built on the named packages",
    "CARD-3": "`pulumi up` per environment with the plain CLI",
    "CARD-4": "The same environment as files for GitOps",
    "CARD-5": "Stack configuration for domains, CORS and the rest",
    "CARD-6": "Compute clusters are stack resources",
    "CP-1": "API server",
    "CP-2": "Controller manager, several replicas with leader election",
    "CP-3": "Worker with every queue the platform needs",
    "CP-4": "Browser application with its configuration",
    "CP-5": "Envoy",
    "CP-6": "Service configuration from typed settings; unknown keys refused",
    "CP-7": "Probes, budgets, spread, security contexts, roll-outs",
    "CP-8": "Everything waits for the platform's definitions",
    "CP-9": "Images pinned in one place; no floating tag in production",
    "CP-10": "A deployed API server answers through every front door",
    "NET-1": "Two entry points on 443",
    "NET-2": "Envoy's configuration, accepted without a warning",
    "NET-3": "Accepted origins equal declared origins",
    "NET-4": "TLS termination in Envoy",
    "NET-5": "Ingress of the API",
    "NET-6": "Ingress of the application, files and gRPC-Web",
    "NET-7": "Gateway API as an equal front door",
    "NET-8": "Domains said once, propagated everywhere",
    "NET-9": "ACME issuer",
    "NET-10": "Internal-CA issuer",
    "NET-11": "Certificates by annotation or by hand; cert-manager's absence named",
    "NET-12": "Admission of the control plane on self-managed compute clusters",
    "NET-13": "Default deny and exactly the documented flows",
    "NET-14": "Connectivity checked live",
    "NET-15": "The network guide's checklist as a command",
    "NET-16": "Loss of the control plane is alerted on",
    "REG-1": "Registration from a kubeconfig and a context",
    "REG-2": "Account, rights and token Secret on the compute cluster",
    "REG-3": "Storage configuration on the compute cluster",
    "REG-4": "Secrets and `Cluster` on the control plane",
    "REG-5": "The token is awaited, its absence explained",
    "REG-6": "A registration is verified",
    "REG-7": "Prerequisites are checked",
    "REG-8": "Credentials rotate without an outage",
    "REG-9": "The whole life of a registration",
    "REG-10": "One bad cluster blocks no other",
    "REG-11": "The guide's troubleshooting rows as findings",
    "REG-12": "A fleet of 1,000 clusters",
    "REG-13": "A cluster's entry gets another name without loss",
    "REL-1": "Releases 0.12 and 2026.04",
    "REL-2": "Optional parts of 0.12",
    "REL-3": "Upgrade from 2026.04 to 0.12",
    "REL-4": "What upstream has not released is refused by name",
    "MR-1": "Buckets",
    "MR-2": "IAM, keyless and least",
    "MR-3": "Presence of the Model definition",
    "MR-4": "Readers of models",
    "MR-5": "Artifact discovery",
    "MR-6": "Smoke test of the registry",
    "MR-7": "Continuous-integration example",
    "MR-8": "Retention",
    "MR-9": "Model and InferenceServer manifests are checked",
    "MR-10": "The registry guide's troubleshooting rows as findings",
    "MR-11": "The deployer's own AWS rights as a least policy",
    "MR-12": "No change of settings strips a store of its safeguards or ends in a dead end",
    "OPS-1": "Authentication and roles",
    "OPS-2": "Tenants",
    "OPS-3": "Monitoring",
    "OPS-4": "Compliance",
    "OPS-5": "Serving",
    "OPS-6": "Scheduler extensions",
    "OPS-7": "Experiment tracking",
    "OPS-8": "Troubleshooting",
    "OPS-9": "A pipeline run as acceptance",
    "ACC-1": "Browsers sign in at the front door: OIDC, sessions, logout, groups",
    "ACC-2": "The API host takes trusted networks, tokens or certificates; production is closed by default",
    "ACC-3": "Viewers only call what reads; identity headers come from the token alone",
    "UX-1": "Two commands on a fresh machine",
    "UX-2": "Progress, JSON, exit codes",
    "UX-3": "Errors for people",
    "UX-4": "What a change means, in sentences",
    "UX-5": "A picture of the topology",
    "UX-6": "Nothing is destroyed without saying so",
    "UX-7": "First run: tools downloaded and checked, or built from package registries alone",
    "UX-8": "Findings as text, JSON, JUnit, SARIF and one HTML page",
}
"""Every requirement and its short title."""


def ids_in(text: str) -> set[str]:
    """Requirement ids a docstring names; `CP-1 to CP-3` names three."""
    found: set[str] = set()
    for prefix, first, last in ID.findall(text):
        found |= {f"{prefix}-{number}" for number in range(int(first), int(last or first) + 1)}
    return found


@cache
def functions(root: Path = TESTS) -> tuple[tuple[str, ast.FunctionDef], ...]:
    """Every test, with its `path::name`."""
    return tuple(
        (f"{path.relative_to(root.parent).as_posix()}::{node.name}", node)
        for path in sorted(root.rglob("test_*.py"))
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        for node in (statement.body if isinstance(statement, ast.ClassDef) else [statement])
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def named(root: Path = TESTS) -> set[str]:
    """Requirements that docstrings of tests name."""
    return {found for _, node in functions(root) for found in ids_in(ast.get_docstring(node) or "")}


@dataclass(frozen=True)
class Proof:
    """A test that is marked as showing a requirement."""

    test: str
    """`path::name`."""

    played: str
    """What takes the place of a real part; empty where every part is real."""

    is_long: bool = False
    """Whether only `bin/madeploy test --all` runs it."""

    def __str__(self) -> str:
        return f"`{self.test}`" + (f" (played: {self.played})" if self.played else "")


def is_long(node: ast.FunctionDef) -> bool:
    """Whether a test is marked as a story of minutes."""
    return any(ast.unparse(mark) == "pytest.mark.long" for mark in node.decorator_list)


def proofs(root: Path = TESTS) -> dict[str, list[Proof]]:
    """Tests marked by `@proves`, by requirement: those with real parts only first."""
    found: dict[str, list[Proof]] = defaultdict(list)
    for test, node in functions(root):
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Name) and mark.func.id == "proves":
                played = "".join(ast.literal_eval(item.value) for item in mark.keywords)
                for identifier in mark.args:
                    found[ast.literal_eval(identifier)].append(Proof(test, played, is_long(node)))
    return {identifier: sorted(tests, key=lambda proof: proof.played) for identifier, tests in found.items()}


def page() -> str:
    """The whole page."""
    shown = proofs()
    lines = [
        "# Requirements",
        "",
        "What the toolkit has to do, and the tests that show it: those with the mark `@proves`",
        "(`tests/support/proves.py`; `pytest -m proves` runs them). Where something takes the place of a",
        "real part, the row says what is played. A row without a test is open.",
        "Written by `python -m tests.support.requirements`.",
        "",
        "| Id | Requirement | Shown by |",
        "|---|---|---|",
    ]
    for identifier, title in TITLES.items():
        tests = "<br>".join(map(str, shown.get(identifier, ()))) or "open"
        lines.append(f"| {identifier} | {title} | {tests} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
