"""What one line of a log, an event or an error message tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from madeploy.findings.model import Finding, find

_UNSAID: Final = {"address": "the server", "space": "the namespaces that were looked at"}
"""What stands in a cause for a word that the line does not say."""


@dataclass(frozen=True)
class Where:
    """Contexts and names in the commands of a fix; without a stack, variables of the registration guide
    stand in the place of contexts."""

    control_plane: str = "CONTROL_PLANE_CONTEXT"
    """kubectl's context of the control plane."""

    compute: str = "COMPUTE_CONTEXT"
    """kubectl's context of the compute cluster in question."""

    namespace: str = "ma-system"
    """Namespace of the platform's services."""

    stack: str = "STACK"

    def fill(self, text: str, found: dict[str, str]) -> str:
        """A text with its placeholders filled in: `{hub}` and `{compute}` are kubectl on a cluster."""
        known = {
            "hub": f"kubectl --context {self.control_plane}",
            "compute": f"kubectl --context {self.compute}",
            "namespace": self.namespace,
            "stack": self.stack,
        }
        return text.format(**{**found, **known})


@dataclass(frozen=True)
class Symptom:
    """One thing that is seen, and what it comes from."""

    row: str
    """Where it is written down, such as `registry guide 1` or `differences 5` (docs/platform.md, 2.3)."""

    code: str
    pattern: str
    """Regular expression that finds it in a line, whatever its case. Named groups are words of the cause."""

    example: str
    """A line as it is really printed."""

    cause: str
    """What it comes from, as a sentence without its full stop; groups of the pattern in braces."""

    fix: str = ""
    """What to do, with placeholders of `Where`; the code's own where it is empty."""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, ready to be searched for."""
        return re.compile(self.pattern, re.IGNORECASE)

    def match(self, line: str) -> dict[str, str] | None:
        """Words of the cause when a line shows the symptom, None when it does not."""
        found = self.compiled.search(line)
        if found is None:
            return None
        return {key: value or _UNSAID.get(key, "it") for key, value in found.groupdict().items()}

    def finding(self, subject: str, words: dict[str, str], where: Where) -> Finding:
        """The finding for a line that shows it."""
        fix = where.fill(self.fix, words) if self.fix else ""
        return find(self.code, subject, self.cause.format(**words), fix=fix)
