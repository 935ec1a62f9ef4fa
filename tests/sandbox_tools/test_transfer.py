"""Transfers: servers that fail, files that are cut off, and lists of checksums."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.errors import UsageError
from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import FAMILIES, ensure, inspect, releases, transfer
from madeploy.sandbox.tools.cancel import Cancel
from madeploy.sandbox.tools.releases import RELEASES, GitHubDigest, Platform, SumFile
from madeploy.sandbox.tools.transfer import Refused, Sum, Transfer, listed
from tests.sandbox_tools import mirror as mirrors
from tests.sandbox_tools.conftest import Machine
from tests.sandbox_tools.downloads import Heard, built_instead, sources, url_of
from tests.sandbox_tools.mirror import Mirror, Misbehaviour, path_of, serving
from tests.support.ports import free_port

pytestmark = pytest.mark.whole


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (mirrors.status(404), "HTTP 404"),
        (mirrors.status(403), "HTTP 403"),
        (mirrors.status(503), "HTTP 503"),
        (mirrors.always_cut(0), "cut off after 0 of"),
        (mirrors.redirect("/nowhere"), "HTTP 404"),
    ],
    ids=["gone", "forbidden", "unavailable", "empty", "leads nowhere"],
)
def test_a_server_that_fails_is_said_and_the_tool_is_built(
    machine: Machine, mirror: Mirror, odd: Misbehaviour, why: str
) -> None:
    """UX-3."""
    mirror.odd[path_of(url_of("kubeconform"))] = odd
    assert why in built_instead(machine)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("after", [0, 1_000])
def test_a_server_that_falls_silent_is_said_and_the_tool_is_built(
    machine: Machine, mirror: Mirror, after: int
) -> None:
    """UX-3: at the beginning or in the middle."""
    mirror.odd[path_of(url_of("kubeconform"))] = mirrors.silent(after)
    assert "no answer in time" in built_instead(machine)


def test_a_redirect_in_a_circle_ends(machine: Machine, mirror: Mirror) -> None:
    """UX-3."""
    path = path_of(url_of("kubeconform"))
    mirror.odd[path] = mirrors.redirect(path)
    built_instead(machine)
    assert mirror.asked[path] <= 30


def test_redirects_are_followed_with_the_range(machine: Machine, mirror: Mirror) -> None:
    """UX-1: releases are redirected to where the files are stored."""
    path = path_of(url_of("kubeconform"))
    mirror.files["/store/kubeconform"] = mirror.files[path]
    mirror.odd[path] = mirrors.redirect("/store/kubeconform")
    mirror.odd["/store/kubeconform"] = mirrors.cut(50_000)
    assert ensure(["kubeconform"])["kubeconform"].source == "downloaded"
    assert set(mirror.ranges) == {"bytes=50000-"}


def test_a_redirect_that_leaves_tls_is_refused() -> None:
    """SEC-1."""
    request = urllib.request.Request("https://github.com/x")
    with pytest.raises(Refused, match="without TLS"):
        transfer._SafeRedirects().redirect_request(request, None, 302, "", {}, "http://cdn.example.com/x")


def test_one_project_that_fails_leaves_the_others_downloaded(machine: Machine, mirror: Mirror) -> None:
    """UX-1."""
    machine.put_go()
    mirror.odd[path_of(url_of("kubeconform"))] = mirrors.status(404)
    tools = ensure(["kubeconform", "etcd", "kwok", "pulumi"])
    assert [tool.source for tool in tools.values()] == ["built", "downloaded", "downloaded", "downloaded"]


@pytest.mark.usefixtures("impatient")
def test_a_host_that_is_silent_is_asked_once_for_all_and_costs_little(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: a machine without a network loses seconds, not minutes."""
    machine.put_go()
    mirror.odd["HEAD"] = mirrors.silent(seconds=30)
    heard = Heard()
    began = time.monotonic()
    sources(ensure(["etcd", "kwok", "kubeconform", "kubectl", "pulumi"], heard), {"built"})
    assert time.monotonic() - began < 10
    assert mirror.asked == {"HEAD /": 1}
    (said,) = heard.said
    assert "out of reach (no answer in time)" in said
    assert all(name in said for name in ("etcd", "kwok", "kubeconform", "kubernetes", "pulumi"))


def test_a_port_where_nobody_listens_and_a_name_nobody_knows_are_said(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", f"http://127.0.0.1:{free_port()}")
    assert "connection refused" in built_instead(machine)
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "http://mirror.invalid")
    assert "name is not known here" in built_instead(machine, "etcd")


