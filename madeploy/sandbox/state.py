"""State of one checkout's sandbox between two commands: the state directory and the file in it.

Layout of the directory (mode 0700):

    state.json              ports, processes, options; written whole, never half
    lock                    held by the one command that may change something
    kubeconfig              contexts `control-plane`, `compute-0`, ...
    clusters/<name>/        certificates, keys, etcd's data of one cluster
    aws/                    what moto was told, to tell it again after a restart
    logs/                   one file per component
    stack/, pulumi/         the stack's own files and the engine's backend
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from madeploy.engine.processes import is_alive
from madeploy.sandbox.errors import SandboxError

STATE_VARIABLE = "MADEPLOY_STATE"
"""The environment variable that names the state directory."""
FORMAT = 1
"""Version of state.json's layout; a file of another version is refused, not guessed at."""


@dataclass(frozen=True)
class ProcessRecord:
    """One process the sandbox started.

    Attributes:
        pid: its process id.
        mark: what tells it from a later process of the same id (`process.start_mark`).
        argv: the command line it was started with.
        settings: everything else a change of which asks for a restart (environment, files it read at start).
        since: when it was started, seconds since the epoch.
    """

    pid: int
    mark: str
    argv: list[str]
    settings: dict[str, str]
    since: float


@dataclass
class State:
    """Content of state.json.

    Attributes:
        root: the directory the state was written for; a copied directory is recognised by it.
        compute: how many compute clusters the embedded environment has.
        audit: whether the API servers write an audit log.
        ports: component name (`control-plane/apiserver`) to port on 127.0.0.1.
        processes: component name to process.
        contexts: kubeconfig context by cluster name where the user's own clusters take the place of the
            embedded ones; empty otherwise.
        aws_told: mark of the moto process that was told what earlier ones knew.
        plugins: what serves each provider package: its `version`, its `kind` and the `reason` for it.
        path: directories that stand first on PATH of whoever uses the sandbox.
        environ: further variables the engine needs for its plugins.
    """

    root: str
    compute: int = 1
    audit: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    processes: dict[str, ProcessRecord] = field(default_factory=dict)
    contexts: dict[str, str] = field(default_factory=dict)
    aws_told: str = ""
    plugins: dict[str, dict[str, str]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def is_running(self, component: str) -> bool:
        """Whether a component's process is alive, and no other of the same id."""
        record = self.processes.get(component)
        return record is not None and is_alive(record.pid, record.mark)


class StateDirectory:
    """The state directory of one sandbox."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def cluster(self, name: str) -> Path:
        return self.root / "clusters" / name

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def log(self, component: str) -> Path:
        """Log file of a component: `control-plane/etcd` writes to `logs/control-plane-etcd.log`."""
        return self.logs / f"{component.replace('/', '-')}.log"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def file(self) -> Path:
        return self.root / "state.json"

    def exists(self) -> bool:
        return self.root.is_dir()

    def prepare(self) -> None:
        """Make the directory, readable for its owner only.

        Raises:
            SandboxError: it cannot be made, or belongs to somebody else.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            self.logs.mkdir(exist_ok=True)
        except OSError as error:
            raise SandboxError(
                f"the sandbox cannot keep its state in {self.root}",
                f"{error.strerror}",
                "make the directory writable, or name another one in MADEPLOY_STATE",
            ) from None

    def load(self) -> State:
        """The remembered state; an empty one when there is none.

        Raises:
            SandboxError: the file is there but is not one of ours.
        """
        try:
            text = self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return State(root=str(self.root))
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable(str(error)) from None
        try:
            raw = json.loads(text)
            if raw["format"] != FORMAT:
                raise self._unreadable(f"its format is {raw['format']!r}, this version writes {FORMAT}")
            state = State(
                root=str(raw["root"]),
                compute=int(raw["compute"]),
                audit=bool(raw["audit"]),
                ports={str(name): int(port) for name, port in raw["ports"].items()},
                processes={str(name): ProcessRecord(**record) for name, record in raw["processes"].items()},
                contexts=_texts(raw["contexts"]),
                aws_told=str(raw["aws_told"]),
                plugins={str(name): _texts(source) for name, source in raw["plugins"].items()},
                path=[str(entry) for entry in raw["path"]],
                environ=_texts(raw["environ"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unreadable(f"{type(error).__name__}: {error}") from None
        if state.root != str(self.root):
            # A copy of another checkout: processes and ports are that one's.
            return State(str(self.root), state.compute, state.audit, contexts=state.contexts)
        return state

    def save(self, state: State) -> None:
        """Write the state so that a reader sees either the old file or the new one, and a crash keeps one
        of them."""
        write_private(self.file, json.dumps({"format": FORMAT, **asdict(state)}, indent=1) + "\n")

    def remove(self) -> None:
        """Delete everything in the directory."""
        shutil.rmtree(self.root, ignore_errors=False)

    @contextmanager
    def locked(self, verb: str) -> Iterator[None]:
        """Be the one command that changes this sandbox. The lock ends with the process, however it ends.

        Raises:
            SandboxError: another command holds it.
        """
        self.prepare()
        path = self.root / "lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 200).decode("utf-8", "replace").strip() or "another command"
                raise SandboxError(
                    f"another command is at work on this sandbox ({self.root})",
                    f"{holder} holds {path}",
                    "wait for it to end, or end it, then run this again",
                ) from None
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} (sandbox {verb})".encode())
            yield
        finally:
            os.close(descriptor)

    def _unreadable(self, why: str) -> SandboxError:
        return SandboxError(
            f"the sandbox's state file cannot be read: {self.file}",
            why,
            "run `madeploy sandbox reset`: it ends this sandbox's processes, which it finds "
            "without the file, and deletes its state; the next `madeploy sandbox up` starts afresh",
        )


def _texts(raw: dict[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in raw.items()}


def write_private(path: Path, content: str | bytes) -> None:
    """Replace a file at once by one with this content that only its owner can read."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    os.replace(temporary, path)
