"""Kubeconfigs read under watch: a program that tells what reading files made it do.

`python -m tests.kubeconfigs.watched FILE...` prints one JSON object a file: whether it was refused, and every
other file opened, program started and connection made meanwhile. After `--limited`, each file is read in a
process of its own, which may use one second of CPU and 100 MiB of memory more than Python with its modules;
what needs more is ended by the kernel and told as `ended`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import madeploy.kubeconfigs.certificates  # noqa: F401 - imported before memory is counted
from madeploy.clusters.sources import from_file
from madeploy.kubeconfigs import Instead

SECONDS = 1
BYTES = 100 * 1024 * 1024
_WATCHED = ("open", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "os.fork", "socket.")
_MODULES = (".py", ".pyc", ".so", "")
_SCHEMAS = ("jsonschema_specifications", "schemas")
"""Folders of the schemas that the form of a kubeconfig is checked by, read when the first one is."""


def _is_import(path: Any) -> bool:
    """Whether Python opens one of its own modules, or lists a folder of them."""
    name = os.fsdecode(path) if isinstance(path, (str, bytes)) else ""
    # Bytecode may be kept apart from its modules (`PYTHONPYCACHEPREFIX`, and what the launcher sets).
    if not any(name.startswith(entry) for entry in (*sys.path, sys.pycache_prefix or "") if entry):
        return False
    return Path(name).suffix in _MODULES or bool(set(_SCHEMAS) & set(Path(name).parts))


_reading: str | None = None
_seen: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _reading is None or not event.startswith(_WATCHED):
        return
    if event == "open" and (str(arguments[0]) == _reading or _is_import(arguments[0])):
        return
    _seen.append(f"{event} {arguments[0]!r}"[:200] if arguments else event)


def read(file: str) -> dict[str, Any]:
    """What reading a file did."""
    global _reading
    _reading = file
    _seen.clear()
    origin = from_file(file, None, Instead())
    _reading = None
    return {
        "refused": origin.verdict.is_refused,
        "codes": sorted({item.code for item in origin.verdict.findings}),
        "seen": list(_seen),
    }


def limited(file: str) -> dict[str, Any]:
    """The same in a process of its own, within limits."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        try:
            os.write(writing, json.dumps(read(file)).encode())
        except MemoryError:
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = stream.read()
    _, status = os.waitpid(child, 0)
    return json.loads(answer) if answer and status == 0 else {"ended": status}


def main() -> None:
    """Read the files named in the arguments."""
    sys.addaudithook(_watch)
    files, _, large = " ".join(sys.argv[1:]).partition("--limited")
    for how, named in ((read, files), (limited, large)):
        for file in named.split():
            print(json.dumps({"file": Path(file).name, **how(file)}), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
