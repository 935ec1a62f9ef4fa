"""What Kubernetes, the object store and Pulumi say, whoever the workload belongs to."""

from __future__ import annotations

from typing import Final

from madeploy.findings.symptoms.symptom import Symptom

_PODS = "{hub} -n {namespace} get pods,events"

CLUSTER: Final = (
    Symptom(
        "event FailedScheduling",
        "MA957",
        r"(?P<nodes>\d+/\d+) nodes are available",
        "0/3 nodes are available: 3 Insufficient memory.",
        "no node takes the pod ({nodes} are left)",
        f"Add nodes that fit, or ask for less in controlPlane.<service>.resources:\n{_PODS}",
    ),
    Symptom(
        "event ErrImagePull",
        "MA958",
        r"Failed to pull image \"(?P<image>[^\"]+)\"|ImagePullBackOff|ErrImagePull",
        'Failed to pull image "ghcr.io/michelangelo-ai/worker:0.12.9": not found',
        "the image {image} cannot be had",
        "See whether its registry has it, and shows it to the pull Secrets:\nbin/madeploy doctor {stack}",
    ),
    Symptom(
        "event exec format error",
        "MA923",
        r"exec format error",
        "exec /app: exec format error",
        "the image is made for another processor than the node's",
        "See which nodes and images there are:\nbin/madeploy doctor {stack}",
    ),
    Symptom(
        "status CreateContainerConfigError",
        "MA959",
        r"(?P<kind>secret|configmap) \"(?P<name>[^\"]+)\" not found",
        'Error: secret "michelangelo-object-store" not found',
        "the pod refers to {kind} {name}, which is not there",
        "Make it, or write it again by an update:\n"
        "bin/madeploy verify {stack}\n"
        "pulumi up --refresh --stack {stack}",
    ),
    Symptom(
        "status OOMKilled",
        "MA998",
        r"\bOOMKilled\b",
        "Last State: Terminated Reason: OOMKilled Exit Code: 137",
        "it used more memory than its limit",
        "Raise controlPlane.<service>.resources.memory, then:\npulumi up --stack {stack}",
    ),
    Symptom(
        "event FailedCreate (quota)",
        "MA963",
        r"exceeded quota: (?P<quota>[\w.-]+)",
        'pods "michelangelo-worker-6" is forbidden: exceeded quota: compute, requested: memory=512Mi',
        "the quota {quota} leaves no room",
        "Raise it, or ask for less:\n{hub} -n {namespace} describe resourcequota {quota}",
    ),
    Symptom(
        "event FailedCreate (Pod Security)",
        "MA964",
        r"violates PodSecurity \"(?P<level>[^\"]+)\"",
        'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
        "the namespace enforces {level}, which the pod does not meet",
        "See what the namespace enforces:\n{hub} get namespace {namespace} -o yaml",
    ),
    Symptom(
        "V16",
        "MA452",
        r"cluster\S* .*(stuck|hangs?).*(terminating|deleting|finalizer)"
        r"|finalizers?.*clusters?\.michelangelo\.api",
        "cluster gpu-west hangs in Terminating",
        "the Cluster waits for the controller manager, which alone may take its finalizer away",
        "See that the controller manager runs:\n"
        "{hub} -n {namespace} get deployment michelangelo-controllermgr",
    ),
    Symptom(
        "S3 NoSuchBucket",
        "MA914",
        r"NoSuchBucket|The specified bucket does not exist",
        "An error occurred (NoSuchBucket) when calling the PutObject operation: The specified bucket does "
        "not exist",
        "the bucket is not there",
        "See which buckets the stack names, and which there are:\nbin/madeploy doctor {stack}",
    ),
    Symptom(
        "S3 AccessDenied",
        "MA915",
        r"\(AccessDenied\)|Access Denied\.?$",
        "An error occurred (AccessDenied) when calling the PutObject operation: Access Denied",
        "the role or keys in use may not write there",
        "See what each identity may do, and which account the pods have:\nbin/madeploy iam deployer {stack}",
    ),
    Symptom(
        "S3 InvalidAccessKeyId",
        "MA913",
        r"InvalidAccessKeyId|SignatureDoesNotMatch",
        "An error occurred (InvalidAccessKeyId) when calling the ListObjectsV2 operation",
        "the object store does not know these keys",
        "Store the right ones, and write them again:\n"
        "pulumi config set --secret --path michelangelo:objectStore.accessKeyId --stack {stack}\n"
        "pulumi config set --secret --path michelangelo:objectStore.secretAccessKey --stack {stack}\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "Pulumi, locked stack",
        "MA488",
        r"the stack is currently locked by",
        "error: the stack is currently locked by 1 lock(s)",
        "another update holds the stack, or was killed while it did",
        "Wait for it; if it was killed:\nbin/madeploy recover {stack}",
    ),
    Symptom(
        "Pulumi, field conflict",
        "MA937",
        r"Server-Side Apply field conflict|conflict with \"(?P<manager>[^\"]+)\"",
        'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: '
        ".spec.replicas",
        "{manager} has set a field that the stack declares",
        "Put it into the stack file, or take it back:\n"
        "bin/madeploy verify {stack}\n"
        "env PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh --stack {stack}",
    ),
    Symptom(
        "Pulumi, passphrase",
        "MA903",
        r"incorrect passphrase|passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
        "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or "
        "PULUMI_CONFIG_PASSPHRASE_FILE environment variables",
        "the stack's passphrase is not given, or is another stack's",
    ),
)
