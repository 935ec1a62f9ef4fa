"""Downloads: what is taken, what never is, and what happens instead."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.progress import Reporter
from madeploy.sandbox.tools import FAMILIES, TOOLS, ToolPaths, ensure, inspect, releases, transfer
from madeploy.sandbox.tools.releases import RELEASES, GitHubDigest, Platform, SumFile, this_platform
from madeploy.sandbox.tools.transfer import Refused, Sum, Transfer, listed
from tests.sandbox_tools import mirror as mirrors
from tests.sandbox_tools.conftest import Machine
from tests.sandbox_tools.mirror import Mirror, Misbehaviour, path_of, serving
from tests.support.proves import proves

pytestmark = pytest.mark.whole

PLATFORMS = [Platform(system, arch) for system in ("linux", "darwin") for arch in ("amd64", "arm64")]
LINUX = Platform("linux", "amd64")


@pytest.fixture
def mirror(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with every release for Linux, and a machine that downloads from it."""
    quick = partial(Transfer, probe_seconds=0.3, silence_seconds=0.4)
    monkeypatch.setattr("madeploy.sandbox.tools.resolve.Transfer", quick)
    monkeypatch.setattr(releases, "this_platform", lambda: LINUX)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(Mirror()) as mirror:
        mirror.publish_all(LINUX)
        monkeypatch.setenv("MADEPLOY_DOWNLOADS", mirror.address)
        yield mirror


def release_of(family: str) -> releases.Release:
    return next(release for release in RELEASES if family in release.families)


def url_of(family: str, on: Platform = LINUX) -> str:
    return release_of(family).downloads(on)[0].url


class Heard(Reporter):
    """What a run said."""

    def __init__(self) -> None:
        super().__init__(stream=open(os.devnull, "w"))  # noqa: SIM115
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)


def built_instead(machine: Machine, name: str = "kubeconform") -> str:
    """Ask for a tool that is then built, and return what was said about that."""
    machine.put_go()
    heard = Heard()
    tools = ensure([name], heard)
    assert (tools[name].source, tools[name].official) == ("built", False)
    (said,) = heard.said
    assert f"{name}: not downloaded, so built from source: " in said
    return said


@proves("UX-7", played="the projects' servers")
def test_everything_is_downloaded_without_go(machine: Machine, mirror: Mirror) -> None:
    """UX-1."""
    tools = ensure(TOOLS)
    assert {tool.source for tool in tools.values()} == {"downloaded"}
    assert all(tool.official for tool in tools.values())
    assert all(os.access(tool.path, os.X_OK) for tool in tools.values())
    # The language host comes in the CLI's archive, which is fetched once.
    assert mirror.asked[path_of(url_of("pulumi"))] == 1
    assert tools["pulumi-language-python"].version == tools["pulumi"].version
    host = tools.path("pulumi-language-python").parent
    assert os.access(host / "pulumi-language-python-exec", os.X_OK)
    assert not list((machine.cache / "downloads").iterdir())


