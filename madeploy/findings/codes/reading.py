"""MA38x problems of reading what policies check."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

READING: Final[dict[str, Code]] = {
    "MA380": Code(
        "File that cannot be read as YAML",
        "Nothing in it was checked.",
        "Correct the place that is named; render templates first (helm template, kustomize build).",
    ),
    "MA381": Code(
        "YAML that its readers understand differently",
        "What is checked here may not be what is applied.",
        "Write it out plainly.",
        "warning",
    ),
    "MA382": Code(
        "Nothing to check",
        "A check that finds nothing because it sees nothing proves nothing.",
        "Name a stack, a folder or a file with Kubernetes objects or IAM policy documents.",
    ),
    "MA383": Code(
        "Kustomization that was not judged",
        "Its files are not what is applied: namespaces, names and patches come only when it is built.",
        "Give what `kustomize build` or `kubectl kustomize` prints of it; with one of the two on PATH, and "
        "nothing taken from elsewhere, it is built here.",
        "warning",
    ),
    "MA385": Code(
        "Suppression that cannot be used",
        "It hides nothing; whoever wrote it believes it does.",
        "Give the rule's name or code, the object as Kind/namespace/name, a reason and a last day "
        "(YYYY-MM-DD); bin/madeploy policy --list names the rules.",
    ),
    "MA386": Code(
        "Suppression that has expired",
        "The reason was to be looked at again by that day, and what it hid is still there.",
        "Correct what it hid, or decide again and set a new day.",
    ),
    "MA387": Code(
        "Suppression that hides nothing",
        "It would hide the next violation, which nobody has looked at.",
        "Remove it.",
        "warning",
    ),
}
