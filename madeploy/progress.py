"""Progress of long work, on stderr: a spinner on a terminal, plain lines in a CI log.

    with phase("building etcd") as building:
        ...
        building.note("120 packages compiled")

Phases may overlap, from several threads too. `NO_COLOR` is honoured. Standard output stays free for data.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

FIRST_HEARTBEAT_SECONDS = 2.0
"""Silence a reader of a plain log accepts before the first sign of life."""
HEARTBEAT_SECONDS = 15.0
"""Time between later signs of life in a plain log."""


def duration(seconds: float) -> str:
    """`seconds` as a person says it: `0.4 s`, `35 s`, `2 min 05 s`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s"


class Phase:
    """One piece of work under way. Made by `Reporter.phase`."""

    def __init__(self, reporter: Reporter, what: str) -> None:
        self.what = what
        self.detail = ""
        self._reporter = reporter
        self._began = time.monotonic()
        self._ended: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds the work has taken: so far, or altogether once it is over."""
        return (self._ended or time.monotonic()) - self._began

    def note(self, detail: str) -> None:
        """Say where the work stands; shown beside the spinner or in the next line of the log."""
        self.detail = detail
        self._reporter._refresh(self)

    def _end(self) -> None:
        self._ended = time.monotonic()


class _Elapsed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(duration(task.elapsed or 0.0), style="dim")


class Reporter:
    """Reports phases to one stream (stderr unless told otherwise).

    A terminal shows a spinner for each running phase and one line for each that is over; any other stream
    gets a line when a phase begins, one after two seconds, one every 15 seconds after that, and one when it
    is over.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        first_heartbeat: float = FIRST_HEARTBEAT_SECONDS,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self._console = Console(file=stream, stderr=stream is None, highlight=False, soft_wrap=True)
        self._first_heartbeat = first_heartbeat
        self._heartbeat = heartbeat
        self._lock = threading.RLock()
        self._display: Progress | None = None
        self._running: dict[Phase, TaskID | None] = {}

    @contextmanager
    def phase(self, what: str) -> Iterator[Phase]:
        """Report `what` ("building etcd") from now until the block ends, with its duration, failed or not."""
        phase = Phase(self, what)
        over = threading.Event()
        self._begin(phase, over)
        try:
            yield phase
        except BaseException:
            self._finish(phase, over, f"[red]failed[/] after {duration(phase.seconds)}")
            raise
        self._finish(phase, over, f"[green]done[/] in {duration(phase.seconds)}")

    def say(self, text: str) -> None:
        """One line of news that belongs to no phase."""
        self._line(escape(text))

    def _begin(self, phase: Phase, over: threading.Event) -> None:
        if self._is_live():
            with self._lock:
                if self._display is None:
                    self._display = Progress(
                        SpinnerColumn(spinner_name="dots" if self._speaks_unicode() else "line"),
                        TextColumn("{task.description}"),
                        _Elapsed(),
                        TextColumn("[dim]{task.fields[detail]}"),
                        console=self._console,
                        transient=True,
                    )
                    self._display.start()
                self._running[phase] = self._display.add_task(escape(phase.what), total=None, detail="")
        else:
            self._line(f"{escape(phase.what)} ...")
            threading.Thread(target=self._beat, args=(phase, over), daemon=True).start()

    def _finish(self, phase: Phase, over: threading.Event, outcome: str) -> None:
        over.set()
        phase._end()
        with self._lock:
            task = self._running.pop(phase, None)
            if self._display is not None and task is not None:
                self._display.remove_task(task)
            if self._display is not None and not self._running:
                self._display.stop()
                self._display = None
            self._line(f"{escape(phase.what)}: {outcome}")

    def _beat(self, phase: Phase, over: threading.Event) -> None:
        wait = self._first_heartbeat
        while not over.wait(wait):
            detail = f", {escape(phase.detail)}" if phase.detail else ""
            self._line(f"{escape(phase.what)}: still running, {duration(phase.seconds)}{detail}")
            wait = self._heartbeat

    def _refresh(self, phase: Phase) -> None:
        with self._lock:
            task = self._running.get(phase)
            if self._display is not None and task is not None:
                self._display.update(task, detail=escape(phase.detail))

    def _line(self, markup: str) -> None:
        with self._lock:
            self._console.print(markup)

    def _is_live(self) -> bool:
        # FORCE_COLOR makes rich call any stream a terminal; a log with colours is still a log.
        return self._console.file.isatty() and os.environ.get("TERM") != "dumb"

    def _speaks_unicode(self) -> bool:
        return (self._console.encoding or "").lower().startswith("utf")


stderr = Reporter()
"""The reporter everyone shares, so that spinners of different parts never overwrite each other."""
phase = stderr.phase
say = stderr.say
