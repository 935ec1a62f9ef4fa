"""MA900 to MA935: what stands in the way of deploying an environment (docs/checking-environments.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

_ENGINE: Final[dict[str, Code]] = {
    "MA900": Code(
        "Pulumi CLI that is missing or too old",
        "Updates are made by it.",
        "Install Pulumi, version 3.250 or later: https://www.pulumi.com/docs/install/",
    ),
    "MA901": Code(
        "Plugin of Pulumi that is missing",
        "The first update fetches it from the network; where it may not, the update ends there.",
        "Install the plugin before the update.",
        "warning",
    ),
    "MA902": Code(
        "Pulumi backend that cannot be used",
        "The state of the environment is kept there.",
        "Log in: pulumi login",
    ),
    "MA903": Code(
        "Secrets of a stack that cannot be decrypted",
        "An update needs the stack's passphrase or key for its credentials.",
        "Give the passphrase (PULUMI_CONFIG_PASSPHRASE_FILE), or a login to the key service.",
    ),
}

_CLUSTERS: Final[dict[str, Code]] = {
    "MA904": Code(
        "Right that the update needs and its user lacks",
        "The update would stop half-way, when it comes to the object.",
        "Have an administrator of the cluster give the right, or use a kubeconfig whose user has it.",
    ),
    "MA905": Code(
        "Kubernetes version that is not supported",
        "Objects use fields that older API servers drop or refuse.",
        "Upgrade the cluster to Kubernetes 1.30 or later.",
    ),
    "MA906": Code(
        "Definition of a kind that the stack needs and nobody has installed",
        "Objects of the kind cannot be created; the update would wait for the definition and give up.",
        "Install what brings the definition.",
    ),
    "MA907": Code(
        "Controller of which no pod runs",
        "Objects would be accepted, and nothing would ever be done with them.",
        "Install the controller, or see why its pods do not run.",
    ),
    "MA908": Code(
        "Class of the front door that does not exist",
        "No controller would serve the front door: it never gets an address.",
        "Install the controller, or name its class in frontDoor.className.",
    ),
    "MA909": Code(
        "Class whose controller reads other annotations than are made",
        "gRPC needs HTTP/2 to the back end; without an annotation of its own the controller speaks HTTP/1.1 "
        "and every call fails.",
        "Give the controller's own annotations in frontDoor.apiAnnotations and frontDoor.appAnnotations.",
    ),
    "MA910": Code(
        "GatewayClass that its controller has not accepted",
        "Gateways of a class that is not accepted are ignored.",
        "See the conditions of the GatewayClass, and whether its controller runs.",
    ),
}

_OUTSIDE: Final[dict[str, Code]] = {
    "MA911": Code(
        "Domain that does not resolve",
        "Neither clients nor an ACME authority find the front door. Before the first update there is no "
        "address yet to point it at.",
        "Make a DNS record for the domain that leads to the front door's address.",
        "warning",
    ),
    "MA912": Code(
        "Domain that leads elsewhere than to the front door",
        "Clients reach another system, and an ACME authority that looks there issues nothing.",
        "Point the domain's DNS record at the front door's address.",
        "warning",
    ),
    "MA913": Code(
        "Object store that refuses the credential",
        "The services and tasks use the same keys, and would be refused as well.",
        "Correct the keys in objectStore (or the login at hand), and the policy of the buckets.",
    ),
    "MA914": Code(
        "Bucket that does not exist",
        "The platform makes no bucket: its first upload fails.",
        "Make the bucket, or name one that exists in storage.buckets.",
    ),
    "MA915": Code(
        "Bucket that may not be written",
        "Workspaces, task results and models are written there.",
        "Allow s3:PutObject on the bucket's objects for these credentials.",
    ),
    "MA916": Code(
        "Bucket name that somebody else has",
        "S3 names are global: a bucket of this name cannot be made.",
        "Choose another name in storage.buckets.",
    ),
    "MA917": Code(
        "AWS credentials that are missing or not accepted",
        "The update makes buckets and roles with them.",
        "Log in to AWS, and see whom for:\naws sts get-caller-identity",
    ),
    "MA918": Code(
        "AWS credentials of another account than the stack's",
        "Buckets and roles would be made in an account where nobody looks for them.",
        "Use credentials of the stack's account.",
    ),
    "MA919": Code(
        "Right on AWS that the update needs and its user lacks",
        "The update would stop half-way, when it comes to the resource.",
        "Attach the policy that the toolkit prints to the deployer's user or role.",
    ),
}

_REGISTRY: Final[dict[str, Code]] = {
    "MA920": Code(
        "Image that its registry does not have",
        "Pods stay in ImagePullBackOff, and the update waits for them in vain.",
        "Correct the image's repository, tag or digest, or push it.",
    ),
    "MA921": Code(
        "Registry that refuses to show an image",
        "Nodes that pull with the same credential, or with none, are refused as well.",
        "Name a Secret with a credential for the registry in images.pullSecrets.",
    ),
    "MA922": Code(
        "Pull Secret that cannot be used",
        "The kubelet ignores it, and pulls without a credential.",
        "Make the Secret, of type kubernetes.io/dockerconfigjson, in the control plane's namespace.",
    ),
    "MA923": Code(
        "Image that is not made for the processors of the nodes",
        "Containers end with `exec format error`.",
        "Use an image for the nodes' architecture, or nodes of the image's.",
    ),
}

_AROUND: Final[dict[str, Code]] = {
    "MA924": Code(
        "Workflow engine that cannot be reached from here",
        "Controller manager and worker start nothing without it. This was asked from this machine, not from "
        "a pod.",
        "Correct workflow.host, or open the way to it.",
        "warning",
    ),
    "MA925": Code(
        "Workflow engine that speaks TLS otherwise than the stack says",
        "The services would be refused, or would never get an answer.",
        "Set workflow.tls to what the engine's port speaks.",
    ),
    "MA926": Code(
        "Domain or namespace that the workflow engine does not have",
        "The worker ends at start, or polls a queue that does not exist; runs stay pending.",
        "Make it in the engine, or name one that exists in workflow.domain.",
    ),
    "MA927": Code(
        "Quota or limit of a namespace that leaves no room for pods",
        "Roll-outs stop when the quota is used up.",
        "Raise the namespace's quota or limits, or ask for less in controlPlane.<service>.resources.",
    ),
    "MA928": Code(
        "Pod Security that refuses a pod of the stack",
        "The Deployment would be accepted and none of its pods.",
        "Set the level that the namespace enforces to one its pods pass.",
    ),
    "MA929": Code(
        "Admission policy or webhook that refuses a pod of the stack",
        "The Deployment would be accepted and none of its pods.",
        "Change the policy or webhook that is named, or make an exception for the namespace.",
    ),
    "MA930": Code(
        "NetworkPolicy of somebody else that shuts pods of the stack off",
        "A pod that any policy selects takes and makes only the connections that policies permit.",
        "Take the pods out of the policy's selector, or permit what they need.",
        "warning",
    ),
    "MA931": Code(
        "Name that an object of somebody else has already",
        "The update would take the object over, or fight with its owner over every field.",
        "Rename or remove the other object; `pulumi import` takes it over on purpose.",
    ),
    "MA932": Code(
        "Namespace of the stack that is being deleted",
        "Nothing can be created in it until what holds it is gone.",
        "See what holds the namespace, and let it go.",
    ),
    "MA933": Code(
        "Object that the stack refers to and that somebody else has to make",
        "Pods that mount it stay in ContainerCreating; a front door without its certificate serves another.",
        "Make the object before the update.",
    ),
    "MA934": Code(
        "Object that the API server would refuse",
        "The update would stop at it.",
        "Remove the cause that the API server names.",
    ),
}

_STACK: Final[dict[str, Code]] = {
    "MA935": Code(
        "Stack that the backend does not have yet",
        "`pulumi up` works on stacks that were made.",
        "Make it: pulumi stack init STACK",
    ),
}

BEFORE: Final = {**_ENGINE, **_CLUSTERS, **_OUTSIDE, **_REGISTRY, **_AROUND, **_STACK}
