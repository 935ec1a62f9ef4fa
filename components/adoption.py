"""Taking over a registration made by hand: its objects are imported as they are, not made again."""

from __future__ import annotations

from typing import Final

import pulumi

from madeploy.names.kubernetes import (
    CLUSTERS_NAMESPACE,
    CREDENTIALS_NAMESPACE,
    RAY_MANAGER,
    RAY_MANAGER_BINDING,
    RAY_MANAGER_TOKEN,
    RAY_NAMESPACE,
    TASK_CONFIG,
    TASK_CREDENTIALS,
    cluster_ca_secret,
    cluster_token_secret,
)
from madeploy.settings.cluster_origins import Adopted, KeptPart

_METADATA: Final = ("metadata.labels", "metadata.annotations", "metadata.finalizers")
"""Left as they are on everything: on a `Cluster` any change of them would end the reporting of its health
(V7), and elsewhere they are nobody's concern."""

_OWN_CONTENTS: Final[frozenset[KeptPart]] = frozenset({"rights", "taskConfig", "taskCredentials"})
"""Parts that hold what nobody but their author knows. None of them registers anything by itself."""


def _objects(name: str) -> dict[tuple[str, str | None, str], tuple[KeptPart | None, tuple[str, ...]]]:
    """Objects the registration guide makes for cluster `name`: kind, namespace and name; the part each is;
    and its fields that stay as they are in any case, or, where it is a part, if that part is kept."""
    return {
        ("ServiceAccount", RAY_NAMESPACE, RAY_MANAGER): (
            None,
            ("automountServiceAccountToken", "secrets", "imagePullSecrets"),
        ),
        ("ClusterRole", None, RAY_MANAGER): ("rights", ("rules",)),
        ("ClusterRoleBinding", None, RAY_MANAGER_BINDING): ("binding", ("subjects", "roleRef")),
        ("ConfigMap", RAY_NAMESPACE, TASK_CONFIG): ("taskConfig", ("data",)),
        ("Secret", RAY_NAMESPACE, TASK_CREDENTIALS): ("taskCredentials", ("data", "type")),
        # Kubernetes writes what is in it.
        ("Secret", RAY_NAMESPACE, RAY_MANAGER_TOKEN): (None, ("data",)),
        ("Secret", CREDENTIALS_NAMESPACE, cluster_ca_secret(name)): ("authority", ("data", "type")),
        ("Secret", CREDENTIALS_NAMESPACE, cluster_token_secret(name)): (None, ("type",)),
        ("Cluster", CLUSTERS_NAMESPACE, name): ("registration", ("spec",)),
    }


def taking_over(name: str, adopted: Adopted | None, opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Options with which the objects of cluster `name` are imported where the guide made them; of any other
    cluster only the `Cluster`'s metadata are left alone.

    An object that is in the state already is not imported again. Whatever the guide does not make, such as
    the Secret of a later credential, is made as usual. Contents that were kept as they were found cannot be
    made again from the settings, so they stay on the cluster when its entry goes.
    """
    known = _objects(name)

    def take_over(
        args: pulumi.ResourceTransformationArgs,
    ) -> pulumi.ResourceTransformationResult | None:
        metadata = args.props.get("metadata")
        if not isinstance(metadata, dict):
            return None
        identity = (args.type_.rpartition(":")[2], metadata.get("namespace"), metadata.get("name"))
        if identity not in known or (adopted is None and identity[0] != "Cluster"):
            return None
        if adopted is None:
            # So too when a registration is no longer called adopted.
            own = pulumi.ResourceOptions(ignore_changes=[*_METADATA])
            return pulumi.ResourceTransformationResult(
                args.props, pulumi.ResourceOptions.merge(args.opts, own)
            )
        part, fields = known[identity]
        stays = part is None or part in adopted.keep
        own = pulumi.ResourceOptions(
            import_="/".join(step for step in identity[1:] if step),
            ignore_changes=[*_METADATA, *(fields if stays else ())],
            retain_on_delete=True if part in _OWN_CONTENTS and stays else None,
        )
        return pulumi.ResourceTransformationResult(args.props, pulumi.ResourceOptions.merge(args.opts, own))

    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(transformations=[take_over]))