@pytest.mark.usefixtures("impatient")
def test_without_a_network_and_without_go_both_are_said(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    mirror.odd["HEAD"] = mirrors.silent(seconds=30)
    with pytest.raises(SandboxError) as caught:
        ensure(["etcd"])
    assert "no Go toolchain on PATH" in caught.value.why
    assert "could not be downloaded" in caught.value.why
    assert "out of reach" in caught.value.why


@pytest.mark.parametrize(
    "stated", ["mirror.example.com", "ftp://mirror.example.com", "https://me:word@mirror.example.com", "no"]
)
def test_a_mirror_that_is_none_is_wrong_use(monkeypatch: pytest.MonkeyPatch, stated: str) -> None:
    """UX-3: and a password in it is not repeated."""
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", stated)
    with pytest.raises(UsageError, match="MADEPLOY_DOWNLOADS") as caught:
        inspect(["etcd"])
    assert caught.value.exit_code == 2
    assert "word" not in str(caught.value).replace("password", "")


# --- transfers


BODY = os.urandom(300_000)


@settings(max_examples=25, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 120_000), max_size=3), ranges=st.booleans(), there=st.integers(0, 300_000)
)
def test_a_transfer_that_is_cut_off_goes_on_where_it_stopped(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], ranges: bool, there: int
) -> None:
    """UX-1: whatever was there before, and wherever it is cut, the file is whole or refused."""
    with serving(Mirror()) as mirror:
        mirror.files["/f"] = BODY
        mirror.odd["/f"] = mirrors.cut(*cuts) if ranges else mirrors.without_ranges(*cuts)
        path = tmp_path_factory.mktemp("part") / "f"
        path.write_bytes(BODY[:there])
        fetch_f(mirror, path, pause_seconds=0.001)
        assert path.read_bytes() == BODY
        assert mirror.asked["/f"] <= len(cuts) + 1
        asked_from = [int(stated.removeprefix("bytes=").rstrip("-")) for stated in mirror.ranges]
        if ranges:
            reached = [there + sum(cuts[:count]) for count in range(len(cuts) + 1)]
            assert asked_from == [start for start in reached if start][: len(asked_from)]


def fetch_f(mirror: Mirror, path: Path, **limits: float) -> None:
    file = releases.Download("https://f", (), {"f": ""})
    expected = Sum("sha256", hashlib.sha256(BODY).hexdigest(), "test")
    Transfer(mirror.address, Cancel(), **limits).fetch(file, expected, path, lambda d, t: None)


@pytest.mark.parametrize("left", [b"of another file", os.urandom(300_000), os.urandom(400_000)])
def test_the_wrong_beginning_of_an_earlier_run_does_not_spoil_this_one(tmp_path: Path, left: bytes) -> None:
    """UX-1."""
    (tmp_path / "f").write_bytes(left)
    with serving(Mirror()) as mirror:
        mirror.files["/f"] = BODY
        fetch_f(mirror, tmp_path / "f", pause_seconds=0.001)
    assert (tmp_path / "f").read_bytes() == BODY


def test_a_server_that_trickles_is_given_up(tmp_path: Path) -> None:
    """UX-1: building would be quicker."""
    with serving(Mirror()) as mirror:
        mirror.files["/f"] = BODY
        mirror.odd["/f"] = mirrors.trickle(100, 0.02)
        with pytest.raises(Refused, match="sends less than 64 KiB a second"):
            fetch_f(mirror, tmp_path / "f", pace_seconds=0.3)


def test_a_full_disk_is_an_error_and_no_reason_to_build(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Transfer, "_copy", full)
    with pytest.raises(SandboxError, match="no room on the disk"):
        ensure(["etcd"])


def test_two_processes_at_once_download_once(machine: Machine, mirror: Mirror) -> None:
    """UX-1."""
    mirror.odd[path_of(url_of("etcd"))] = mirrors.trickle(50_000, 0.2)
    program = "from madeploy.sandbox.tools import ensure; print(ensure(['etcd'])['etcd'].path)"
    root = Path(__file__).resolve().parents[2]
    run = lambda: subprocess.Popen(  # noqa: E731
        [sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    answers = {process.communicate(timeout=60)[0].strip() for process in [run(), run()]}
    assert len(answers) == 1
    assert answers.pop()
    assert mirror.asked[path_of(url_of("etcd"))] == 1


# --- published lists


HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        f"{HEX}\n",
        f"{HEX.upper()}  f.tar.gz\n",
        f"{HEX} *f.tar.gz\n{'1' * 64} *g.tar.gz",
        f"{'1' * 64}  ./other-f.tar.gz\r\n{HEX}  ./f.tar.gz\r\n",
        f"{HEX}  dist/f.tar.gz",
    ],
    ids=["alone", "upper case", "binary mode", "Windows' line ends", "with a path"],
)
def test_a_checksum_is_found_in_every_form_that_projects_publish(text: str) -> None:
    """UX-1."""
    assert listed(text, "f.tar.gz", SumFile("https://x")) == HEX


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{HEX}  other-f.tar.gz",
        f"{HEX}  f.tar.gz.asc",
        f"{HEX}  f.tar.gz\n{'1' * 64}  f.tar.gz",
        f"{HEX[:40]}  f.tar.gz",
        f"{HEX}\n{'1' * 64}\n",
        f"{'g' * 64}  f.tar.gz",
    ],
)
def test_a_list_that_does_not_say_it_clearly_says_nothing(text: str) -> None:
    """SEC-1."""
    assert listed(text, "f.tar.gz", SumFile("https://x")) is None


def test_every_release_is_of_known_families_and_names_their_programs() -> None:
    """UX-1."""
    for release in RELEASES:
        for system in release.systems:
            files = release.downloads(Platform(system, "arm64"))
            programs = {name for file in files for name in file.programs}
            for family in release.families:
                needed = {*FAMILIES[family].packages, *(s.name for s in FAMILIES[family].scripts)}
                assert needed <= programs
            assert all(file.published and file.url.startswith("https://") for file in files)
            assert all(
                file.name == published.asset
                for file in files
                for published in file.published
                if isinstance(published, GitHubDigest)
            )
