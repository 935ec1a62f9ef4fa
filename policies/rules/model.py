"""Rules, the resources they are evaluated on, and violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

Severity = Literal["error", "warning", "info"]
Tier = Literal["development", "staging", "production"]
Origin = Literal["settings", "file", "engine"]
Path = tuple[str | int, ...]
"""Keys and list positions from the top of a resource's properties."""


class Severities(NamedTuple):
    """How much a rule weighs in each tier of environment; None where it says nothing."""

    development: Severity | None
    staging: Severity | None
    production: Severity | None


ALWAYS: Final = Severities("error", "error", "error")
"""Wrong in every environment: it does not work, or it opens what nothing closes again."""

STRICT: Final = Severities("warning", "error", "error")
"""To be known in development, refused elsewhere."""

SERVICE: Final = Severities(None, "warning", "error")
"""What only matters where people depend on the service."""

ADVICE: Final = Severities(None, "warning", "warning")
"""Good practice that an operator may have reasons against."""


@dataclass(frozen=True)
class Resource:
    """One Kubernetes object or AWS resource, wherever it was read."""

    token: str
    """Pulumi's type token, such as `kubernetes:apps/v1:Deployment`."""

    properties: Mapping[str, Any]
    """As the API or the provider takes them, in its own spelling. May be anything: it may come from a
    file somebody wrote by hand."""

    cluster: str = ""
    """Which cluster it goes to; resources of one cluster are judged together."""

    origin: Origin = "settings"
    name: str = ""
    """Name in messages of what has no `metadata.name`."""

    identity: str = ""
    """What other resources of the same run call it: the engine's URN."""

    depends_on: frozenset[str] = field(default=frozenset())
    """Identities of resources it was made from."""

    release: str = ""
    """Release of the platform it is for; empty where that is not known, and any release's will do."""

    @cached_property
    def kind(self) -> str:
        """`group/Kind` without the version, `core` for the group without a name; the token for others."""
        return kind_of(self.token)

    @property
    def metadata(self) -> Mapping[str, Any]:
        return mapping(self.properties.get("metadata"))

    @property
    def spec(self) -> Mapping[str, Any]:
        return mapping(self.properties.get("spec"))

    @property
    def namespace(self) -> str | None:
        namespace = self.metadata.get("namespace")
        return namespace if isinstance(namespace, str) else None

    @cached_property
    def subject(self) -> str:
        """`Kind/namespace/name`, without the namespace where there is none; what suppressions name."""
        if not self.token.startswith("kubernetes:"):
            return f"{self.token.rpartition(':')[2]}/{self.name}"
        name = self.metadata.get("name") or f"{self.metadata.get('generateName', '')}*"
        parts = (self.kind.rpartition("/")[2], self.namespace, str(name))
        return "/".join(part for part in parts if part)


def type_token(api_version: str, kind: str) -> str:
    """Pulumi's type token of a Kubernetes kind (pulumi-kubernetes schema)."""
    group_version = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{group_version}:{kind}"


def kind_of(token: str) -> str:
    """`Resource.kind` of a type token."""
    provider, _, rest = token.partition(":")
    if provider != "kubernetes":
        return token
    group_version, _, kind = rest.rpartition(":")
    return f"{group_version.rpartition('/')[0]}/{kind}"


class Violation(NamedTuple):
    """One thing wrong in one resource. Texts never hold a value that may be a secret."""

    path: Path
    """Where; empty for the whole resource."""

    evidence: str
    """What was seen, as a sentence without its full stop."""

    fix: str = ""
    """What to do, where the rule's own advice is not enough."""


EVERY_KIND: Final = "*"
"""Among a rule's kinds it stands for every Kubernetes kind."""

Check = Callable[[Resource], Iterator[Violation]]
SetCheck = Callable[[Sequence[Resource]], Iterator[tuple[Resource, Violation]]]


@dataclass(frozen=True)
class Rule:
    """One rule: what it demands, why, what to do, how much it weighs, and the check."""

    code: str
    """Identifier of its findings, for good."""

    name: str
    """Identifier for people, for good: suppressions name it."""

    title: str
    """One line, true of every violation."""

    why: str
    fix: str
    severities: Severities
    kinds: frozenset[str]
    """`Resource.kind` of what it looks at."""

    check: Check | None = None
    check_set: SetCheck | None = None
    """Instead of `check`: for what shows only when resources of one cluster are seen together."""

    origins: frozenset[Origin] = frozenset({"settings", "file", "engine"})
    """Where it applies."""

    def looks_at(self, token: str) -> bool:
        """Whether it has anything to say about resources of a type."""
        if EVERY_KIND in self.kinds:
            return token.startswith("kubernetes:")
        return kind_of(token) in self.kinds

    @property
    def area(self) -> str:
        """What it is about, by its code."""
        number = int(self.code[2:])
        return next(area for start, area in reversed(AREAS) if number >= start)

    @property
    def demand(self) -> str:
        """Its name as words."""
        return self.name.replace("-", " ")


AREAS: Final = (
    (510, "pods"),
    (530, "Kubernetes rights"),
    (540, "network"),
    (550, "IAM"),
    (560, "buckets"),
    (570, "secrets"),
    (575, "reliability"),
    (585, "platform"),
)
"""First number of each area's codes."""


def rule(
    code: str,
    name: str,
    *,
    title: str,
    why: str,
    fix: str,
    severities: Severities,
    kinds: Iterable[str],
    origins: Iterable[Origin] = ("settings", "file", "engine"),
) -> Callable[[Check], Rule]:
    """Make a rule of a function that looks at one resource of these kinds."""

    def made(check: Check) -> Rule:
        return Rule(
            code, name, title, why, fix, severities, frozenset(kinds), check, None, frozenset(origins)
        )

    return made


def set_rule(
    code: str, name: str, *, title: str, why: str, fix: str, severities: Severities, kinds: Iterable[str]
) -> Callable[[SetCheck], Rule]:
    """Make a rule of a function that looks at all resources of these kinds in one cluster together."""

    def made(check: SetCheck) -> Rule:
        return Rule(code, name, title, why, fix, severities, frozenset(kinds), None, check)

    return made


def mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is a mapping, else an empty one: other shapes are for schema checks to refuse."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> Sequence[Any]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) else ()


def mappings(value: Any, path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """The mappings of a list, each with its path."""
    for index, item in enumerate(sequence(value)):
        if isinstance(item, Mapping):
            yield item, (*path, index)


def plain_numbers(value: Any) -> Any:
    """Data with whole numbers as such: the engine sends every number as a floating-point one."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain_numbers(inner) for inner in value]
    return value


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list, or the one text where a single one is allowed too."""
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in sequence(value) if isinstance(item, str))
