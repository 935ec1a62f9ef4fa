"""What has to hold before a stack is deployed: the table of checks that `doctor` makes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from madeploy.doctor import (
    admission,
    aws_quotas,
    definitions,
    engine,
    external_secrets,
    front_door,
    images,
    owners,
    provided,
    quotas,
    reach,
    rights,
    storage,
    workflow_engine,
)
from madeploy.doctor.checks import Check, Seen
from madeploy.doctor.site import Site
from madeploy.settings import CONTROL_PLANE
from madeploy.stackfile.loader import label, load_environment
from madeploy.stacks.object_store import Keys
from manifests.catalog import placed
from manifests.proof import prove_all


def checks_before(site: Site, file: Path, keys: Keys) -> Iterator[Check]:
    """Every check, in the order of the report. `file` is the stack file, `keys` reads the static keys of its
    object store."""
    yield Check("settings", "the stack file, and that its objects fit together", partial(settings, file))
    yield Check("pulumi", "the Pulumi CLI", engine.cli)
    yield Check("plugins", "plugins of Pulumi's providers", partial(engine.plugins, site))
    yield Check("backend", "Pulumi's login and the stack's state", partial(engine.backend, site))
    yield Check("secrets", "whether the stack's secrets can be decrypted", partial(engine.secrets, site))
    for cluster in site.objects:
        yield from checks_of_cluster(site, cluster)
    yield Check("definitions", "kinds that others define", partial(definitions.definitions, site))
    yield Check("controllers", "controllers others run", partial(definitions.running_controllers, site))
    yield Check("class", "the class of the front door", partial(front_door.door_class, site))
    yield Check("dns", "both domains", partial(front_door.domains, site))
    yield Check("others", "objects that others make", partial(provided.others_objects, site))
    yield Check("pull-secrets", "logins to image registries", partial(images.pull_secrets, site))
    yield Check("images", "images in their registries", partial(images.images, site))
    yield Check("admission", "whether pods would be admitted", partial(admission.admission, site))
    yield Check("quotas", "room in the namespaces", partial(quotas.quotas, site))
    yield Check("store", "the object store", partial(storage.object_store, site, keys))
    yield Check("aws", "the AWS account", partial(storage.aws_account, site))
    yield Check("aws-rights", "the deployer's rights on AWS", partial(storage.aws_rights, site))
    yield Check("aws-quotas", "room in the AWS account", partial(aws_quotas.aws_quotas, site))
    yield Check("workflow", "the workflow engine", partial(workflow_engine.workflow_engine, site))


def checks_of_cluster(site: Site, cluster: str) -> Iterator[Check]:
    """What is asked of each cluster, so that one that does not answer has findings of its own only."""
    yield Check(f"reach/{cluster}", "API server, login and version", partial(reach.reach, site, cluster))
    yield Check(f"rights/{cluster}", "rights the update needs", partial(rights.rights, site, cluster))
    yield Check(f"names/{cluster}", "names of the objects", partial(owners.names, site, cluster))
    yield Check(
        f"policies/{cluster}", "NetworkPolicies of others", partial(admission.shut_off, site, cluster)
    )
    yield Check(
        f"secret-stores/{cluster}", "stores of secrets", partial(external_secrets.stores, site, cluster)
    )
    if cluster != CONTROL_PLANE:
        yield Check(f"kuberay/{cluster}", "KubeRay", partial(definitions.kuberay, site, cluster))
        if site.environment.clusters[cluster].queues is not None:
            yield Check(f"kueue/{cluster}", "Kueue", partial(definitions.kueue, site, cluster))


def settings(file: Path) -> Seen:
    """What `validate` says of the stack file and its objects."""
    loaded = load_environment(file, label(file))
    proof = [] if loaded.environment is None else prove_all(placed(loaded.environment), loaded.environment)
    return [*loaded.findings, *proof] or f"{label(file)}: no findings"
