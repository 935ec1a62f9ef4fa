"""Run one command and print what it took: processor seconds, seconds by the clock, peak resident memory.

A program of its own, started with `-I -S` and free of imports it does not need: a process starts as a
copy of its parent, and Linux counts the parent's memory towards the child's peak. Beside this small
parent that is nothing.
"""

from __future__ import annotations

import os
import sys
import time


def main(command: list[str]) -> int:
    """Run `command`; what it prints goes to standard error, the figures to standard output.

    Processor time is that of the command and of every descendant that was waited for. Memory is the
    largest of these processes, not their sum (getrusage(2)).
    """
    began = time.monotonic()
    process = os.posix_spawnp(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, sys.stderr.fileno(), 1)]
    )
    _, status, usage = os.wait4(process, 0)
    wall = time.monotonic() - began
    sys.stdout.write(f"{usage.ru_utime + usage.ru_stime} {wall} {usage.ru_maxrss}\n")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    # A command ended by a signal is a failed one.
    sys.exit(abs(main(sys.argv[1:])))
