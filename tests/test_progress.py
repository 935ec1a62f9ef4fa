"""Progress of long work."""

from __future__ import annotations

import io
import re
import threading
import time

import pytest

from madeploy.progress import Reporter, duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


def test_a_log_gets_a_line_when_work_begins_and_one_with_its_duration_when_it_is_over(
    log: io.StringIO,
) -> None:
    """UX-2."""
    with Reporter(log).phase("building etcd"):
        assert log.getvalue() == "building etcd ...\n"
    assert re.fullmatch(r"building etcd \.\.\.\nbuilding etcd: done in \d\.\d s\n", log.getvalue())


def test_a_log_gets_a_sign_of_life_with_where_the_work_stands(log: io.StringIO) -> None:
    """UX-2: anything longer than two seconds shows progress."""
    with Reporter(log, first_heartbeat=0.05, heartbeat=0.05).phase("building etcd") as phase:
        phase.note("12 packages compiled")
        deadline = time.monotonic() + 10
        while log.getvalue().count("still running") < 2 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
    assert re.search(r"building etcd: still running, \d\.\d s, 12 packages compiled\n", log.getvalue())


def test_work_that_fails_is_said_to_have_failed(log: io.StringIO) -> None:
    """UX-2."""
    with pytest.raises(ValueError, match="no"), Reporter(log).phase("building etcd"):
        raise ValueError("no")
    assert "building etcd: failed after" in log.getvalue()


def test_a_log_holds_no_control_characters_even_where_colours_are_forced(
    monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    """UX-2: NO_COLOR wins, and a spinner is for terminals only."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    with Reporter(log).phase("building [etcd]"):
        pass
    assert "\x1b[?25l" not in log.getvalue()
    assert "\x1b[3" not in log.getvalue()
    assert log.getvalue().startswith("building [etcd] ...\n")


def test_a_terminal_shows_a_spinner_while_phases_overlap_and_keeps_a_line_for_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """UX-2."""
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    reporter = Reporter(terminal)
    with reporter.phase("building etcd"), reporter.phase("building kwok") as phase:
        phase.note("fetching")
        threading.Event().wait(0.3)
    shown = terminal.getvalue()
    assert "fetching" in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
    assert re.search(r"building etcd: .*done", shown)
    assert re.search(r"building kwok: .*done", shown)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3700, "61 min 40 s"),
    ],
)
def test_durations_read_as_a_person_says_them(seconds: float, said: str) -> None:
    """UX-2."""
    assert duration(seconds) == said
