"""MA15x: the environment as files."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

RENDERING: Final[dict[str, Code]] = {
    "MA150": Code(
        "Repository of the files not said",
        "A GitOps engine reads the files from a repository, which its own objects name.",
        "Set gitops.repository, and gitops.path where the files are not at its root.",
    ),
    "MA151": Code(
        "Rendered file that was changed",
        "What is applied is not what the stack file says.",
        "Render anew and commit the files; put lasting changes into the stack file.",
    ),
    "MA152": Code(
        "Rendered file that is missing",
        "A part of the environment would not be applied, or would be deleted.",
        "Render anew and commit the files.",
    ),
    "MA153": Code(
        "Rendered file that is no longer part of the environment",
        "What it describes would still be applied.",
        "Render anew and commit the removal.",
    ),
    "MA154": Code(
        "Encrypted file that is missing",
        "Kustomize refuses a folder with a file that is not there, so nothing of it would be applied.",
        "Encrypt the Secret (kubeseal, sops) into that file.",
    ),
    "MA155": Code(
        "Rendered object that Kubernetes would not take",
        "A field that is unknown is dropped without a word, a wrong one is refused when it is applied.",
        "Correct the setting it comes from; where there is none, this is a defect of the toolkit: report it.",
    ),
    "MA156": Code(
        "Registration left out of the files",
        "Only a kubeconfig, which is secret, has the API server's address: its `Cluster` cannot be written.",
        "Set server in its entry, or render with --outputs, from an update that registered it.",
        "warning",
    ),
    "MA157": Code(
        "Argo CD with encrypted Secrets of SOPS",
        "Argo CD does not decrypt them itself and would apply the ciphertext.",
        "Give Argo CD's repository server a plugin that does (ksops), or choose another gitops.secrets.kind.",
        "warning",
    ),
}
"""Codes of `madeploy render`."""
