"""The platform's controller manager, as far as it watches over registered compute clusters."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any, Final

import urllib3

from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.clients.objects import is_ready, secret_text
from madeploy.sandbox.actors.cluster import View
from madeploy.sandbox.objects import FIELD_MANAGER

GROUP: Final = "/apis/michelangelo.api/v2"
NAMESPACE: Final = "ma-system"
CREDENTIALS_NAMESPACE: Final = "default"
FINALIZER: Final = "clusters.michelangelo.uber.com/finalizer"
POD_LABEL: Final = ("app", "michelangelo-controllermgr")

BEAT_SECONDS: Final = 10.0
"""Time between two looks at a cluster; the platform's is 30 s."""
TAKEOVER_SECONDS: Final = 3.0
"""Time after which another pod leads once the leader is gone; the platform's is up to 15 s."""
ANSWER_SECONDS: Final = 3.0
NOBODY_LEADS: Final = "no pod leads"
"""Said once, when the last of the pods is gone."""

_NOTICED = ("region", "zone", "dc", "sla")


class RegistrationActor:
    """Plays the leader among the pods labelled `app: michelangelo-controllermgr`, with the habits of the real
    one: no pod that is ready, nothing happens; credentials are read once per host and port and kept until
    another pod leads; a `Cluster` whose metadata somebody else changed is never written to again; a
    cluster that cannot be reached keeps the status it had.

    Args:
        api: the control plane.
        say: told what happens.
        clock: seconds that only grow.
    """

    def __init__(
        self, api: Kubernetes, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._api = api
        self._say = say
        self._clock = clock
        self._leader = ""
        self._leads_from = 0.0
        self._clients: dict[str, _Client] = {}
        self._known: dict[str, tuple[dict[str, Any], str]] = {}
        self._next: dict[str, float] = {}
        self._trouble: dict[str, str] = {}

    def play(self, view: View) -> None:
        """One round; call it every second."""
        clusters = [
            item for item in view.all(f"{GROUP}/clusters") if item["metadata"]["namespace"] == NAMESPACE
        ]
        if not clusters or not self._is_leading(view):
            return
        names = {item["metadata"]["name"] for item in clusters}
        for memory in (self._known, self._next, self._trouble):
            for gone in memory.keys() - names:
                del memory[gone]
        for item in clusters:
            name = item["metadata"]["name"]
            try:
                if item["metadata"].get("deletionTimestamp"):
                    self._let_go(item)
                else:
                    self._watch(item)
                    if self._next.get(name, 0.0) <= self._clock():
                        self._next[name] = self._clock() + BEAT_SECONDS
                        self._beat(item)
                        self._trouble.pop(name, None)
            except _NoAnswerError as error:
                if self._trouble.get(name) != str(error):
                    self._trouble[name] = str(error)
                    self._say(f"clusters {NAMESPACE}/{name}: {error}")

    def _is_leading(self, view: View) -> bool:
        ready = sorted(
            (item["metadata"]["creationTimestamp"], item["metadata"]["uid"])
            for item in view.all("/api/v1/pods")
            if (item["metadata"].get("labels") or {}).get(POD_LABEL[0]) == POD_LABEL[1]
            and "deletionTimestamp" not in item["metadata"]
            and is_ready(item)
        )
        uids = [uid for _, uid in ready]
        if self._leader not in uids and (uids or self._leader):
            if self._leader:
                self._leads_from = self._clock() + TAKEOVER_SECONDS
            self._leader = uids[0] if uids else ""
            leads = f"pod {self._leader} leads; it knows no credential yet"
            self._say(leads if self._leader else NOBODY_LEADS)
            for memory in (self._clients, self._known, self._next, self._trouble):
                memory.clear()
        return bool(self._leader) and self._clock() >= self._leads_from

    def _watch(self, item: Object) -> None:
        """Remember a `Cluster` as the real one does: anew only when a field it compares has changed."""
        name = item["metadata"]["name"]
        spec = item.get("spec") or {}
        rest = (spec.get("kubernetes") or {}).get("rest") or {}
        noticed = {field: spec.get(field) for field in _NOTICED}
        noticed |= {field: rest.get(field) for field in ("host", "port")}
        # The real one sees a deletion between two of the same name; a look a second may not.
        noticed["uid"] = item["metadata"]["uid"]
        if FINALIZER not in (item["metadata"].get("finalizers") or []):
            finalizers = [*(item["metadata"].get("finalizers") or []), FINALIZER]
            version = item["metadata"]["resourceVersion"]
            change = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
            try:
                item["metadata"] = self._api.merge(_path(item), change, FIELD_MANAGER)["metadata"]
            except ClientError as error:
                if error.cause in ("notFound", "conflict"):
                    return
                raise
        known = self._known.get(name)
        if known is None or known[0]["uid"] != noticed["uid"]:
            self._next.pop(name, None)
        if known is None or known[0] != noticed:
            self._known[name] = (noticed, item["metadata"]["resourceVersion"])

    def _let_go(self, item: Object) -> None:
        finalizers = item["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            rest = [other for other in finalizers if other != FINALIZER]
            try:
                self._api.merge(_path(item), {"metadata": {"finalizers": rest}}, FIELD_MANAGER)
            except ClientError as error:
                if error.cause != "notFound":
                    raise
            self._say(f"clusters {NAMESPACE}/{item['metadata']['name']}: let go")

    def _beat(self, item: Object) -> None:
        name = item["metadata"]["name"]
        if name not in self._known:
            return
        rest = ((item.get("spec") or {}).get("kubernetes") or {}).get("rest") or {}
        server = f"{rest.get('host')}:{rest.get('port')}"
        if server not in self._clients:
            authority = self._secret(str(rest.get("caDataTag")), "cadata")
            token = self._secret(str(rest.get("tokenTag")), "token")
            self._clients[server] = _Client(server, authority, token)
        is_ok = self._clients[server].health() == "ok"
        conditions = [
            _condition("Ready", is_ok, "ClusterReadyReason" if is_ok else "ClusterNotReadyReason"),
            *([] if is_ok else [_condition("Offline", False, "ClusterNotReadyReason")]),
        ]
        noticed, version = self._known[name]
        change = {"metadata": {"resourceVersion": version}, "status": {"statusConditions": conditions}}
        try:
            written = self._api.merge(f"{_path(item)}/status", change, FIELD_MANAGER)
        except ClientError as error:
            if error.cause == "conflict":
                raise _NoAnswerError("somebody else changed it: no status any more until a restart") from None
            if error.cause == "notFound":
                return
            raise
        self._known[name] = (noticed, written["metadata"]["resourceVersion"])

    def _secret(self, name: str, key: str) -> str:
        """A value as the real one reads it: "" for a key that is not there."""
        found = self._api.find(f"/api/v1/namespaces/{CREDENTIALS_NAMESPACE}/secrets/{name}")
        if found is None:
            raise _NoAnswerError(f"no Secret {CREDENTIALS_NAMESPACE}/{name}")
        return secret_text(found, key)


class _NoAnswerError(Exception):
    """A cluster without a report; the text holds no credential."""


class _Client:
    """A compute cluster with the credential it was first called with."""

    def __init__(self, server: str, authority: str, token: str) -> None:
        self._server = server
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            context = ssl.create_default_context(cadata=authority or None)
        except (ssl.SSLError, ValueError):
            raise _NoAnswerError("its authority is no certificate") from None
        if not token.isprintable():
            raise _NoAnswerError("its token cannot stand in a header")
        limits = urllib3.Timeout(connect=ANSWER_SECONDS, read=ANSWER_SECONDS)
        self._pool = urllib3.PoolManager(ssl_context=context, retries=False, timeout=limits)

    def health(self) -> str:
        """The answer of `/healthz`; anything but 200 is no answer."""
        try:
            answer = self._pool.request("GET", f"{self._server}/healthz", headers=self._headers)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _NoAnswerError(f"{self._server}: {type(error).__name__}") from None
        if answer.status != 200:
            raise _NoAnswerError(f"{self._server}: {answer.status}")
        return answer.data.decode("utf-8", "replace")


def _condition(kind: str, is_true: bool, reason: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": "CONDITION_STATUS_TRUE" if is_true else "CONDITION_STATUS_FALSE",
        "reason": reason,
        "message": "/healthz responded with ok" if is_true else "/healthz responded without ok",
        "lastUpdatedTimestamp": str(int(time.time())),
    }


def _path(item: Object) -> str:
    return f"{GROUP}/namespaces/{NAMESPACE}/clusters/{item['metadata']['name']}"
