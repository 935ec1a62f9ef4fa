"""The embedded environment of one checkout: its clusters and its AWS, started, looked at and stopped
together."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from madeploy.clients.errors import ClientError
from madeploy.sandbox import objects, ports, process
from madeploy.sandbox.aws import NAME as AWS
from madeploy.sandbox.aws import Aws
from madeploy.sandbox.cluster import COMPONENTS, CONTROL_PLANE, Cluster, compute_name
from madeploy.sandbox.component import Component, Supervisor
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.kubeconfig import kubeconfig
from madeploy.sandbox.state import State, StateDirectory, write_private

TOOLS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
"""Programs the environment runs."""
USABLE_SECONDS = 60.0


def _quiet(detail: str) -> None:
    return None


@dataclass(frozen=True)
class ComponentStatus:
    """One component as `sandbox status` shows it; `pid` is None when it does not run."""

    name: str
    pid: int | None
    port: int | None
    since: float | None


class Environment:
    """The embedded environment kept in one state directory.

    Args:
        directory: where its state is.
        tools: paths of the programs in `TOOLS`, by name; only needed to start.
        compute: number of compute clusters; the remembered number when None.
        audit: write audit logs of the API servers; as remembered when None.
        die_with_parent: end everything when the calling thread ends (tests; Linux only).

    Raises:
        SandboxError: the state file cannot be read.
    """

    def __init__(
        self,
        directory: StateDirectory,
        tools: Mapping[str, Path] | None = None,
        compute: int | None = None,
        audit: bool | None = None,
        die_with_parent: bool = False,
    ) -> None:
        self.directory = directory
        self.state: State = directory.load()
        if compute is not None:
            self.state.compute = compute
        if audit is not None:
            self.state.audit = audit
        self._tools = tools or {}
        self._die_with_parent = die_with_parent

    @property
    def names(self) -> list[str]:
        """Names of the embedded clusters, which are also their kubeconfig contexts."""
        if self.state.contexts:
            return []
        return [CONTROL_PLANE, *(compute_name(index) for index in range(self.state.compute))]

    @property
    def clusters(self) -> dict[str, Cluster]:
        """The clusters of a started environment, by name."""
        return {
            name: Cluster(
                name, index, self.directory, self._tools, self._cluster_ports(name), self.state.audit
            )
            for index, name in enumerate(self.names)
        }

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig with a context for every cluster, `control-plane` current; credentials inline."""
        return self.directory.kubeconfig

    @property
    def aws_endpoint(self) -> str:
        """URL of the sandbox's AWS."""
        return self._aws.endpoint

    @property
    def _aws(self) -> Aws:
        return Aws(self.directory, self.state.ports[AWS])

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables by which kubectl and the AWS SDKs reach this environment and no other."""
        own = {} if self.state.contexts else {"KUBECONFIG": str(self.kubeconfig)}
        return {
            **own,
            **self._aws.variables,
        }

    def start(self, note: Callable[[str], None] = _quiet) -> list[str]:
        """Bring everything up, reusing what runs; on any failure or Ctrl-C end what this call started.

        The caller holds the directory's lock.

        Args:
            note: told what is waited for.

        Returns:
            Names of the components that had to be started.

        Raises:
            SandboxError: a component does not start, or a cluster does not become usable.
        """
        self.directory.prepare()
        self._end_strays()
        self._choose_ports()
        self.directory.save(self.state)
        clusters = self.clusters
        if clusters:
            entries = [cluster.kubeconfig_entry() for cluster in clusters.values()]
            write_private(self.kubeconfig, kubeconfig(entries))
        aws = self._aws
        base = _base_environment(self.directory)
        components: list[Component] = []
        for cluster in clusters.values():
            cluster.write_files()
            components += cluster.components(base)
        components.append(aws.component(base))
        supervisor = Supervisor(self.directory, self.state, self._die_with_parent)
        with ThreadPoolExecutor(max_workers=4) as workers:
            furnishing: list[Future[None]] = []

            def furnish(component: str) -> None:
                name, _, program = component.partition("/")
                if program == "apiserver":
                    furnishing.append(workers.submit(_furnish, clusters[name]))
                elif component == AWS:
                    furnishing.append(workers.submit(self._restore_aws, aws))

            try:
                supervisor.bring_up(components, furnish, note)
                for done in furnishing:
                    done.result()
                self._wait_until_usable(clusters, note)
            except BaseException:
                self._end(supervisor.started)
                raise
        self.directory.save(self.state)
        return supervisor.started

    def stop(self) -> list[str]:
        """End every process of this sandbox, recorded or only labelled; data stays.

        The caller holds the directory's lock.

        Returns:
            Names of the components that ran.

        Raises:
            SandboxError: some process does not end.
        """
        recorded = list(self.state.processes)
        stray = self._strays()
        ended = [name for name in recorded if self.state.is_running(name)] + sorted(set(stray.values()))
        stuck = self._end(recorded) + process.stop(process.marked(stray))
        if stuck:
            raise not_ending(stuck)
        return ended

    def retire(self, compute: int) -> None:
        """Keep the first `compute` compute clusters, end and delete the others."""
        gone = self.names[compute + 1 :]
        self.state.compute = compute
        self._end([name for name in self.state.processes if name.partition("/")[0] in gone])
        self.state.ports = {
            name: port for name, port in self.state.ports.items() if name.partition("/")[0] not in gone
        }
        self.directory.save(self.state)
        for name in gone:
            shutil.rmtree(self.directory.cluster(name))
        entries = [cluster.kubeconfig_entry() for cluster in self.clusters.values()]
        write_private(self.kubeconfig, kubeconfig(entries))

    def status(self) -> list[ComponentStatus]:
        """What runs and what does not, cluster by cluster."""
        found = []
        for name, record in sorted(self.state.processes.items()):
            alive = process.is_alive(record.pid, record.mark)
            found.append(
                ComponentStatus(
                    name,
                    record.pid if alive else None,
                    self.state.ports.get(name),
                    record.since if alive else None,
                )
            )
        return found

    def is_running(self) -> bool:
        """Whether anything of this sandbox runs."""
        return any(self.state.is_running(name) for name in self.state.processes) or bool(self._strays())

    def _cluster_ports(self, name: str) -> dict[str, int]:
        return {part: self.state.ports[f"{name}/{part}"] for part in COMPONENTS}

    def _choose_ports(self) -> None:
        wanted = [f"{name}/{part}" for name in self.names for part in COMPONENTS] + [AWS]
        for name in wanted:
            # etcd listens on two ports with one process.
            if not self.state.is_running(name.removesuffix("-peer")):
                taken = set(self.state.ports.values())
                self.state.ports[name] = ports.choose(self.state.ports.get(name), taken)

    def _strays(self) -> dict[int, str]:
        """Processes with this sandbox's label that the state file does not know."""
        known = {record.pid for record in self.state.processes.values()}
        return {pid: name for pid, name in process.labelled(self.directory.root).items() if pid not in known}

    def _end_strays(self) -> None:
        """End what a killed command left, and the clusters that are no longer wanted."""
        process.stop(process.marked(self._strays()))
        wanted = {*self.names, AWS}
        self._end([name for name in self.state.processes if name.partition("/")[0] not in wanted])

    def _end(self, names: list[str]) -> list[int]:
        """End recorded processes, etcd after the rest, and forget them. Returns ids that do not end."""
        stuck: list[int] = []
        for is_store in (False, True):
            chosen = [
                name for name in names if name.endswith("/etcd") == is_store and name in self.state.processes
            ]
            records = [self.state.processes[name] for name in chosen]
            left = process.stop([(record.pid, record.mark) for record in records])
            for name in chosen:
                if self.state.processes[name].pid not in left:
                    del self.state.processes[name]
            stuck += left
        self.directory.save(self.state)
        return stuck

    def _restore_aws(self, aws: Aws) -> None:
        mark = self.state.processes[AWS].mark
        if self.state.aws_told != mark:
            aws.replay()
            self.state.aws_told = mark

    def _wait_until_usable(self, clusters: Mapping[str, Cluster], note: Callable[[str], None]) -> None:
        deadline = time.monotonic() + USABLE_SECONDS
        waiting = dict(clusters)
        while waiting:
            for name, cluster in list(waiting.items()):
                for program in ("controller-manager", "scheduler", "kwok", "actors"):
                    component = f"{name}/{program}"
                    if not self.state.is_running(component):
                        raise _not_usable(name, f"{component} has ended", self.directory.log(component))
                if cluster.is_usable():
                    del waiting[name]
            if waiting and time.monotonic() > deadline:
                name = next(iter(waiting))
                why = f"no default ServiceAccount or no Ready nodes within {USABLE_SECONDS:.0f} s"
                raise _not_usable(name, why, self.directory.log(f"{name}/controller-manager"))
            if waiting:
                note("waiting for the ServiceAccounts and nodes of " + ", ".join(waiting))
                time.sleep(0.1)


