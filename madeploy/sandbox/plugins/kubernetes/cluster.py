"""The cluster behind one provider instance: what a preview may ask of it, and how long a run waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from madeploy.sandbox.plugins.kubernetes import objects
from madeploy.sandbox.plugins.kubernetes.applying import Applier, ConflictError
from madeploy.sandbox.plugins.kubernetes.client import (
    ApiError,
    Client,
    NoSuchKindError,
    Object,
    UnreachableError,
)
from madeploy.sandbox.plugins.kubernetes.conditions import WAIT_FOR, parse
from madeploy.sandbox.plugins.kubernetes.options import Options
from madeploy.sandbox.plugins.kubernetes.readiness import HopelessError, Rule, wait_for
from madeploy.sandbox.plugins.kubernetes.types import PatchedKind
from madeploy.sandbox.plugins.kubernetes.waiting import NotReadyError, Waiter
from madeploy.sandbox.plugins.properties import Properties, has_unknown, redacted
from madeploy.sandbox.plugins.server import PluginError

SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"

WAIT_SECONDS = 600.0
"""How long the official plugin waits where neither the resource nor its kind says otherwise."""


class Cluster:
    """One cluster with the options of its provider.

    Args:
        options: the provider's options.
        client: the API server; `None` where there is no connection to try.
        unreachable: why the API server cannot be used, or the empty string.
        namespace: for namespaced objects that name none.
        cancelled: set when the user interrupts.
        say: shows a passing line for a URN.
    """

    def __init__(
        self,
        options: Options,
        client: Client | None,
        unreachable: str,
        namespace: str,
        cancelled: threading.Event,
        say: Callable[[str, str], None],
    ) -> None:
        self.options = options
        self.unreachable = unreachable if client else unreachable or "the provider is not configured"
        self.namespace = namespace
        self._client = client
        self._cancelled = cancelled
        self._say = say

    @property
    def client(self) -> Client:
        """The API server.

        Raises:
            PluginError: it cannot be reached.
        """
        if self._client is None or self.unreachable:
            raise PluginError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self._client

    @property
    def applier(self) -> Applier:
        """Writes to the API server as the options say."""
        return Applier(
            self.client,
            self._cancelled,
            self.options.enable_patch_force,
            self.options.upsert_existing_objects,
        )

    def is_namespaced(self, kind: PatchedKind) -> bool:
        """Whether objects of `kind` live in namespaces; taken for granted where nobody can tell yet."""
        if objects.is_built_in(kind.api_version):
            return not objects.is_cluster_scoped(kind.api_version, kind.kind)
        if self.unreachable:
            return True
        try:
            return self.client.kind(kind.api_version, kind.kind).namespaced
        except (NoSuchKindError, ApiError, UnreachableError):
            # Its definition may be part of the same program; Create drops the namespace if it was wrong.
            return True

    def knows(self, kind: PatchedKind) -> bool:
        """Whether the API server has `kind`; taken for granted where it cannot be asked."""
        if self.unreachable:
            return True
        try:
            self.client.kind(kind.api_version, kind.kind)
        except NoSuchKindError:
            return False
        return True

    def expected(self, target: Object, manager: str) -> Object | None:
        """`target` as the server would spell it, or `None` where it cannot be asked or would refuse.

        Only built-in kinds have several spellings of one value: of a custom resource every field is kept as
        sent."""
        if self.unreachable or not objects.is_built_in(target["apiVersion"]):
            return None
        try:
            return self.applier.expected(target, manager)
        except UnreachableError:
            return None

    def preview_create(self, target: Object, manager: str, only_patch: bool) -> Object | None:
        """What the server would make of a creation, or `None` where it cannot say yet.

        Raises:
            PluginError: it would refuse.
        """
        if self.unreachable or only_patch or has_unknown(target):
            return None
        try:
            return self.applier.preview_create(target, manager)
        except (NoSuchKindError, UnreachableError):
            return None
        except ApiError as error:
            # Its namespace comes first, we may not look, or it is about to be replaced: no errors yet.
            if error.is_missing_namespace or error.status == 403 or error.reason == "AlreadyExists":
                return None
            raise PluginError(self._refusal("", target, error)) from None

    def preview_update(
        self, target: Object, name: str, manager: str, ignored: Sequence[Sequence[str]]
    ) -> Object | None:
        """What the server would make of an update, or `None` where it cannot say.

        Raises:
            PluginError: it would refuse.
        """
        if self.unreachable or has_unknown(target) or target["kind"] == "CustomResourceDefinition":
            return None
        try:
            return self.applier.preview_update(target, name, manager, ignored)
        except (NoSuchKindError, UnreachableError):
            return None
        except (ApiError, ConflictError) as error:
            if isinstance(error, ApiError) and error.status in (403, 404):
                return None
            raise PluginError(self._refusal("the update of ", target, error)) from None

    def await_ready(
        self, inputs: Properties, live: Object, urn: str, timeout: float
    ) -> tuple[Object, NotReadyError | None]:
        """`live` once it is ready, or as last seen together with why it is not.

        Args:
            inputs: the resource's inputs, whose annotations may change what is waited for.
            timeout: the resource's `customTimeouts` in seconds, 0 where it has none.
        """
        chosen = self._rule(inputs, live)
        if chosen is None:
            return live, None
        rule, seconds = chosen[0], seconds_for(inputs, timeout, chosen[1]) if chosen[2] else chosen[1]
        try:
            return self._waiter(urn).until_ready(live, rule, seconds), None
        except NotReadyError as failure:
            reasons = [redacted(reason, objects.shielded(inputs)) for reason in failure.reasons]
            return failure.live, NotReadyError(failure.message, reasons, failure.live)

    def await_gone(self, inputs: Properties, live: Object, name: str, urn: str, timeout: float) -> None:
        """Return once the object is gone, or at once where its annotations say so.

        Raises:
            NotReadyError: it is still there.
        """
        if objects.annotation(inputs, SKIP_AWAIT) != "true":
            self._waiter(urn).until_gone(live, name, seconds_for(inputs, timeout, WAIT_SECONDS))

    def unready(self, inputs: Properties, live: Object) -> list[str]:
        """Why an object that a refresh found is not ready; empty where it is, or nobody looks at its kind."""
        wait = wait_for(live["apiVersion"], live["kind"])
        if not wait or not wait.on_read or objects.annotation(inputs, SKIP_AWAIT) == "true":
            return []
        try:
            return wait.rule(self.client, live)
        except HopelessError as failure:
            return [str(failure)]

    def _rule(self, inputs: Properties, live: Object) -> tuple[Rule, float, bool] | None:
        if objects.annotation(inputs, SKIP_AWAIT) == "true":
            return None
        if stated := objects.annotation(inputs, WAIT_FOR):
            return parse(stated), WAIT_SECONDS, True
        wait = wait_for(live["apiVersion"], live["kind"])
        return (wait.rule, wait.seconds, wait.adjustable) if wait else None

    def _waiter(self, urn: str) -> Waiter:
        return Waiter(self.client, self._cancelled, lambda text: self._say(text, urn))

    @staticmethod
    def _refusal(what: str, target: Object, error: Exception) -> str:
        name = f"{target['kind']} {objects.object_id(target)}"
        told = redacted(str(error), objects.shielded(target))
        return f"the Kubernetes API server would refuse {what}{name}: {told}"


def seconds_for(inputs: Properties, timeout: float, default: float) -> float:
    """How long to wait: the resource's `customTimeouts`, else its annotation, else `default`."""
    stated = objects.annotation(inputs, TIMEOUT)
    return timeout or (float(stated) if stated.isdecimal() else default)
