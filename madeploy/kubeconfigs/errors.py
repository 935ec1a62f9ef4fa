"""Exception for a kubeconfig that cannot be used, with all its defects."""

from __future__ import annotations

from collections.abc import Iterable

from madeploy.findings import Finding


class KubeconfigError(ValueError):
    """A kubeconfig that cannot be used. `defects` are sentences without secrets, all at once."""

    def __init__(self, subject: str, defects: Iterable[str | Finding]) -> None:
        self.subject = subject
        self.defects = tuple(_sentence(defect) for defect in defects)
        super().__init__(f"{subject}: " + "; ".join(self.defects))


def _sentence(defect: str | Finding) -> str:
    """What was seen and, in the same breath, what to do about it."""
    if isinstance(defect, str):
        return defect
    _, inside, field = defect.subject.rpartition("].")
    said = f"{field} {defect.evidence}" if inside else defect.evidence
    return f"{said}. {defect.fix}".rstrip(". ")