def not_ending(pids: Iterable[int]) -> SandboxError:
    """The error for processes that cannot be ended."""
    return SandboxError(
        "some processes of the sandbox do not end",
        f"process ids {', '.join(map(str, pids))} ignore SIGKILL or belong to another user",
        "end them as their owner, then run `madeploy sandbox stop` again",
    )


def _not_usable(cluster: str, why: str, log: Path) -> SandboxError:
    return SandboxError(
        f"cluster {cluster} does not become usable",
        f"{why}; the end of {log}:\n{process.last_lines(log)}",
        "remove the cause and run the command again; "
        "if its data is damaged, `madeploy sandbox reset` clears it",
    )


def _base_environment(directory: StateDirectory) -> dict[str, str]:
    """Environment of every component: the same whoever starts it, so that a second start changes nothing."""
    return {
        "HOME": str(directory.root),
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONUNBUFFERED": "1",
    }


def _furnish(cluster: Cluster) -> None:
    """Apply what the cluster holds from the start; a fresh API server refuses a few things for a moment."""
    is_control_plane = cluster.name == CONTROL_PLANE
    wanted = [
        *objects.nodes(cluster.name),
        *objects.namespaces(),
        *objects.definitions(is_control_plane),
        *objects.classes(),
        *([] if is_control_plane else objects.operators()),
    ]
    deadline = time.monotonic() + USABLE_SECONDS / 2
    for item in wanted:
        while True:
            try:
                objects.write(cluster.api, item)
                break
            except ClientError as error:
                # Not found: the definition of this kind is not served yet.
                passes = error.cause in ("notFound", "conflict", "throttled", "server")
                if not (passes or error.is_unreachable) or time.monotonic() > deadline:
                    raise SandboxError(
                        f"cluster {cluster.name} refuses {item['kind']} {item['metadata']['name']}",
                        str(error),
                        "this is a defect of the sandbox: please report it with `madeploy sandbox logs`",
                    ) from None
                time.sleep(0.05)
