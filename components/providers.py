"""Explicit providers: one per cluster, one for AWS. Default providers are never used (decision 7)."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.configuration import Access
from madeploy.settings.storage import AwsStorage


def kubernetes(cluster: str, access: Access, opts: pulumi.ResourceOptions) -> k8s.Provider:
    """Provider of one cluster.

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
        opts=opts,
    )


def amazon(storage: AwsStorage, stack: str, opts: pulumi.ResourceOptions) -> aws.Provider:
    """Provider of the storage's region. Credentials and endpoints come from the AWS environment."""
    return aws.Provider(
        "aws",
        region=storage.region,
        s3_use_path_style=storage.path_style,
        default_tags=aws.ProviderDefaultTagsArgs(
            tags={"michelangelo:environment": stack, "michelangelo:managed-by": "madeploy", **storage.tags}
        ),
        opts=opts,
    )
