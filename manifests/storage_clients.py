"""What the controller manager and the worker share: configuration, credentials, private authorities.

Both read `base.yaml` from a ConfigMap and, where the object store has static keys, `secrets.yaml` from a
Secret; both call the object store and the workflow engine over TLS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from madeploy.names.aws import ROLE_ARN_ANNOTATION
from madeploy.names.kubernetes import Workload, config_map
from madeploy.settings import Environment
from manifests.credentials import object_store_secret_name
from manifests.inputs import Inputs
from manifests.objects import Object, checksum
from manifests.pods import Container, checksum_annotation, config_volume, secret_volume
from manifests.service_config import CONFIG_FOLDER
from manifests.workloads import service_account

SECRETS_FOLDER: Final = "/etc/michelangelo/secrets"
CA_FOLDER: Final = "/etc/michelangelo/ca"
CA_FILE: Final = "ca.crt"

CREDENTIALS_ANNOTATION: Final = "michelangelo.infra/object-store-checksum"
"""Annotation of a pod template that changes with the object store's static keys."""


@dataclass(frozen=True)
class ClientFiles:
    """Files that a client of the object store mounts besides its configuration: static keys, authorities."""

    volumes: tuple[dict[str, Any], ...]
    mounts: tuple[dict[str, Any], ...]
    keys: bool
    """Whether static keys are among it, in `SECRETS_FOLDER`."""

    authorities: bool
    """Whether private authorities are among it, in `CA_FOLDER`."""


def client_files(environment: Environment) -> ClientFiles:
    """Static keys and private authorities, where the environment has them."""
    pairs = []
    secret = object_store_secret_name(environment)
    if secret is not None:
        pairs.append(secret_volume("secrets", secret, SECRETS_FOLDER))
    pairs += authorities_volume(environment)
    return ClientFiles(
        tuple(volume for volume, _ in pairs),
        tuple(mount for _, mount in pairs),
        secret is not None,
        environment.control_plane.ca_bundle_config_map is not None,
    )


def authorities_volume(environment: Environment) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """`(volume, mount)` of the private authorities, in `CA_FOLDER`; none where the environment has none."""
    bundle = environment.control_plane.ca_bundle_config_map
    if bundle is None:
        return []
    volume, mount = config_volume("ca", bundle, CA_FOLDER)
    volume["configMap"]["items"] = [{"key": CA_FILE, "path": CA_FILE}]
    return [(volume, mount)]


def client_container(environment: Environment, service: Workload, container: Container) -> Container:
    """The container with configuration, credentials and private authorities mounted."""
    volume, mount = config_volume("config", config_map(service), CONFIG_FOLDER)
    files, env = client_files(environment), dict(container.env)
    if files.keys:
        env["CONFIG_DIR"] = f"{CONFIG_FOLDER}:{SECRETS_FOLDER}"
    if files.authorities:
        # In addition to the image's own: Go reads every folder named here, and the system's bundle
        # besides (crypto/x509). The services have no setting for authorities (facts 1.2).
        env["SSL_CERT_DIR"] = f"/etc/ssl/certs:{CA_FOLDER}"
    return replace(container, volumes=[volume, *files.volumes], mounts=[mount, *files.mounts], env=env)


def client_annotations(inputs: Inputs, service: Workload, config_text: str) -> dict[str, Any]:
    """Annotations that roll the pods: configuration, static keys, and the IAM role, which is put into a
    pod only when it is created (EKS user guide)."""
    annotations: dict[str, Any] = checksum_annotation(checksum(config_text))
    if inputs.object_store_checksum is not None:
        annotations[CREDENTIALS_ANNOTATION] = inputs.object_store_checksum
    arn = inputs.role_arn(service)
    if arn is not None:
        annotations[ROLE_ARN_ANNOTATION] = arn
    return annotations


def client_service_account(inputs: Inputs, service: Workload, calls_kubernetes: bool = False) -> Object:
    """ServiceAccount with the annotation by which IRSA gives its pods a role."""
    arn = inputs.role_arn(service)
    annotations = {ROLE_ARN_ANNOTATION: arn} if arn is not None else None
    return service_account(inputs.environment, service, annotations, calls_kubernetes)
