"""Rotation: a new credential takes over from the old one, with at least one valid at every moment.

The order is what matters (V14, facts 3.1): the new credential exists and is proven with itself; then the
control plane's Secret changes, in place; then the controller manager is rolled, which reads it; then the
platform has been seen to reach the cluster; only then is the old one withdrawn, and shown to be refused.

Where one stack holds both, one update moves the Secret and then rolls the controller manager
(`components.gates`). Whether it was in this order is looked at: pods that may have read the old one are
rolled by an update of their own.

Where it stands is in the stack file (`credential.generation` and `credential.keep`, the latter empty when
nothing is under way) and on the clusters. So a rotation may be interrupted after any step: begun again it
goes on, and each of its steps is one that may be taken twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from madeploy.clients.bounded import WORKERS, run_bounded
from madeploy.clients.errors import ClientError
from madeploy.clients.kubernetes import Kubernetes
from madeploy.clusters import controller_manager, credentials, serving_token
from madeploy.clusters.checks.health import control_plane_clock, wait_for_proof
from madeploy.clusters.failures import finding_of, unusable
from madeploy.clusters.registration import read_registration, registered_client
from madeploy.clusters.remedies import remedies
from madeploy.clusters.rotation_plan import CALL_SECONDS, Planned, Rotated, planned
from madeploy.clusters.session import Session, Tell, next_revision
from madeploy.errors import ToolkitError
from madeploy.findings import Finding, find
from madeploy.names.kubernetes import ray_manager_token, serving_manager_token
from madeploy.settings import CONTROL_PLANE, Environment
from madeploy.settings.clusters import CredentialKind, KeptCredential
from madeploy.stacks.files import Edit

USE_SECONDS: Final = 150.0
"""How long the platform may take to reach a cluster with its new credential: the old leader's lease, two of
its beats, and time to spare (V14)."""

Step = Literal[
    "written",
    "prepared",
    "proven",
    "switchWritten",
    "switched",
    "rollWritten",
    "rolled",
    "used",
    "withdrawalWritten",
    "withdrawn",
    "refused",
]
"""What has just been done, for all clusters of a rotation together."""


class Rotation:
    """One rotation of some clusters of a stack.

    Args:
        stack: the stack.
        say: told each step, in words.
        reached: told each step once it is done, for tests that end it there.
        workers: clusters asked at the same time.
        use_seconds: how long the platform may take to use a new credential.
    """

    def __init__(
        self,
        stack: Session,
        say: Tell,
        reached: Callable[[Step], None] = lambda _: None,
        workers: int = WORKERS,
        use_seconds: float = USE_SECONDS,
    ) -> None:
        self._stack = stack
        self._say = say
        self._reached = reached
        self._workers = workers
        self._use_seconds = use_seconds
        self._plans: dict[str, Planned] = {}
        self._tokens: dict[tuple[str, int], str] = {}
        self._control_plane: Kubernetes = stack.client(CONTROL_PLANE)
        self.results: dict[str, Rotated] = {}
        """What became of each cluster so far, by name."""

    def plan(
        self, names: Sequence[str], *, rollback: bool = False, kind: CredentialKind | None = None
    ) -> dict[str, Planned]:
        """What `run` is going to do, by cluster: rotate, or go on with what was interrupted; with `rollback`,
        back to the credential there was before. Nothing is changed.

        Clusters that do not answer, and those with nothing to go back to, are in `results` only.
        """
        settings = self._stack.settings()

        def look(name: str) -> Planned | None:
            credential = settings.clusters[name].credential
            return planned(credential, self._stack.client(name), rollback=rollback, kind=kind)

        for name in names:
            generation = settings.clusters[name].credential.generation
            self.results[name] = Rotated(name, generation, generation)
        for name, plan in self._ask(names, look).items():
            if plan is None:
                self.results[name].done = not self.results[name].findings
            else:
                self._plans[name] = plan
                self._tokens |= {(name, generation): token for generation, token in plan.tokens.items()}
        return dict(self._plans)

    def run(self) -> list[Rotated]:
        """Do what was planned. One cluster's trouble is a finding of its own and leaves the others be.

        Raises ToolkitError and ClientError for what concerns all of them.
        """
        left = self._prepare(list(self._plans))
        left = self._switch(left, self._prove(left))
        self._roll(left)
        left = self._wait_for_use(left)
        self._withdraw(left)
        return list(self.results.values())

    # Each step takes the clusters that are still in it, and returns those that go on.

    def _prepare(self, names: list[str]) -> list[str]:
        """Let the new credentials exist."""
        settings = self._stack.settings()
        edits: list[Edit] = []
        for name in names:
            credential, goal = settings.clusters[name].credential, self._plans[name].goal
            if goal not in credentials.known(credential):
                kept = credentials.keeping(credential, *credential.keep, goal)
                edits.append((("clusters", name, "credential"), kept))
        self._stack.edit(edits)
        self._reached("written")
        # An earlier rotation may have left out to delete what its settings do not name any more.
        drops = any(self._plans[name].leftover for name in names)
        doing = "the new credential is made" if edits else "an interrupted rotation is taken up"
        # Registered by an earlier run, they may not have been brought to the control plane yet.
        are_registered = any(self._is_written(settings, name) for name in names)
        left = self._apply(names, f"{_listed(names)}: {doing}", drops, registers=are_registered)
        self._reached("prepared")
        return left

    def _prove(self, names: list[str]) -> dict[str, str]:
        """Tokens of the new credentials, each proven with itself; of those alone that are not registered."""
        settings = self._stack.settings()
        waiting = [name for name in names if not self._is_written(settings, name)]
        self._tell(waiting, "the new credential is proven: whose it is, and each of its rights")
        tokens = self._ask(waiting, partial(self._issued, settings))
        self._reached("proven")
        return {name: token for name, token in tokens.items() if token is not None}

    def _is_written(self, settings: Environment, name: str) -> bool:
        """Whether the settings say that what is registered is the goal already."""
        return settings.clusters[name].credential.generation == self._plans[name].goal.generation

    def _issued(self, settings: Environment, name: str) -> str | Finding:
        registered = read_registration(self._control_plane, name)
        credential = settings.clusters[name].credential
        self._tokens.setdefault((name, credential.generation), registered.token)
        compute = self._stack.client(name)
        try:
            token = credentials.issue(compute, self._plans[name].goal, credential.lifetime_hours)
        except ValueError as error:
            return find("MA440", name, str(error), fix=self._go_on(name))
        new = credentials.with_token(registered, token)
        hints = remedies(settings, name, self._stack.name)
        finding = credentials.prove(settings, new, self._stack.with_token(name, token), compute, hints)
        # That of serving turns with it: Kubernetes has written the new one beside the old.
        other = serving_token.present(compute).get(self._plans[name].goal.generation, "")
        return finding or serving_token.lack(self._stack, registered, other) or token

    def _switch(self, names: list[str], tokens: dict[str, str]) -> list[str]:
        """Register them: the control plane's Secrets change in place."""
        settings = self._stack.settings()
        edits: list[Edit] = []
        for name, token in tokens.items():
            goal = self._plans[name].goal
            if goal.kind == "bounded":
                self._stack.store_token(name, token)
            changed = credentials.registering(settings.clusters[name].credential, goal)
            edits.append((("clusters", name, "credential"), changed))
        if settings.fleet.layout == "inline" and any(self._plans[name].before > 0 for name in tokens):
            edits.append(next_revision(settings))
        self._stack.edit(edits)
        self._reached("switchWritten")
        # The settings of those that are registered already were brought about by the first step.
        left = [name for name in names if name not in tokens and not self.results[name].findings]
        left += self._apply(list(tokens), f"{_listed(tokens)}: the new credential is registered")
        self._reached("switched")
        self._ask(left, self._is_registered)
        return self._sound(left)

    def _is_registered(self, name: str) -> Finding | None:
        goal = self._plans[name].goal
        registered = read_registration(self._control_plane, name)
        held = [(registered.secret_names["token"], credentials.is_of(registered.token, goal.generation))]
        if serving_token.serves(self._stack.settings(), name):
            found = serving_token.registered_token(self._control_plane, registered)
            held.append((found.secret_names["token"], serving_token.is_of(found.token, goal.generation)))
        for secret, is_there in held:
            if not is_there:
                evidence = f"Secret {secret} does not hold generation {goal.generation}"
                return find("MA471", name, evidence, fix=self._go_on(name))
        self.results[name].after = goal.generation
        return None

    def _roll(self, names: list[str]) -> None:
        """Roll the controller manager, once for all, unless all its pods are younger than the Secrets."""
        settings = self._stack.settings()
        # What nothing was registered with before, no pod can have read.
        replaced = [name for name in names if self._plans[name].before > 0]
        moments = [
            controller_manager.changed_at(secret)
            for name in replaced
            if (secret := read_registration(self._control_plane, name).secrets["token"]) is not None
        ]
        namespace = settings.platform.namespace
        if moments and not controller_manager.has_rolled_since(self._control_plane, namespace, max(moments)):
            self._stack.edit([next_revision(settings)])
            self._reached("rollWritten")
            self._stack.apply([], "the controller manager is rolled: it reads credentials only once")
            if not controller_manager.has_rolled_since(self._control_plane, namespace, max(moments)):
                raise ToolkitError(
                    "the controller manager was not rolled",
                    f"a pod of it in namespace {namespace} is older than the credential it is to read; both "
                    "credentials are valid",
                    "see why its Deployment did not change, then let the rotation finish:\n"
                    + "\n".join(map(self._command, names)),
                    exit_code=1,
                )
        self._reached("rolled")

    def _wait_for_use(self, names: list[str]) -> list[str]:
        """Wait until the platform has reached each cluster with what is registered now."""
        after = control_plane_clock(self._control_plane)
        self._tell(names, "the platform's own report is waited for")
        settings = self._stack.settings()
        self._ask(names, partial(self._used, settings, after), self._use_seconds + CALL_SECONDS)
        self._reached("used")
        return self._sound(names)

    def _used(self, settings: Environment, after: float, name: str) -> Finding | None:
        registered = read_registration(self._control_plane, name)
        compute, hints = self._stack.client(name), remedies(settings, name, self._stack.name)
        try:
            finding = credentials.prove(settings, registered, registered_client(registered), compute, hints)
        except ClientError as error:
            if not error.is_unreachable:
                raise
            # The address is the control plane's and need not lead anywhere from here; the report tells.
            finding = None
        finding = finding or serving_token.lack(self._stack, registered)
        if finding is not None:
            return finding
        if wait_for_proof(self._control_plane, name, after=after, seconds=self._use_seconds):
            return None
        evidence = f"the platform reported nothing of it for {self._use_seconds:.0f} s"
        look = hints.control_plane(f"-n {hints.namespace} logs deployment/{controller_manager.SERVICE}")
        return find("MA469", name, evidence, fix=f"See what it says of it:\n{look}\n{self._go_on(name)}")

    def _withdraw(self, names: list[str]) -> None:
        """Delete the credentials kept besides, and show that they are dead."""
        settings = self._stack.settings()
        kept = {name: settings.clusters[name].credential.keep for name in names}
        edits: list[Edit] = []
        for name, items in kept.items():
            credential = settings.clusters[name].credential
            if items:
                edits.append((("clusters", name, "credential"), credentials.keeping(credential)))
            if credential.kind == "longLived" and any(item.kind == "bounded" for item in items):
                edits.append((("clusterTokens", name), None))
        self._stack.edit(edits)
        self._reached("withdrawalWritten")
        ending = {name: _secrets(items) for name, items in kept.items() if items}
        left = [name for name in names if name not in ending]
        if ending:
            failed = self._stack.withdraw(ending, f"{_listed(ending)}: the other credential is withdrawn")
            left += self._taken_down(ending, failed)
        self._reached("withdrawn")
        self._tell(list(ending), "the withdrawn one is tried until it is refused")
        self._ask(left, self._refused)
        for name in self._sound(left):
            self.results[name].done = True
        self._reached("refused")

    def _refused(self, name: str) -> Finding | None:
        for item in self._plans[name].withdrawn:
            token = self._tokens.get((name, item.generation), "")
            if not credentials.is_of(token, item.generation):
                token = ""
            # That of serving ended with it.
            other = self._plans[name].serving_tokens.get(item.generation, "")
            seconds = [
                credentials.seconds_until_refused(self._stack.with_token(name, each))
                for each in (token, other)
                if each
            ]
            self.results[name].refused[item.generation] = seconds[0] if token else None
            if None in seconds:
                evidence = f"generation {item.generation}, {credentials.REFUSED_SECONDS:.0f} s afterwards"
                return find("MA470", name, evidence)
        return None

    # What the steps share.

    def _apply(
        self, names: list[str], what: str, may_drop: bool = False, registers: bool = True
    ) -> list[str]:
        if not names:
            return []
        failed = self._stack.apply(names, what, may_drop=may_drop, registers=registers)
        return self._taken_down(names, failed)

    def _taken_down(self, names: Iterable[str], failed: Mapping[str, Finding]) -> list[str]:
        """Clusters that go on, where those in `failed` do not."""
        for name in names:
            if name in failed:
                self.results[name].findings.append(failed[name])
        return [name for name in names if name not in failed]

    def _ask(
        self, names: Iterable[str], ask: Callable[[str], Any], seconds: float = CALL_SECONDS
    ) -> dict[str, Any]:
        """Answers by cluster; findings, what failed and what took too long among them, are taken down, and
        stand there as None."""

        def safely(name: str) -> Any:
            try:
                return ask(name)
            except ClientError as error:
                return finding_of(error, name, fix=self._go_on(name))
            except ToolkitError as error:
                return unusable(error, name)

        def late(name: str) -> Any:
            return find("MA432", name, f"no answer within {seconds:.0f} s", fix=self._go_on(name))

        answers = run_bounded({name: partial(safely, name) for name in names}, late, seconds, self._workers)
        for name, answer in answers.items():
            if isinstance(answer, Finding):
                self.results[name].findings.append(answer)
        return {name: None if isinstance(item, Finding) else item for name, item in answers.items()}

    def _sound(self, names: Iterable[str]) -> list[str]:
        """Clusters without a finding."""
        return [name for name in names if not self.results[name].findings]

    def _tell(self, names: list[str], what: str) -> None:
        if names:
            self._say(f"{_listed(names)}: {what}")

    def _command(self, name: str) -> str:
        return f"bin/madeploy clusters rotate {name} --stack {self._stack.name}"

    def _go_on(self, name: str) -> str:
        command = self._command(name)
        return f"Then let the rotation finish, or take it back:\n{command}\n{command} --rollback"


def _secrets(items: Iterable[KeptCredential]) -> list[str]:
    """Names of the Secrets that these credentials are on the compute cluster, and those that turn with
    them."""
    numbers = [item.generation for item in items]
    return [name(number) for number in numbers for name in (ray_manager_token, serving_manager_token)]


def _listed(names: Iterable[str]) -> str:
    """Names for a sentence."""
    listed = list(names)
    return ", ".join(listed) if len(listed) <= 3 else f"{len(listed)} clusters"
