"""`docs/policies.md`, generated from the rules."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from madeploy.policy.service_files import EVERY_RULE

_HEAD: Final = """# Policies

Rules that an environment's objects keep: security, reliability, and what the platform needs to work.
Generated from `policies/rules/` by `bin/madeploy schema`; why each rule is there and what to do stands in
[findings](findings.md), by code.

The same functions run in three places:

| Where | How | What is checked |
|---|---|---|
| Anywhere, without login | `bin/madeploy policy STACK` | objects and policy documents that settings make |
| On files | `bin/madeploy policy DIR FILE…` | Kubernetes objects and IAM policy documents in them |
| In the engine | `pulumi preview --policy-pack policies` | every resource, buckets and roles included |

Files may be a rendered tree, a chart's output, or a fleet that somebody wrote by hand. Folders with a
`kustomization.yaml` that changes what its files say are built first, by `kubectl kustomize` or `kustomize` on
PATH, each outermost one by itself. One that takes something from elsewhere, or that Kustomize refuses, is
left out with a warning that says why: nothing is fetched, no plug-in and no Helm is started.

`bin/madeploy policy` prints a table, `--json` the same for machines, `--sarif FILE` for code review, each
finding with file, line and column. It ends with 0 when no rule is broken, with 1 on errors (with `--strict`
on warnings too), with 2 when something could not be read. Nothing needs the network.

## Severities

An error fails the command and stops the engine; a warning is shown. What a rule weighs depends on
`platform.tier`: of files it is `production` unless `--tier` says otherwise. Fields of the platform's kinds
are those of `platform.release`, of files those of 0.12 unless `--release` says otherwise. A dash means that
the rule says nothing there. The engine takes both from the stack's configuration as far as it hands it to
policy packs or the shell names the stack (`PULUMI_STACK`), else the tier is `production`, and fields of any
release will do.

## Suppressions

An exception is for one rule and some objects, has a reason and a last day, and is reported when the day has
passed or when it hides nothing. In a stack file:

```yaml
config:
  michelangelo:policies:
    suppressions:
    - rule: no-host-paths
      object: Deployment/serving/triton-*
      reason: Triton reads models from the node's disk.
      expires: '2027-03-31'
```

The same list stands below `suppressions:` in a file of its own for `--suppressions FILE`. For a single
object, an annotation says it, key `suppress.michelangelo.infra/no-host-paths`, value `2027-03-31 Triton
reads models from the node's disk.` — not on a `Cluster`, whose annotations must not change.

## A new rule

One function in `policies/rules/` with its decorator, its name in that module's `RULES`, and in
`tests/policies/cases/` the change that breaks it.

## Rules
"""


def policies_reference() -> str:
    """Text of `docs/policies.md`."""
    parts = [_HEAD]
    for area, rules in groupby(EVERY_RULE, lambda rule: rule.area):
        parts += [
            f"### {area[0].upper()}{area[1:]}",
            "",
            "| Code | Rule | Reports | Development | Staging | Production |",
            "|---|---|---|---|---|---|",
        ]
        for rule in rules:
            weights = " | ".join(severity or "–" for severity in rule.severities)
            code = f"[{rule.code}](findings.md#{rule.code.lower()})"
            parts.append(f"| {code} | `{rule.name}` | {rule.title} | {weights} |")
        parts.append("")
    return "\n".join(parts)
