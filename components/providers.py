"""Explicit providers: one per cluster, one for AWS. Default providers are never used: they would work on
whatever cluster or account the machine happens to point at."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.configuration import Access
from madeploy.names.aws import toolkit_tags
from madeploy.settings.storage import AwsStorage, IgnoredTags


def kubernetes(cluster: str, access: Access, former_parent: pulumi.Resource | None = None) -> k8s.Provider:
    """Provider of one cluster.

    It has no parent: in an update that leaves its component out (`--target`, `--exclude`) the engine makes it
    all the same, and a provider below something that is not there damages the state (pulumi#12621).
    `former_parent` is the component it was below in earlier versions of this program.

    The identifier keeps edited credentials from replacing everything; mutable Secrets and ConfigMaps
    make a rotation an update instead of a delete and a create; an unreachable cluster is skipped only
    when the operator says so for that run (`PULUMI_K8S_SKIP_UPDATE_UNREACHABLE`).
    """
    return k8s.Provider(
        f"k8s-{cluster}",
        kubeconfig=access.kubeconfig,
        cluster_identifier=cluster,
        enable_server_side_apply=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        # The plugin's own throttle (50 a second, bursts of 120) is what large updates wait for.
        kube_client_settings=k8s.KubeClientSettingsArgs(qps=200, burst=400),
        opts=pulumi.ResourceOptions(
            aliases=[pulumi.Alias(parent=former_parent)] if former_parent is not None else None
        ),
    )


def amazon(
    storage: AwsStorage, stack: str, account: str | None, opts: pulumi.ResourceOptions
) -> aws.Provider:
    """Provider of the storage's region. Credentials and endpoints come from the AWS environment; where the
    account is known, credentials of another one are refused before anything is made."""
    return aws.Provider(
        "aws",
        region=storage.region,
        s3_use_path_style=storage.path_style,
        allowed_account_ids=[account] if account is not None else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags={**toolkit_tags(stack), **storage.tags}),
        ignore_tags=_ignored(storage.ignore_tags),
        opts=opts,
    )


def _ignored(tags: IgnoredTags) -> aws.ProviderIgnoreTagsArgs | None:
    if tags == IgnoredTags():
        return None
    return aws.ProviderIgnoreTagsArgs(keys=list(tags.keys), key_prefixes=list(tags.key_prefixes))
