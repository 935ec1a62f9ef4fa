"""Tests do not lean on the shell that starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import shell

ROOT = Path(__file__).resolve().parents[1]
OF_A_SANDBOX = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_PROFILE": "somebody",
    "KUBECONFIG": "/nowhere/kubeconfig",
    "MADEPLOY_STATE": "/nowhere/state",
    "PULUMI_BACKEND_URL": "file:///nowhere",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/nowhere/passphrase",
    "PULUMI_OPTION_CONFIG_FILE": "/nowhere/Pulumi.yaml",
    "PULUMI_STACK": "sandbox",
}
"""What `sandbox env` exports, and what operators export."""
IGNORING = (
    "import os, signal, sys\n"
    "for name in sys.argv[1].split(','): signal.signal(getattr(signal, name), signal.SIG_IGN)\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


@pytest.mark.whole
def test_what_starts_the_tests_may_ignore_signals_and_export_a_sandbox() -> None:
    """UX-1: tests pass in a background job, a CI runner, under `nohup`, in the shell of a sandbox in use."""
    done = subprocess.run(
        [
            *(sys.executable, "-c", IGNORING, "SIGINT,SIGHUP,SIGTERM,SIGCHLD"),
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("tests/sandbox/test_supervision.py", "tests/test_shell.py"),
            *("-k", "interrupt_waits or stand_as_they_should"),
        ],
        cwd=ROOT,
        env={**os.environ, **OF_A_SANDBOX},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_signals_and_variables_stand_as_they_should() -> None:
    """UX-1: here, and in whatever a test starts."""
    assert not [name for name in OF_A_SANDBOX if name in os.environ]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    asked = "import signal; print([int(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGHUP)])"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert answer.strip() == str([int(signal.SIG_DFL)] * 2)


@given(
    names=st.sets(
        st.builds(
            "".join,
            st.tuples(
                st.sampled_from(shell.LEADING_ELSEWHERE), st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", max_size=9)
            ),
        )
    )
)
def test_no_variable_that_leads_elsewhere_is_left(names: set[str]) -> None:
    """UX-1: also one that nobody has thought of; the rest of the environment stays."""
    environ = {**dict.fromkeys(names, "x"), "HOME": "/home/a", "MADEPLOY_CACHE": "/cache"}
    shell.settle(environ)
    assert environ == {"HOME": "/home/a", "MADEPLOY_CACHE": "/cache", "NO_PROXY": "127.0.0.1,localhost"}


def test_programs_of_a_sandbox_in_use_are_not_on_path() -> None:
    """UX-1: its launchers belong to its state; what is installed on the machine stays."""
    environ = {"MADEPLOY_STATE": "/s", "PATH": "/s/plugins:/usr/bin:/s/bin:/opt/pulumi"}
    shell.settle(environ)
    assert environ["PATH"] == "/usr/bin:/opt/pulumi"


def test_hosts_that_need_no_proxy_are_kept() -> None:
    """UX-1: tests reach their own servers; downloads still go by the machine's proxy."""
    environ = {"HTTPS_PROXY": "http://proxy:3128", "no_proxy": "example.com,localhost"}
    shell.settle(environ)
    assert environ == {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com,localhost,127.0.0.1"}
