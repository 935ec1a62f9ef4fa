"""Downloads: what is taken, what never is, and what happens instead."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import TESTED_TOOLS, ensure, releases, transfer
from madeploy.sandbox.tools.releases import GitHubDigest, Platform, SumFile, this_platform
from tests.sandbox_tools import mirror as mirrors
from tests.sandbox_tools.conftest import Machine
from tests.sandbox_tools.downloads import LINUX, PLATFORMS, built_instead, release_of, url_of
from tests.sandbox_tools.mirror import Mirror, path_of
from tests.support.proves import proves

pytestmark = pytest.mark.whole


@proves("UX-7", played="the projects' servers")
def test_everything_is_downloaded_without_go(machine: Machine, mirror: Mirror) -> None:
    """UX-1."""
    tools = ensure(TESTED_TOOLS)
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
