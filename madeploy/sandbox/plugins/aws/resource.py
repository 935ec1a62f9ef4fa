"""What a resource type is to this plugin: its inputs, and how it is made, read, changed and deleted.

Names of tokens and properties are those of the pulumi-aws 7 SDK.
"""

from __future__ import annotations

import json
import secrets
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from madeploy.sandbox.plugins.properties import UNKNOWN, Properties

AUTONAME_DIGITS = 7


@dataclass
class Session:
    """A connection to the AWS emulation.

    Args:
        endpoint: its base URL.
        region: the provider's region.
        access_key, secret_key, token: credentials, which the emulation does not check.
        path_style: whether buckets are addressed by path.
        default_tags: tags that every resource gets.
    """

    endpoint: str
    region: str
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    path_style: bool = True
    default_tags: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._clients: dict[tuple[str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client of `service`, made on first use."""
        # The import takes longer than starting the rest of the plugin.
        import boto3
        from botocore.config import Config

        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = boto3.client(
                    service,
                    region_name=key[1],
                    endpoint_url=self.endpoint,
                    aws_access_key_id=self.access_key,
                    aws_secret_access_key=self.secret_key,
                    aws_session_token=self.token,
                    config=Config(
                        connect_timeout=5,
                        read_timeout=30,
                        retries={"mode": "standard", "max_attempts": 3},
                        max_pool_connections=32,
                        s3={"addressing_style": "path" if self.path_style else "virtual"},
                    ),
                )
            return self._clients[key]


class ResourceType(ABC):
    """One resource type. Outputs hold the inputs and what AWS adds."""

    token: ClassVar[str]
    required: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    replaces: ClassVar[frozenset[str]] = frozenset()
    """Inputs that cannot be changed in place."""
    computed: ClassVar[tuple[str, ...]] = ()
    """Outputs that only the real run will tell."""
    documents: ClassVar[frozenset[str]] = frozenset()
    """Inputs that are JSON documents: compared by their meaning."""
    named_by: ClassVar[str | None] = None
    """The input that gets a name where it is missing."""
    taggable: ClassVar[bool] = False

    @property
    def inputs(self) -> frozenset[str]:
        """Every input the type takes."""
        return frozenset((*self.required, *self.optional, *(("tags", "tagsAll") if self.taggable else ())))

    def checked(self, inputs: Properties, session: Session | None) -> Properties:
        """`inputs` with what the provider adds: here the tags that all resources carry."""
        if not self.taggable:
            return inputs
        tags = inputs.get("tags") or {}
        if tags is UNKNOWN or session is None:
            return {**inputs, "tagsAll": UNKNOWN}
        merged = {**session.default_tags, **tags}
        return {**inputs, "tagsAll": merged} if merged else inputs

    @abstractmethod
    def create(self, session: Session, inputs: Properties) -> tuple[str, Properties]:
        """Make it; its id and outputs."""

    @abstractmethod
    def read(self, session: Session, id: str, known: Properties) -> Properties | None:
        """Its outputs as AWS has them now, or `None` where it is gone. `known` are the last known outputs."""

    @abstractmethod
    def update(self, session: Session, id: str, known: Properties, inputs: Properties) -> Properties:
        """Change it in place; its new outputs."""

    @abstractmethod
    def delete(self, session: Session, id: str, known: Properties) -> None:
        """Delete it; nothing happens where it is gone."""


def code_of(error: Exception) -> str:
    """AWS' error code ("NoSuchBucket"), or the empty string for other errors."""
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Tags as most APIs take them."""
    return [{"Key": key, "Value": str(value)} for key, value in (tags or {}).items()]


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """The inverse of `tag_list`."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}


def own_tags(everything: Mapping[str, str], known: Properties, session: Session) -> dict[str, Any]:
    """`tags` and `tagsAll` of a resource that carries `everything`: default tags are not its own."""
    stated = known.get("tags") or {}
    own = {
        key: value
        for key, value in everything.items()
        if key in stated or session.default_tags.get(key) != value
    }
    return {"tags": own or None, "tagsAll": dict(everything)}


def retag(inputs: Properties, known: Properties, tag: Any, untag: Any, **target: str) -> None:
    """Bring the tags of the resource that `target` names from those in `known` to those in `inputs`, by its
    service's calls `tag` and `untag`."""
    before, after = known.get("tagsAll") or {}, inputs.get("tagsAll") or {}
    if gone := sorted(before.keys() - after.keys()):
        untag(**target, TagKeys=gone)
    if changed := {key: value for key, value in after.items() if before.get(key) != value}:
        tag(**target, Tags=tag_list(changed))


def document(value: Any) -> str:
    """A JSON document as a compact string, whatever form it comes in."""
    return json.dumps(json.loads(value) if isinstance(value, str) else value, separators=(",", ":"))


def same_document(one: Any, other: Any) -> bool:
    """Whether two JSON documents mean the same."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (TypeError, ValueError):
        return bool(one == other)


def random_suffix() -> str:
    """The end of an automatic name, as pulumi-aws makes it."""
    return secrets.token_hex(4)[:AUTONAME_DIGITS]
