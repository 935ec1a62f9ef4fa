"""`docs/troubleshooting.md`, generated from the symptoms: what is seen, what it comes from, what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from madeploy.findings.codes import CODES
from madeploy.findings.symptoms import SYMPTOMS, Symptom

_HEAD: Final = """# Troubleshooting

```console
$ bin/madeploy diagnose prod
$ bin/madeploy diagnose --symptom 'No resources found in ml-team namespace.'
$ kubectl -n ma-system logs deployment/michelangelo-controllermgr | bin/madeploy diagnose prod --log -
```

With a stack alone everything live is looked at: what [`verify`](verifying-environments.md) finds, pods
that do not run with their last words, logs of the services, warnings of every cluster, models without
artifacts, inference servers without a backend. With `--symptom` or `--log` the text alone is judged; a
stack then fills in contexts and names. Nothing is changed, and no value that looks like a secret is
repeated. Exit code 0: nothing found; 1: a cause was found. After an update that failed, the toolkit's
own commands say the cause of each object that did not become ready.

Every text that is known, generated from `madeploy/findings/symptoms/` by `bin/madeploy schema`. Rows of
the guides' troubleshooting tables are called by the guide and their number; `differences` are rows of
[platform.md](platform.md), section 2.3. Each row is shown by `tests/findings/test_symptoms.py`, under
its code and its row.
"""

_AREAS: Final = (
    ("Model registry", "model-registry guide"),
    ("Registration of compute clusters", "registration guide"),
    ("Network", "network guide"),
    ("Services whose configuration follows the guides", "differences"),
    ("Kubernetes, the object store, Pulumi", ""),
)


def troubleshooting_reference() -> str:
    """Text of `docs/troubleshooting.md`."""
    lines = [_HEAD]
    left = list(SYMPTOMS)
    for title, start in _AREAS:
        rows = [symptom for symptom in left if symptom.row.startswith(start)]
        left = [symptom for symptom in left if symptom not in rows]
        lines += [f"## {title}", "", "| Row | What is seen | Code | Comes from |", "|---|---|---|---|"]
        lines += [_row(symptom) for symptom in rows]
        lines += ["", *_fixes(rows)]
    return "\n".join(lines).rstrip() + "\n"


def _row(symptom: Symptom) -> str:
    seen = symptom.example.replace("|", "\\|")
    words = symptom.match(symptom.example) or {}
    code = f"[{symptom.code}](findings.md#{symptom.code.lower()})"
    return f"| {symptom.row} | `{seen}` | {code} | {symptom.cause.format(**words)} |"


def _fixes(rows: list[Symptom]) -> Iterator[str]:
    for code in dict.fromkeys(symptom.code for symptom in rows):
        yield f"- {code}, {CODES[code].title[:1].lower()}{CODES[code].title[1:]}: {CODES[code].why}"
    yield ""
