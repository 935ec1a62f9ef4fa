"""`madeploy render`: the environment as files, for GitOps engines and kubectl."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from madeploy.cli.options import AsJson, Stack
from madeploy.errors import UsageError
from madeploy.findings import CODES, Finding, exit_code, find
from madeploy.findings.model import in_order
from madeploy.findings.text import one
from madeploy.render import pulumi_operator
from madeploy.render.folder import Drift, Folder, Written
from madeploy.render.notes import must_exist
from madeploy.render.outputs import read_endpoints
from madeploy.render.tree import Format, Tree, tree
from madeploy.settings import Environment
from madeploy.stacks.files import open_environment
from manifests.proof import prove_all

SHOWN = 20
"""Drifted files that are shown one by one; `--json` has all."""

_DRIFT = {"changed": "MA151", "missing": "MA152", "stale": "MA153"}


def render(
    stack: Stack,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="DIR", help="Write a folder, one file per object.")
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="Add the objects of Argo CD or Flux that apply the files; or write those of the Pulumi "
            "operator that run the stacks.",
        ),
    ] = "files",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write nothing: compare with DIR, check each object and what it names.",
        ),
    ] = False,
    outputs: Annotated[
        Path | None,
        typer.Option(
            "--outputs", metavar="FILE", help="Outputs of the last update: `pulumi stack output --json`."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write what an update of STACK applies as files: one per object, by cluster and order. No secret value
    is in them; SECRETS.md lists what must exist besides.

    Needs no engine, cluster or login. Without -o everything is printed as one stream of YAML documents. Ends
    with 0, with 1 when --check finds something, with 2 when the stack or the folder cannot be used.
    """
    name, _, environment = open_environment(stack)
    if form != "files" and environment.gitops.repository is None:
        missing = find("MA150", "gitops.repository", f"--format {form} needs it")
        raise UsageError(f"nothing was rendered: {missing.code}", missing.why, missing.fix)
    endpoints = read_endpoints(outputs) if outputs is not None else {}
    rendered = tree(environment, name, endpoints, form)
    folder = Folder(out, name) if out is not None else None
    findings = list(_remarks(rendered, environment, form))
    written = None
    drift: list[Drift] = []
    if check:
        drift = folder.drift(rendered.files) if folder is not None else []
        findings += _drift_findings(drift)
        # What the operator's engine makes is not in its files; `validate` proves that.
        if form != "pulumi-operator":
            objects = [(document.cluster, document.object) for document in rendered.documents]
            findings += prove_all(objects, environment)
        findings += _schema_findings(rendered)
    elif folder is not None:
        written = folder.write(rendered.files)
    if folder is not None:
        findings += _missing_files(rendered, folder)
    if as_json:
        needed = (
            pulumi_operator.must_exist(environment)
            if form == "pulumi-operator"
            else must_exist(environment, name, environment.clusters)
        )
        sys.stdout.write(_json(rendered, name, needed, written, findings))
    elif folder is None and not check:
        sys.stdout.writelines(rendered.stream())
        _say(findings, sys.stderr)
    else:
        _report(rendered, out, written, drift, findings)
    raise typer.Exit(exit_code(findings) if check else 0)


def _remarks(rendered: Tree, environment: Environment, form: Format) -> Iterator[Finding]:
    """What somebody who applies the files should know."""
    for cluster in rendered.plan.unknown:
        yield find("MA156", f"clusters.{cluster}.server", "is not set")
    if form == "argocd" and environment.gitops.secrets.kind == "sops":
        yield find("MA157", "gitops.secrets.kind", "is sops")


def _drift_findings(drift: list[Drift]) -> Iterator[Finding]:
    for each in drift:
        evidence = {
            "changed": "is not what would be rendered",
            "missing": "is not there",
            "stale": "was rendered earlier, and is no longer",
        }[each.kind]
        yield find(_DRIFT[each.kind], each.path, evidence)


def _missing_files(rendered: Tree, folder: Folder) -> Iterator[Finding]:
    for path in rendered.encrypted:
        if not (folder.root / path).is_file():
            yield find("MA154", path, "is not there")


def _schema_findings(rendered: Tree) -> Iterator[Finding]:
    """What kubeconform has against any YAML file of the tree, for every supported minor of Kubernetes."""
    from madeploy import progress
    from madeploy.sandbox import tools
    from madeploy.schemas.kubeconform import check
    from madeploy.schemas.kubernetes import MINORS

    binary = tools.ensure(["kubeconform"]).path("kubeconform")
    paths = [path for path in rendered.files if path.endswith(".yaml")]
    files = rendered.files
    with progress.stderr.phase(f"checking {len(paths)} files") as phase:
        complaints = check(binary, [files[path] for path in paths], note=phase.note)
    for complaint in complaints:
        refusing = complaint.minors
        where = "" if len(refusing) == len(MINORS) else f" (Kubernetes {', '.join(refusing)})"
        yield find("MA155", paths[complaint.document], f"{complaint.message}{where}")


def _say(findings: list[Finding], stream: Any) -> None:
    """Findings one by one; of drifted files, which may be many, one line each and what to do once."""
    ordered = in_order(findings)
    drifted = [finding for finding in ordered if finding.code in _DRIFT.values()]
    for finding in ordered:
        if finding not in drifted:
            stream.write(one(finding) + "\n")
    for finding in drifted[:SHOWN]:
        stream.write(f"{finding.code} {finding.subject} {finding.evidence}\n")
    if len(drifted) > SHOWN:
        stream.write(f"… and {len(drifted) - SHOWN} more\n")
    if drifted:
        stream.write(f"fix: {CODES['MA151'].fix}\n")


def _report(
    rendered: Tree, out: Path | None, written: Written | None, drift: list[Drift], findings: list[Finding]
) -> None:
    """What was done or found, for a person."""
    for each in [each for each in drift if each.diff][:SHOWN]:
        sys.stdout.write("\n".join(each.diff) + "\n\n")
    _say(findings, sys.stdout)
    count = f"{len(rendered.documents)} objects in {len(rendered.files)} files for {_clusters(rendered)}"
    if written is not None:
        did = (
            f"{len(written.added)} added, {len(written.changed)} changed, {len(written.removed)} removed, "
            f"{written.unchanged} as they were"
        )
        sys.stdout.write(f"{out}: {count}: {did}.\n")
    else:
        word = "not as they should be" if exit_code(findings) else "as they should be"
        sys.stdout.write(f"{count}: {word}.\n")


def _clusters(rendered: Tree) -> str:
    count = len({document.cluster for document in rendered.documents})
    return "1 cluster" if count == 1 else f"{count} clusters"


def _json(
    rendered: Tree,
    stack: str,
    needed: list[dict[str, Any]],
    written: Written | None,
    findings: list[Finding],
) -> str:
    data: dict[str, Any] = {
        "stack": stack,
        "objects": [
            {
                "path": document.path,
                "cluster": document.cluster,
                "apiVersion": document.object["apiVersion"],
                "kind": document.object["kind"],
                "namespace": document.object["metadata"].get("namespace"),
                "name": document.object["metadata"]["name"],
            }
            for document in rendered.documents
        ],
        "files": list(rendered.files),
        "mustExist": needed,
        "written": None if written is None else vars(written),
        "findings": [finding.to_data() for finding in in_order(findings)],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
