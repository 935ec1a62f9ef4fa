"""Resources that policies are evaluated on: a stack's, or those of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from madeploy.findings import Finding, Location, find
from madeploy.policy import files
from madeploy.policy.files import Reading
from madeploy.releases import DEFAULT, ReleaseName
from madeploy.rules.controls import of_policies
from madeploy.settings import Environment
from madeploy.settings.policies import Suppression as SuppressionSetting
from madeploy.settings.storage import AwsStorage
from madeploy.stackfile.loader import label
from manifests import catalog, identities
from manifests.bucket_documents import bucket_policy
from manifests.iam_documents import access_policy, trust_policy
from policies.rules.model import Path as ValuePath
from policies.rules.model import Resource, type_token
from policies.rules.suppressions import Suppression, day

_SUPPRESSION_KEYS: Final = ("rule", "object", "reason", "expires")


@dataclass
class Source:
    """Resources of one stack, or of some files, judged together."""

    subject: str
    """The stack file or the paths, for the summary."""

    resources: list[Resource]
    reading: Reading | None = None
    """Places of resources that came from files."""

    suppressions: tuple[Suppression, ...] = ()

    controls: Mapping[str, str] = field(default_factory=dict)
    """Controls of the stack's frameworks that a violation breaks, by the policy's code."""

    def place(self, resource: Resource, path: ValuePath) -> Location | None:
        """Where a value stands: in its file, or in the stack file as a whole."""
        return Location(self.subject) if self.reading is None else self.reading.place(resource, path)


def of_stack(name: str, path: Path, environment: Environment) -> Source:
    """Everything settings determine: every cluster's objects, and the AWS documents."""
    release = environment.platform.release
    resources = [
        Resource(type_token(obj["apiVersion"], obj["kind"]), obj, cluster=cluster, release=release)
        for cluster, obj in catalog.placed(environment)
    ]
    resources += _aws(environment)
    file = label(path)
    given = tuple(_from_setting(item, file) for item in environment.policies.suppressions)
    return Source(file, resources, suppressions=given, controls=of_policies(environment))


def _aws(environment: Environment) -> Iterator[Resource]:
    """Policy documents of buckets and roles; the buckets' other settings are the engine's resources."""
    storage = environment.storage
    if not isinstance(storage, AwsStorage):
        return
    buckets = storage.buckets.model_dump(exclude_none=True)
    for purpose, bucket in buckets.items():
        document = {"bucket": bucket, "policy": bucket_policy(storage.region, bucket)}
        yield Resource("aws:s3/bucketPolicy:BucketPolicy", document, name=purpose)
    for subject in identities.subjects(environment):
        trusted = trust_policy(subject, storage.region)
        yield Resource("aws:iam/role:Role", {"assumeRolePolicy": trusted}, name=subject.identity)
        rights = access_policy(storage, subject, storage.kms_key_arn)
        yield Resource("aws:iam/rolePolicy:RolePolicy", {"policy": rights}, name=subject.identity)


def of_files(paths: list[Path], release: ReleaseName = DEFAULT) -> tuple[Source, list[Finding]]:
    """Everything in these files and folders, for a release of the platform, and what is to be said about
    reading them."""
    reading = files.read(paths, release)
    subject = " ".join(str(path) for path in paths)
    findings = list(reading.findings)
    if not reading.resources and not findings:
        evidence = f"{reading.files} files hold no Kubernetes object and no policy document"
        findings.append(find("MA382", subject, evidence))
    return Source(subject, reading.resources, reading), findings


def _from_setting(item: SuppressionSetting, file: str) -> Suppression:
    return Suppression(item.rule, item.object, item.reason, day(item.expires), file)


def suppressions_of(path: Path) -> tuple[tuple[Suppression, ...], list[Finding]]:
    """Suppressions of a file of their own: `suppressions:` with a list, as in a stack file."""
    reading = files.read_data(path)
    if isinstance(reading, Finding):
        return (), [reading]
    data, file = reading, str(path)
    items = data.get("suppressions") if isinstance(data, Mapping) else None
    if not isinstance(items, list):
        return (), [find("MA385", file, "the file has no list `suppressions`", location=Location(file))]
    read: list[Suppression] = []
    findings: list[Finding] = []
    for number, item in enumerate(items, 1):
        wrong = _wrong(item)
        if wrong:
            findings.append(find("MA385", f"{file}: entry {number}", wrong, location=Location(file)))
        else:
            read.append(_from_setting(SuppressionSetting.model_validate(item), file))
    return tuple(read), findings


def _wrong(item: Any) -> str:
    """What is wrong with an entry, as a sentence; empty when nothing is."""
    if not isinstance(item, Mapping):
        return "is no mapping"
    for key in _SUPPRESSION_KEYS:
        if not isinstance(item.get(key), str):
            return f"has no text under {key}"
    unknown = sorted(set(item) - set(_SUPPRESSION_KEYS))
    if unknown:
        return f"has the unknown key {unknown[0]}"
    try:
        SuppressionSetting.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{first['loc'][-1]} is not of the accepted form"
    return ""
