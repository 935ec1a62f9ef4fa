"""MA976 to MA999: causes told by what a service, a tool or an event says (docs/troubleshooting.md)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

_REGISTRY: Final[dict[str, Code]] = {
    "MA976": Code(
        "No model where one is looked for",
        "Nothing was registered yet, or it is in another namespace.",
        "List models of all namespaces, and see whether the registration task has run.",
        "warning",
    ),
    "MA977": Code(
        "Model without artifacts",
        "The task that registered it could not write to the object store, or was not finished.",
        "See the run that registered it, and the policy of the buckets.",
    ),
    "MA978": Code(
        "Model without a deployable package",
        "The packaging step did not run or failed; nothing can serve the model.",
        "See the run's packaging step.",
        "warning",
    ),
    "MA979": Code(
        "Reader of models without the right",
        "The role lacks the API group michelangelo.api, or is not bound in this namespace.",
        "Name the namespace in modelRegistry.namespaces, and bind the role.",
    ),
    "MA980": Code(
        "Wait for a condition that never comes",
        "A Model has no conditions, and those of the other kinds are CONDITION_STATUS_TRUE, never True: "
        "kubectl wait --for=condition waits for ever.",
        "Wait for a field in place of a condition.",
    ),
}

_SERVICES: Final[dict[str, Code]] = {
    "MA981": Code(
        "Service that throttles itself",
        "It reads its limits from the top-level section k8s only; without it they are 5 and 10 a second.",
        "Set k8s.qps and k8s.burst in the service's configuration.",
        "warning",
    ),
    "MA982": Code(
        "Address to listen on without its colon",
        "A bare number is no address: the service ends at start.",
        'Write it as ":8091".',
    ),
    "MA983": Code(
        "Health path that the platform does not serve",
        "No service of the platform answers /healthz or /readyz: 404 says nothing of its health.",
        "Probe the metrics port or the socket; alert on the metric `up`.",
    ),
    "MA984": Code(
        "Client of another workflow engine than the one that runs",
        "Without a provider the controller manager takes the engine for Cadence; the worker knows lower case "
        "names only.",
        "Set workflow.engine to the engine that runs.",
    ),
    "MA985": Code(
        "Work that no queue takes",
        "The controller manager has no task list, or nobody polls the one it uses: runs stay pending.",
        "Set workflow.taskList, and have the worker poll it.",
    ),
    "MA986": Code(
        "Plain HTTP to a server that speaks TLS, or the other way round",
        "The services use plain HTTP to the object store unless minio.secure is true.",
        "Give storage.endpoint the scheme that the store speaks.",
    ),
    "MA987": Code(
        "Object store's address with a scheme or path",
        "The services take host and port only (minio.awsEndpointUrl); a scheme ends them.",
        "Take the scheme out of the override; storage.endpoint is turned into what they take.",
    ),
    "MA988": Code(
        "Configuration with a key that the service does not know",
        "Services end at start on a key they do not parse.",
        "Take the key out of controlPlane.<service>.config, or deploy the release that has it.",
    ),
    "MA989": Code(
        "TLS to a port that speaks plaintext",
        "Inside the cluster the API server speaks plaintext on 15566; TLS is ended at the front door.",
        "Use the Service without TLS, or the API's domain with it.",
    ),
    "MA990": Code(
        "Envoy that refuses its configuration",
        "It ends at start; the guides' own example lacks stat_prefix.",
        "Use the configuration that is generated, and undo changes by hand.",
    ),
    "MA991": Code(
        "API call that reaches something that is no gRPC server",
        "The way leads to a web page or a proxy's error: path, host or the back end's protocol is wrong.",
        "Send the API's calls to domains.api, or below /michelangelo.api.v2. of domains.app.",
    ),
    "MA992": Code(
        "Page of an origin that the API does not accept",
        "Browsers refuse calls of pages whose origin Envoy does not name.",
        "Name the origin in cors.additionalOrigins.",
    ),
    "MA993": Code(
        "Image without a shell",
        "The services' images hold the program and nothing else: kubectl exec finds nothing to run.",
        "Use an ephemeral container with an image of its own.",
        "warning",
    ),
    "MA994": Code(
        "Role that does not exist in Kubernetes",
        "ClusterRoles viewer and editor are no roles of Kubernetes: its own are view, edit and admin.",
        "Bind view or edit, or make the role first.",
    ),
    "MA995": Code(
        "API group that nobody serves",
        "The platform's kinds are in michelangelo.api, version v2.",
        "Write apiVersion: michelangelo.api/v2.",
    ),
    "MA996": Code(
        "Registered cluster that somebody edited",
        "After a change of its metadata a Cluster's health is never written again: each write is a conflict.",
        "Roll the controller manager, and leave Cluster objects alone.",
    ),
    "MA997": Code(
        "Call without what the API server demands",
        "Every call needs rpc-caller, rpc-service, rpc-encoding and a deadline.",
        "Send the headers, and set a deadline.",
    ),
    "MA998": Code(
        "Container that used more memory than it may",
        "The kernel ended it.",
        "Give the service more memory in controlPlane.<service>.resources.",
    ),
}

_LEFT: Final[dict[str, Code]] = {
    "MA999": Code(
        "Job of an acceptance that was not cleaned up",
        "It goes on using a cluster's resources.",
        "Take it away on both sides.",
    ),
}

SYMPTOMS: Final = {**_REGISTRY, **_SERVICES, **_LEFT}