def test_what_was_downloaded_is_found_in_the_cache_without_a_request(
    machine: Machine, mirror: Mirror
) -> None:
    """UX-1."""
    path = ensure(["etcd"]).path("etcd")
    mirror.asked.clear()
    again = ensure(["etcd"])["etcd"]
    assert (again.source, again.official, again.path) == ("cache", True, path)
    assert not mirror.asked
    record = json.loads((path.parent.parent / "built.json").read_text())
    (seen,) = record["downloads"]
    body = mirror.files[path_of(url_of("etcd"))]
    assert seen["url"] == url_of("etcd")
    assert seen["sum"] == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_tool_on_path_comes_before_a_download_and_a_download_before_a_build(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: PATH, cache, download, build."""
    machine.put_go()
    machine.put("kwok", "kwok version v0.7.0")
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "off")
    built = ensure(["etcd"])["etcd"]
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", mirror.address)
    tools = ensure(["kwok", "etcd", "kubeconform"])
    assert [tool.source for tool in tools.values()] == ["path", "cache", "downloaded"]
    assert tools.path("etcd") == built.path
    assert not any("kwok" in path for path in mirror.asked)


PAIR = ("pulumi", "pulumi-language-python")


def test_a_cli_that_is_downloaded_brings_its_language_host_though_another_was_built(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: one from an earlier run, of another version."""
    machine.put_go()
    with monkeypatch.context() as offline:
        offline.setenv("MADEPLOY_DOWNLOADS", "off")
        assert ensure(["pulumi-language-python"])["pulumi-language-python"].source == "built"
    got = ensure(PAIR)
    assert {tool.source for tool in got.values()} == {"downloaded"}
    assert len({tool.version for tool in got.values()}) == 1
    assert {tool.source for tool in ensure(PAIR).values()} == {"cache"}
    assert all(tool.official for tool in ensure(PAIR).values())


def test_a_downloaded_cli_goes_unused_where_its_language_host_is_gone(
    machine: Machine, mirror: Mirror
) -> None:
    """UX-1, UX-3: and cannot be downloaded again: both are built."""
    host = ensure(PAIR).path("pulumi-language-python")
    host.unlink()
    del mirror.files[path_of(url_of("pulumi"))]
    machine.put_go()
    assert {(tool.source, tool.official) for tool in ensure(PAIR).values()} == {("built", False)}


def test_downloads_that_are_off_use_and_ask_nothing(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: what must be built from source is, whatever was downloaded before."""
    machine.put_go()
    ensure(["etcd"])
    mirror.asked.clear()
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "OFF")
    assert ensure(["etcd"])["etcd"].source == "built"
    assert not mirror.asked


@pytest.mark.parametrize("on", PLATFORMS, ids=lambda on: f"{on.os}-{on.arch}")
def test_each_platform_gets_its_own_files(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch, on: Platform
) -> None:
    """UX-1."""
    machine.put_go()
    mirror.files.clear()
    mirror.publish_all(on)
    monkeypatch.setattr(releases, "this_platform", lambda: on)
    tools = ensure(["etcd", "pulumi", "kube-apiserver", "kubeconform", "kwok"])
    sources = {name: tool.source for name, tool in tools.items()}
    # Kubernetes publishes its control plane for Linux alone.
    assert sources.pop("kube-apiserver") == ("downloaded" if on.os == "linux" else "built")
    assert set(sources.values()) == {"downloaded"}


@pytest.mark.parametrize(
    ("system", "machine_name", "expected"),
    [
        ("Linux", "x86_64", Platform("linux", "amd64")),
        ("Linux", "aarch64", Platform("linux", "arm64")),
        ("Darwin", "arm64", Platform("darwin", "arm64")),
        ("Darwin", "x86_64", Platform("darwin", "amd64")),
    ],
)
def test_the_platform_is_named_as_go_names_it(
    monkeypatch: pytest.MonkeyPatch, system: str, machine_name: str, expected: Platform
) -> None:
    """UX-1."""
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine_name)
    assert this_platform() == expected


def test_another_processor_is_built_for(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    monkeypatch.setattr(releases, "this_platform", lambda: Platform("linux", "riscv64"))
    assert "not published for linux/riscv64" in built_instead(machine)


# --- what is never taken


def wrong_list(mirror: Mirror) -> None:
    (file,) = release_of("kubeconform").downloads(LINUX)
    (published,) = file.published
    mirror.files[path_of(published.url)] = f"{'0' * 64}  {file.name}\n".encode()


def changed_file(mirror: Mirror) -> None:
    mirror.files[path_of(url_of("kubeconform"))] += b"!"


def shorter_file(mirror: Mirror) -> None:
    path = path_of(url_of("kubeconform"))
    mirror.files[path] = mirror.files[path][:-1]


@pytest.mark.parametrize("spoil", [wrong_list, changed_file, shorter_file])
def test_a_file_with_a_wrong_checksum_is_thrown_away_loudly(
    machine: Machine, mirror: Mirror, spoil: Callable[[Mirror], None]
) -> None:
    """UX-3, SEC-1: what runs here is what its project published, or is built from vouched sources."""
    spoil(mirror)
    said = built_instead(machine)
    assert "is NOT what it should be" in said
    assert "sha256" in said
    assert not list((machine.cache / "downloads").iterdir())


def test_a_known_checksum_decides_whatever_is_published(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1: a mirror that lies in both files is found out."""
    url = url_of("kubeconform")
    right = hashlib.sha256(mirror.files[path_of(url)]).hexdigest()
    monkeypatch.setattr(transfer, "KNOWN_SUMS", {url: right})
    mirror.publish(release_of("kubeconform"), LINUX, "0.8.0\n#changed")
    assert f"the catalogue says {right}" in built_instead(machine)


def test_where_a_checksum_is_known_the_published_one_is_not_asked_for(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-1."""
    (file,) = release_of("kubeconform").downloads(LINUX)
    monkeypatch.setattr(
        transfer, "KNOWN_SUMS", {file.url: hashlib.sha256(mirror.files[path_of(file.url)]).hexdigest()}
    )
    del mirror.files[path_of(file.published[0].url)]
    assert ensure(["kubeconform"])["kubeconform"].source == "downloaded"


@pytest.mark.parametrize(
    "body", [b"", b"<html>sign in</html>", b"\xff\xfe\x00", b"deadbeef  kubeconform-linux-amd64.tar.gz"]
)
def test_a_file_that_nothing_vouches_for_is_not_even_fetched(
    machine: Machine, mirror: Mirror, body: bytes
) -> None:
    """SEC-1."""
    (file,) = release_of("kubeconform").downloads(LINUX)
    mirror.files[path_of(file.published[0].url)] = body
    assert "no published checksum vouches for it" in built_instead(machine)
    assert not mirror.asked[path_of(file.url)]


@pytest.mark.parametrize("digest", [None, "", "md5:abc", f"sha256:{'A' * 64}", 7])
def test_a_github_asset_without_a_digest_is_not_taken(machine: Machine, mirror: Mirror, digest: Any) -> None:
    """SEC-1."""
    (file,) = release_of("kwok").downloads(LINUX)
    (published,) = file.published
    mirror.files[path_of(published.url)] = json.dumps(
        {"assets": [{"name": file.name, "digest": digest}]}
    ).encode()
    machine.put_go()
    assert ensure(["kwok"])["kwok"].source == "built"


def test_a_program_that_says_another_version_is_not_taken(machine: Machine, mirror: Mirror) -> None:
    """UX-3: of another platform, say."""
    mirror.publish(release_of("etcd"), LINUX, "3.5.0")
    assert "etcd does not run on this machine as version" in built_instead(machine, "etcd")


@pytest.mark.parametrize("member", ["directory", "link", "missing", "not an archive"])
def test_an_archive_that_does_not_hold_the_program_is_not_taken(
    machine: Machine, mirror: Mirror, member: str
) -> None:
    """SEC-1: a link in an archive could lead anywhere."""
    (file,) = release_of("kubeconform").downloads(LINUX)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        entry = tarfile.TarInfo("kubeconform" if member != "missing" else "other")
        entry.type = {"directory": tarfile.DIRTYPE, "link": tarfile.SYMTYPE}.get(member, tarfile.REGTYPE)
        entry.linkname = "/etc/passwd" if member == "link" else ""
        tar.addfile(entry)
    body = b"nonsense" if member == "not an archive" else buffer.getvalue()
    mirror.files[path_of(file.url)] = body
    mirror._vouch(file.published[0], file.name, body)
    assert "does not hold what it should" in built_instead(machine)


def plugin_sums() -> tuple[str, GitHubDigest, SumFile]:
    (file,) = release_of("pulumi-kubernetes").downloads(LINUX)
    digest, sums = file.published
    assert isinstance(digest, GitHubDigest)
    assert isinstance(sums, SumFile)
    return file.url, digest, sums


def test_a_plugin_has_the_version_of_its_sdk(machine: Machine, mirror: Mirror) -> None:
    """CARD-3."""
    tool = ensure(["pulumi-resource-kubernetes"])["pulumi-resource-kubernetes"]
    assert (tool.source, tool.version) == ("downloaded", version("pulumi-kubernetes"))


def test_the_second_checksum_decides_where_the_first_cannot_be_had(machine: Machine, mirror: Mirror) -> None:
    """UX-1: GitHub's API answers a machine sixty times an hour."""
    _, digest, sums = plugin_sums()
    mirror.odd[path_of(digest.url)] = mirrors.status(403)
    assert ensure(["pulumi-resource-kubernetes"])["pulumi-resource-kubernetes"].source == "downloaded"
    assert mirror.asked[path_of(sums.url)] == 1


def test_the_second_checksum_does_not_overrule_the_first(machine: Machine, mirror: Mirror) -> None:
    """SEC-1."""
    url, digest, _ = plugin_sums()
    right = mirror.files[path_of(url)]
    mirror._vouch(digest, url.rpartition("/")[2], right + b"!")
    with pytest.raises(SandboxError) as caught:
        ensure(["pulumi-resource-kubernetes"])
    assert "is NOT what it should be" in caught.value.why


# --- servers that fail


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (mirrors.status(404), "HTTP 404"),
        (mirrors.status(403), "HTTP 403"),
        (mirrors.status(503), "HTTP 503"),
        (mirrors.always_cut(0), "cut off after 0 of"),
        (mirrors.silent(), "no answer in time"),
        (mirrors.silent(after=1_000), "no answer in time"),
        (mirrors.redirect("/nowhere"), "HTTP 404"),
    ],
    ids=["gone", "forbidden", "unavailable", "empty", "silent", "silent in the middle", "leads nowhere"],
)
def test_a_server_that_fails_is_said_and_the_tool_is_built(
    machine: Machine, mirror: Mirror, odd: Misbehaviour, why: str
) -> None:
    """UX-3."""
    mirror.odd[path_of(url_of("kubeconform"))] = odd
    assert why in built_instead(machine)


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


def sources(tools: ToolPaths, expected: set[str]) -> None:
    assert {tool.source for tool in tools.values()} == expected


def test_a_port_where_nobody_listens_and_a_name_nobody_knows_are_said(
    machine: Machine, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UX-3."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", f"http://127.0.0.1:{port}")
    assert "connection refused" in built_instead(machine)
    monkeypatch.setenv("MADEPLOY_DOWNLOADS", "http://mirror.invalid")
    assert "name is not known here" in built_instead(machine, "etcd")


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
    with pytest.raises(SandboxError, match="MADEPLOY_DOWNLOADS") as caught:
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
        fetch_f(mirror, path, probe_seconds=0.003)
        assert path.read_bytes() == BODY
        assert mirror.asked["/f"] <= len(cuts) + 1
        asked_from = [int(stated.removeprefix("bytes=").rstrip("-")) for stated in mirror.ranges]
        if ranges:
            reached = [there + sum(cuts[:count]) for count in range(len(cuts) + 1)]
            assert asked_from == [start for start in reached if start][: len(asked_from)]


def fetch_f(mirror: Mirror, path: Path, **limits: float) -> None:
    file = releases.Download("https://f", (), {"f": ""})
    expected = Sum("sha256", hashlib.sha256(BODY).hexdigest(), "test")
    Transfer(mirror.address, threading.Event(), **limits).fetch(file, expected, path, lambda d, t: None)


@pytest.mark.parametrize("left", [b"of another file", os.urandom(300_000), os.urandom(400_000)])
def test_the_wrong_beginning_of_an_earlier_run_does_not_spoil_this_one(tmp_path: Path, left: bytes) -> None:
    """UX-1."""
    (tmp_path / "f").write_bytes(left)
    with serving(Mirror()) as mirror:
        mirror.files["/f"] = BODY
        fetch_f(mirror, tmp_path / "f", probe_seconds=0.003)
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
