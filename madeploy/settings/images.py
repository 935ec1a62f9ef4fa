"""`michelangelo:images`: where the platform's images come from, and their common version."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, DnsSubdomain, Section

Tag = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128),
    Accepts("a tag without repository or colon", "0.12.0"),
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
    """One service's image: a tag, a digest, or both (the digest then decides)."""

    repository: Repository | None = None
    """Full repository without tag, in place of `<registry>/<service>`."""

    tag: Tag | None = None
    """Tag, such as `0.12.0`."""

    digest: Digest | None = None
    """Digest, `sha256:` and 64 hexadecimal digits."""


MovedImage = Annotated[Image | None, Field(json_schema_extra={"deprecated": True})]
"""An image at the place where it was said before it stood at its service."""


class Images(Section):
    """Registry, version and pull settings of the images the control plane runs; what differs for one service
    is in `controlPlane.<service>.image`."""

    registry: Repository = "ghcr.io/michelangelo-ai"
    """Registry and path the platform's own images are pulled from."""

    tag: Tag | None = Field(default=None, examples=["0.12.0"])
    """Tag of the platform's images where a service names none. The project publishes each release under its
    version, `0.12.0`, besides `main`, which is floating, and `sha-<7 hex digits>`."""

    apiserver: MovedImage = None
    """Older place of `controlPlane.apiserver.image`."""

    controllermgr: MovedImage = None
    """Older place of `controlPlane.controllermgr.image`."""

    worker: MovedImage = None
    """Older place of `controlPlane.worker.image`."""

    ui: MovedImage = None
    """Older place of `controlPlane.ui.image`."""

    envoy: MovedImage = None
    """Older place of `controlPlane.envoy.image`."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the kubelet pulls. Default `IfNotPresent`, right for pinned images."""

    pull_secrets: tuple[DnsSubdomain, ...] = ()
    """Names of existing Secrets of type `kubernetes.io/dockerconfigjson` in the control plane's
    namespace. Default: none."""

    def moved(self) -> dict[str, Image]:
        """Images that are said at their older place, by service."""
        return {name: value for name, value in self if isinstance(value, Image)}
