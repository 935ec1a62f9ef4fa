"""A deployed environment on real API servers, on which faults are brought about and printed fixes are typed.

What a stack says is written object by object, as the engine's provider writes it, so that a fault costs a
second. kubectl and this toolkit's own command are real. Played are programs that cannot be here, each of
which takes the arguments it knows and no others: `pulumi up`, `helm`, `aws` and the workflow engines' own.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from madeploy import kubeconfigs
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes, Object
from madeploy.doctor.causes import where
from madeploy.doctor.checks import Check, Seen, run
from madeploy.doctor.discovery import Discovery
from madeploy.doctor.site import Site, site_of
from madeploy.engine.commands import TAKING_BACK, update
from madeploy.findings import Finding
from madeploy.findings.outcomes import Outcome
from madeploy.findings.symptoms import diagnosed
from madeploy.sandbox.environment import Environment as Embedded
from madeploy.settings import Environment
from manifests.catalog import placed
from manifests.secret_references import wanted_secrets
from tests.support.environments import environment
from tests.support.stacks import stack_text
from tests.support.tls import certificate_pair
from tests.support.waiting import wait

ROOT = Path(__file__).resolve().parents[2]
STACK = "bench"
SPACE = "ma-system"
MANAGER = "pulumi-kubernetes-bench"
DOMAINS = {"api": "api.bench.example.com", "app": "app.bench.example.com"}
SECRETS = {"michelangelo-apiserver-tls": DOMAINS["api"], "michelangelo-ui-tls": DOMAINS["app"]}
PATIENCE = 180.0
"""Seconds after which what controllers do hangs."""

_AT_ONCE = 8
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
"""What `kubectl rollout restart` adds to a template, and leaves there."""

Act = Callable[[], object]
"""What a person does by hand where a fix asks for more than its commands."""

Player = Callable[[list[str]], None]
"""Takes a played program's arguments; fails for those it does not know."""


