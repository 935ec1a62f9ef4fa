"""Updates of one cluster's rotation, without its questions to live systems:
`python -m benchmarks.sides.rotation STACK NAME [as-it-was]`.

`as-it-was`: four updates, one for each thing that changes, where a rotation takes two and a deletion now.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from madeploy.clusters import credentials
from madeploy.clusters.session import next_revision
from madeploy.names.kubernetes import ray_manager_token
from madeploy.settings.clusters import Credential, KeptCredential
from madeploy.stacks.files import Edit
from madeploy.stacks.session import StackSession


class Updates:
    """Edits and updates, as `madeploy.clusters.rotation` makes them."""

    def __init__(self, stack: str, name: str) -> None:
        self._session = StackSession(stack, [name])
        self._name = name
        self._old = self._session.settings().clusters[name].credential
        self._new = KeptCredential(generation=self._old.generation + 1)

    def as_it_is(self) -> None:
        """The new credential; then its registration, and the controller manager after it; then a deletion."""
        settings = self._session.settings()
        self._edit(credentials.keeping(self._old, self._new))
        self._update([self._name], registers=False)
        # In a fleet of shards the controller manager is in another stack.
        rolled = [next_revision(settings)] if settings.fleet.layout == "inline" else []
        self._edit(credentials.registering(self._now, self._new), *rolled)
        self._update([self._name])
        self._edit(credentials.keeping(self._now))
        secrets = {self._name: [ray_manager_token(self._old.generation)]}
        self._fail(self._session.withdraw(secrets, "the old credential goes"))

    def as_it_was(self) -> None:
        """The new credential; its registration; the controller manager; the end of the old one."""
        self._edit(credentials.keeping(self._old, self._new))
        self._update([self._name])
        self._edit(credentials.registering(self._now, self._new))
        self._update([self._name])
        self._session.edit([next_revision(self._session.settings())])
        self._update([])
        self._edit(credentials.keeping(self._now))
        self._update([self._name], may_drop=True)

    @property
    def _now(self) -> Credential:
        return self._session.settings().clusters[self._name].credential

    def _edit(self, credential: object, *more: Edit) -> None:
        self._session.edit([(("clusters", self._name, "credential"), credential), *more])

    def _update(self, names: Sequence[str], *, may_drop: bool = False, registers: bool = True) -> None:
        self._fail(self._session.apply(names, "rotation", may_drop=may_drop, registers=registers))

    @staticmethod
    def _fail(findings: object) -> None:
        if findings:
            raise SystemExit(str(findings))


if __name__ == "__main__":
    updates = Updates(*sys.argv[1:3])
    if sys.argv[3:] == ["as-it-was"]:
        updates.as_it_was()
    else:
        updates.as_it_is()
