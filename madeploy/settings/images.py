"""`michelangelo:images`: the one place image versions are pinned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, DnsSubdomain, Section

Tag = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128),
    Accepts("a tag without repository or colon", "sha-cbf5720"),
]
Digest = Annotated[
    str,
    Field(pattern=r"^sha256:[0-9a-f]{64}$"),
    Accepts("sha256: and 64 lower-case hexadecimal digits", f"sha256:{'0' * 64}"),
]
Repository = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]([a-z0-9._-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*$",
        max_length=255,
    ),
    Accepts(
        "host[:port]/path in lower case, without scheme, tag or digest", "registry.example.com/michelangelo"
    ),
]


class Image(Section):
    """One component's image: a tag, a digest, or both (the digest then decides)."""

    repository: Repository | None = None
    """Full repository without tag, in place of `<registry>/<component>`."""

    tag: Tag | None = None
    """Tag, such as `sha-cbf5720`."""

    digest: Digest | None = None
    """Digest, `sha256:` and 64 hexadecimal digits."""


class Images(Section):
    """Registry, versions and pull settings of every image the control plane runs."""

    registry: Repository = "ghcr.io/michelangelo-ai"
    """Registry and path the platform's own images are pulled from."""

    tag: Tag | None = Field(default=None, examples=["sha-cbf5720"])
    """Tag of the platform's images where a component names none. The project publishes `main`
    (floating) and `sha-<7 hex digits>` (facts 1.1)."""

    apiserver: Image = Image()
    """API server."""

    controllermgr: Image = Image()
    """Controller manager."""

    worker: Image = Image()
    """Worker."""

    ui: Image = Image()
    """Browser application."""

    envoy: Image = Image(repository="envoyproxy/envoy", tag="v1.40.0")
    """Envoy, from its own project. Default `envoyproxy/envoy:v1.40.0`, the version the generated
    configuration is tested with."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the kubelet pulls. Default `IfNotPresent`, right for pinned images."""

    pull_secrets: tuple[DnsSubdomain, ...] = ()
    """Names of existing Secrets of type `kubernetes.io/dockerconfigjson` in the control plane's
    namespace. Default: none."""