class Bench:
    """One stack, written to the embedded clusters.

    Args:
        embedded: the clusters.
        folder: where commands are typed: `bin/madeploy`, `stacks/`, and whatever lies there.
    """

    def __init__(self, embedded: Embedded, folder: Path) -> None:
        self._embedded = embedded
        self.folder = folder
        self.sections: dict[str, Any] = {
            "domains": DOMAINS,
            "platform": {"tier": "development"},
            "controlPlane": {"kubeconfigContext": "control-plane"},
        }
        """What the stack file says, over the smallest one; a person may change it."""

        self.played: dict[str, Player] = {"pulumi": self._pulumi}
        self.at: tuple[str, int] | None = None
        self.connections: dict[str, Kubernetes] = {}
        """Clients in place of the administrator's, by cluster."""

        self.environ = {**os.environ, **embedded.variables, "PYTHONPATH": str(ROOT)}
        (folder / "bin").mkdir(parents=True)
        program = folder / "bin" / "madeploy"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m madeploy "$@"\n')
        program.chmod(0o755)
        (folder / "stacks").mkdir()
        self._fresh = dict(self.sections)

    @property
    def administrator(self) -> str:
        """The kubeconfig of whoever may do everything."""
        return str(self._embedded.kubeconfig)

    def restore(self) -> None:
        """Put back what the stack says and how it is reached."""
        self.sections, self.played = dict(self._fresh), {"pulumi": self._pulumi}
        self.connections, self.at = {}, None
        self.environ["KUBECONFIG"] = self.administrator
        deployments = f"/apis/apps/v1/namespaces/{SPACE}/deployments"
        for item in self.hub.items(deployments):
            template = item["spec"]["template"]["metadata"]
            if _RESTARTED in template.get("annotations", {}):
                change = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED: None}}}}}
                self.hub.merge(f"{deployments}/{item['metadata']['name']}", change)

    @property
    def settings(self) -> Environment:
        """What the stack says now."""
        return environment(**self.sections)

    @property
    def site(self) -> Site:
        """The site that checks look at."""
        return site_of(STACK, self.settings, self.connect, self.at)

    def connect(self, cluster: str) -> Kubernetes:
        """A cluster's client; compute clusters are called as in the embedded environment."""
        if cluster in self.connections:
            return self.connections[cluster]
        named = {"KUBECONFIG": self.environ["KUBECONFIG"]}
        return Kubernetes.from_kubeconfig(kubeconfigs.read_context(cluster, named))

    @property
    def hub(self) -> Kubernetes:
        """The control plane's API server."""
        return self.connect("control-plane")

    def path(self, item: Object, cluster: str = "control-plane") -> str:
        """Where an object is."""
        found = Discovery(self.connect(cluster)).path(item)
        assert found is not None, f"{item['kind']} is not served"
        return found

    def up(self, *, take_back: bool = False) -> None:
        """Write what the stack says, as the engine's provider does: fields of others are a conflict,
        unless they are to be taken back."""
        discoveries = {
            name: Discovery(self.connect(name)) for name in ("control-plane", *self.settings.clusters)
        }
        items = list(placed(self.settings, STACK))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for kinds in (is_namespace, lambda item: not is_namespace(item)):
                chosen = [(cluster, item) for cluster, item in items if kinds(item)]
                list(pool.map(lambda pair: self._apply(discoveries, *pair, take_back), chosen))
        for secret in wanted_secrets(self.settings):
            client, path = self.connect(secret.cluster), f"/api/v1/namespaces/{secret.namespace}/secrets"
            if client.find(f"{path}/{secret.name}") is None:
                data = dict.fromkeys(secret.keys, "eA==")
                client.create(path, {"metadata": {"name": secret.name}, "data": data})

    def _apply(
        self, discoveries: Mapping[str, Discovery], cluster: str, item: Object, take_back: bool
    ) -> None:
        path = discoveries[cluster].path(item)
        assert path is not None, f"{item['kind']} is not served"
        discoveries[cluster].client.apply(path, item, MANAGER, force=take_back)

    def remove(self) -> None:
        """Take everything away again."""
        for cluster, item in reversed(list(placed(self.settings, STACK))):
            self.connect(cluster).delete(self.path(item, cluster))
        space = f"/api/v1/namespaces/{SPACE}"
        self.hub.delete(space)
        wait(lambda: self.hub.find(space) is None)

    def certify(self, *names: str, host: str = "", **more: Any) -> None:
        """Put certificates into the Secrets of the front door, and the last one's files where commands are
        typed."""
        for name in names or SECRETS:
            pem, key = certificate_pair(host or SECRETS[name], **more)
            (self.folder / "tls.crt").write_bytes(pem)
            (self.folder / "tls.key").write_bytes(key)
            self.kubectl(f"-n {SPACE} delete secret {name} --ignore-not-found")
            self.kubectl(f"-n {SPACE} create secret tls {name} --cert=tls.crt --key=tls.key")

    def files_for(self, host: str) -> None:
        """Let a certificate and its key lie where commands are typed, as their owner puts them there."""
        pem, key = certificate_pair(host)
        (self.folder / "tls.crt").write_bytes(pem)
        (self.folder / "tls.key").write_bytes(key)

    def kubectl(self, arguments: str, cluster: str = "control-plane") -> str:
        """kubectl as an administrator types it; its output."""
        done = self.run(f"kubectl --context {cluster} {arguments}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, line: str) -> None:
        """A printed command, as it stands."""
        words = shlex.split(line)
        program = words[2] if words[0] == "env" else words[0]
        if program in self.played:
            self.played[program](words)
            return
        # Of pods that kwok plays nobody has logs: that there is what they are asked of is seen all the same.
        asked = line.replace(" logs ", " get ").replace(" --previous", "") if program == "kubectl" else line
        if program == "bin/madeploy":
            (self.folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(
                stack_text({"kubeconfigs": ..., **self.sections})
            )
        done = self.run(asked)
        # The toolkit's commands end with 1 where there is something to tell; that a thing is not there may be
        # what is to be seen.
        fine = program == "bin/madeploy" and done.returncode == 1
        fine |= is_look(line) and "(NotFound)" in done.stderr
        assert done.returncode == 0 or fine, f"{line}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr, done.stderr

    def follow(self, found: Sequence[Finding], act: Act | None) -> None:
        """Do what findings say, to the letter: see what they have one see, do by hand what they ask for, then
        type the rest."""
        lines = list(dict.fromkeys(line for finding in found for line in finding.commands))
        for line in filter(is_look, lines):
            self.type(line)
        if act is not None:
            act()
        for line in lines:
            if not is_look(line):
                self.type(line)

    def look(self, answer: Callable[[], Seen]) -> Outcome:
        """What one check comes to."""
        (outcome,) = run("bench", STACK, [Check("one", "x", answer)], seconds=PATIENCE).outcomes
        return outcome

    def clear(
        self, code: str, answer: Callable[[], Seen], act: Act | None = None, then: Act | None = None
    ) -> None:
        """Find exactly this code, do what the findings say, and find nothing any more.

        Args:
            code: what the fault is found by.
            answer: the check.
            act: what the fix asks for in words.
            then: what comes of the commands where that is played.
        """
        found = self.await_codes({code}, answer)
        for finding in found:
            assert finding.fix, f"{code} says nothing to do"
            assert finding.commands or act, f"{code} says something to do by hand: {finding.fix}"
        self.follow(found, act)
        if then is not None:
            then()
        self.await_codes(set(), answer)

    def told(self, text: str) -> list[Finding]:
        """What a text comes from, with this environment's own commands."""
        return list(diagnosed(text.splitlines(), where(self.site)))

    def clear_words(self, code: str, says: Callable[[], str], act: Act | None = None) -> None:
        """What is said now is told by this code; what the findings say is done to the letter; it is said no
        more.

        Args:
            code: what it is told by.
            says: what is printed now, about what is asked for.
            act: what the fix asks for in words.
        """
        findings = self.told(says())
        assert {finding.code for finding in findings} == {code}, says()
        self.follow(findings, act)
        assert self.told(says()) == [], says()

    def config(self, service: str) -> dict[str, Any]:
        """A service's live configuration."""
        path = f"/api/v1/namespaces/{SPACE}/configmaps/michelangelo-{service}-config"
        read: dict[str, Any] = yaml.safe_load(self.hub.get(path)["data"]["base.yaml"])
        return read

    def asked(self, arguments: str) -> str:
        """Everything that kubectl says to a question, refusals too."""
        done = self.run(f"kubectl --context control-plane {arguments}")
        return done.stdout + done.stderr

    def await_codes(self, codes: set[str], answer: Callable[[], Seen]) -> tuple[Finding, ...]:
        """The findings of a check, once they have these codes: controllers take a moment."""
        end = time.monotonic() + PATIENCE
        while True:
            outcome = self.look(answer)
            if {finding.code for finding in outcome.findings} == codes and outcome.state != "notChecked":
                return tuple(outcome.findings)
            assert time.monotonic() < end, f"{outcome.state}: {outcome.detail} {outcome.findings}"
            time.sleep(0.3)

    def _pulumi(self, words: list[str]) -> None:
        line = shlex.join(words)
        known = {
            update(STACK): False,
            update(STACK, take_back=True): True,
            f"pulumi up --stack {STACK}": False,
        }
        assert line in known, line
        assert TAKING_BACK.startswith("env ")
        try:
            self.up(take_back=known[line])
        except ClientError as error:
            raise AssertionError(f"{line} ends with {error.message or error.reason}") from None

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        """A line in a shell, as an administrator types it."""
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def is_look(line: str) -> bool:
    """Whether a command only shows something."""
    return line.startswith("kubectl ") and any(f" {verb} " in line for verb in ("get", "describe", "logs"))


def is_namespace(item: Object) -> bool:
    """Whether an object has to be there before others."""
    return bool(item["kind"] == "Namespace")


def options(words: Sequence[str]) -> dict[str, str]:
    """`--name value` and `--name=value` of a command; flags without a value are empty."""
    found: dict[str, str] = {}
    pending: Iterator[str] = iter(words)
    held = ""
    for word in pending:
        if word.startswith("--"):
            held, equals, value = word.partition("=")
            found[held] = value
            if equals:
                held = ""
        elif held:
            found[held] = word
            held = ""
    return found


def applied(bench: Bench, *items: Object, cluster: str = "control-plane") -> None:
    """Have objects, as kubectl applies them."""
    for item in items:
        path = bench.folder / "applied.json"
        path.write_text(json.dumps(item))
        bench.kubectl(f"apply -f {path}", cluster)
