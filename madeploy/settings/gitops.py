"""`michelangelo:gitops`: the environment as files, for an engine that applies them from a repository."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from madeploy.settings.base import Accepts, DnsSubdomain, Name, Section
from madeploy.settings.images import Image

RelativePath = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$", max_length=200),
    Accepts("a relative path of plain names, no `..`, no slash first or last", "environments/production"),
]
"""A path below the root of a repository."""

RepositoryUrl = Annotated[
    str,
    Field(
        pattern=r"^(https|ssh)://([A-Za-z0-9_-]+@)?[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s:@?#]+)+$",
        max_length=500,
    ),
    Accepts(
        "https:// or ssh:// with a path and no password",
        "https://git.example.com/platform/environments.git",
    ),
]
"""URL of a repository; credentials belong to the engine that reads it."""

RemoteKey = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", max_length=200),
    Accepts("letters, digits, `_`, `.`, `-`, parts joined by slashes", "michelangelo/production"),
]
"""Beginning of names in a secret store."""

BackendUrl = Annotated[
    str,
    Field(pattern=r"^(https|s3|gs|azblob)://[A-Za-z0-9][^\s@#]*$", max_length=500),
    Accepts("https://, s3://, gs:// or azblob:// without a password", "s3://example-pulumi-state"),
]
"""Address of a Pulumi backend; credentials for it are in the environment of whoever uses it."""

SecretsProvider = Annotated[
    str,
    Field(
        pattern=r"^(passphrase|default|(awskms|azurekeyvault|gcpkms|hashivault)://[^\s@]+)$", max_length=500
    ),
    Accepts(
        "passphrase, default, or awskms://, azurekeyvault://, gcpkms:// or hashivault:// and a key",
        "awskms://alias/pulumi?region=eu-west-1",
    ),
]
"""What encrypts a stack's secrets, in the words of `pulumi stack init --secrets-provider`."""

Interval = Annotated[
    str,
    Field(pattern=r"^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", min_length=2, max_length=20),
    Accepts("hours, minutes and seconds", "1h30m"),
]
"""A duration as Go writes it."""


class NamedSecrets(Section):
    """The tree holds no reference: Secrets are made by whoever runs the clusters."""

    kind: Literal["names"]
    """Chooses a list of names, in `SECRETS.md` of the tree."""


class ExternalSecrets(Section):
    """ExternalSecret objects (External Secrets Operator, `external-secrets.io/v1`)."""

    kind: Literal["externalSecrets"]
    """Chooses the External Secrets Operator."""

    store: DnsSubdomain
    """Existing store on the control plane's cluster that the values are read from."""

    store_kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """Kind of `store` and `computeStore`. Default ClusterSecretStore."""

    compute_store: DnsSubdomain | None = None
    """Existing store on each compute cluster. With it the operator there writes each registration's token
    and authority to the store (PushSecret) and reads the tasks' keys. Default: none, both are put by hand."""

    key_prefix: RemoteKey | None = None
    """Beginning of every name in the store. Default `michelangelo/<stack>`."""

    refresh_interval: Interval = "1h"
    """How often values are read again. Default `1h`."""


class SealedSecrets(Section):
    """SealedSecret objects, encrypted by `kubeseal` with the cluster's own key, in files put by hand."""

    kind: Literal["sealedSecrets"]
    """Chooses Sealed Secrets."""


class SopsSecrets(Section):
    """Secrets encrypted by SOPS, in files put by hand. Flux decrypts them itself, Argo CD by a plugin."""

    kind: Literal["sops"]
    """Chooses SOPS."""


SecretReferences = Annotated[
    NamedSecrets | ExternalSecrets | SealedSecrets | SopsSecrets, Field(discriminator="kind")
]


class PulumiOperator(Section):
    """What Stack objects of the Pulumi Kubernetes Operator say of the engine that runs in its workspaces
    (`pulumi.com/v1`)."""

    backend: BackendUrl | None = None
    """Backend of the stacks. Default: Pulumi Cloud."""

    organization: DnsSubdomain | None = None
    """Organization of the stacks in Pulumi Cloud. Default: that of the access token."""

    environment_secret: DnsSubdomain = "michelangelo-pulumi"
    """Existing Secret beside the Stack objects whose keys are variables of the engine: the passphrase
    (`PULUMI_CONFIG_PASSPHRASE`) or access token (`PULUMI_ACCESS_TOKEN`), credentials of backend and cloud.
    Default `michelangelo-pulumi`."""

    secrets_provider: SecretsProvider | None = None
    """What new stacks are encrypted with: the same as the environment's own. Default: the passphrase, or
    Pulumi Cloud."""

    image: Image = Image(repository="docker.io/pulumi/pulumi", tag="3.250.0-nonroot")
    """Image of the workspaces, with the Pulumi CLI and Python. Default `docker.io/pulumi/pulumi` in the
    version of the CLI that this project is tested with."""

    service_account: DnsSubdomain = "michelangelo-pulumi"
    """ServiceAccount of the workspaces' pods, made with the Stack objects. Default `michelangelo-pulumi`."""


class Gitops(Section):
    """How rendered files refer to secrets, and where a GitOps engine finds them."""

    secrets: SecretReferences = NamedSecrets(kind="names")
    """How Secrets are referred to. Values are never rendered."""

    repository: RepositoryUrl | None = None
    """URL of the repository the files are committed to. Needed for Argo CD and Flux; for the Pulumi operator
    it is the one with this program and its stack files."""

    repository_secret: DnsSubdomain | None = None
    """Existing Secret in Flux's namespace, or beside the Stack objects, with credentials for the repository;
    Argo CD keeps its own. Default: none."""

    revision: Name = "main"
    """Branch that is followed; for Argo CD and the Pulumi operator also a tag or a commit. Default `main`."""

    path: RelativePath | None = None
    """Folder of the files in that repository; for the Pulumi operator that of `Pulumi.yaml`. Default: its
    root."""

    namespace: DnsSubdomain | None = None
    """Namespace of the engine's own objects. Default `argocd`, `flux-system` or
    `pulumi-kubernetes-operator`."""

    project: Name = "default"
    """Argo CD project of the Applications. Default `default`."""

    control_plane_cluster: Name = "in-cluster"
    """Name by which Argo CD knows the control plane's cluster. Default `in-cluster`, its own. Compute
    clusters are known by their names here."""

    pulumi_operator: PulumiOperator = PulumiOperator()
    """What the Pulumi Kubernetes Operator has to know to run the stacks."""
