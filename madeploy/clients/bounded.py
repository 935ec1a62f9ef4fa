"""Many clusters at once, none of which can hold the others up (REG-10)."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

WORKERS = 32
"""Clusters looked at side by side: threads that mostly wait."""

Result = TypeVar("Result")


def run_bounded(
    tasks: Mapping[str, Callable[[], Result]],
    late: Callable[[str], Result],
    seconds: float,
    workers: int = WORKERS,
    note: Callable[[int], None] = lambda _: None,
    overall: float | None = None,
) -> dict[str, Result]:
    """Results by name, in the order given, however long a task takes.

    Each task has `seconds` from when it starts. One that is not done by then counts as `late(name)`, its
    place is given to the next, and its thread is left behind: nothing can interrupt a name resolution or
    a server that never ends its answer.

    Args:
        tasks: what to do; a task that raises ends the whole with its exception.
        late: the result of a task that took too long.
        seconds: time limit of one task.
        workers: tasks under way at the same time.
        note: told how many are done, from the calling thread.
        overall: time limit of all of them, in seconds: what is under way then, or has not been begun, counts
            as late. None for none.
    """
    end = None if overall is None else time.monotonic() + overall
    done: queue.Queue[tuple[str, Result | None, BaseException | None]] = queue.Queue()
    names = iter(tasks)
    deadlines: dict[str, float] = {}
    results: dict[str, Result] = {}

    def work(name: str) -> None:
        try:
            done.put((name, tasks[name](), None))
        except BaseException as error:
            done.put((name, None, error))

    def start_next() -> None:
        name = next(names, None)
        if name is not None:
            deadlines[name] = time.monotonic() + seconds
            # Daemons: a command ends whether they do or not.
            threading.Thread(target=work, args=(name,), daemon=True).start()

    def finish(name: str, result: Result) -> None:
        del deadlines[name]
        results[name] = result
        note(len(results))
        start_next()

    for _ in range(min(workers, len(tasks))):
        start_next()
    while deadlines:
        if end is not None and time.monotonic() >= end:
            break
        patience = max(min([*deadlines.values(), *([end] if end else [])]) - time.monotonic(), 0.0)
        try:
            name, result, error = done.get(timeout=patience)
        except queue.Empty:
            now = time.monotonic()
            for name in [name for name, deadline in deadlines.items() if deadline <= now]:
                finish(name, late(name))
            continue
        if name not in deadlines:
            continue
        if error is not None:
            raise error
        finish(name, result)  # type: ignore[arg-type]  # without an error there is a result
    return {name: results[name] if name in results else late(name) for name in tasks}
