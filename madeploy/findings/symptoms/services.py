"""What services say whose configuration follows the guides and not the code (docs/platform.md, 2.3)."""

from __future__ import annotations

from typing import Final

from madeploy.findings.symptoms.symptom import Symptom

SERVICES: Final = (
    Symptom(
        "differences 1",
        "MA981",
        r"due to client-side throttling",
        "Waited for 1.19s due to client-side throttling, not priority and fairness, request: GET:https://…",
        "its limits are Kubernetes clients' own, 5 and 10 a second: the section k8s is not at the top",
        "Take apiserver.k8s out of controlPlane.apiserver.config; what is generated has k8s at the top:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 3",
        "MA982",
        r"listen tcp: address (?P<port>\d+): missing port in address",
        "unable to start the manager: listen tcp: address 8091: missing port in address",
        'the address is the bare number {port}; it has to be ":{port}"',
        'Write ":{port}" in controlPlane.controllermgr.config, then:\npulumi up --stack {stack}',
    ),
    Symptom(
        "differences 5",
        "MA984",
        r"unknown service (uber\.cadence\.api\.v1|temporal\.api\.workflowservice\.v1)\.\w+",
        "code:unimplemented message:unknown service uber.cadence.api.v1.WorkflowAPI",
        "the client is one of the other engine: workflowClient.provider is missing or wrong",
        "Set workflow.engine to the engine that runs, and take overrides of the provider out:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 6",
        "MA984",
        r"(unknown|unsupported|invalid) (workflow engine )?provider:? \"?(?P<name>Temporal|Cadence)",
        "unsupported workflow engine provider: Temporal",
        "the worker knows the provider in lower case only, and is told {name}",
        "Take the override out of controlPlane.worker.config; what is generated is right:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 7",
        "MA985",
        r"Task ?(List|Queue) is not set|missing task ?(queue|list)",
        "BadRequestError{Message: TaskList is not set on request.}",
        "the controller manager was told no task list",
        "Set workflow.taskList, then:\npulumi up --stack {stack}",
    ),
    Symptom(
        "differences 8",
        "MA985",
        r"no (worker|poller)s? (has|have) polled|NoPollers|task ?(list|queue) (?P<queue>\S+) has no pollers",
        "task queue pipeline_run has no pollers",
        "the worker does not poll {queue}; trigger_run and pipeline_run are needed besides the default",
        "Take overrides of the worker's queues out, and see that it runs:\n"
        "{hub} -n {namespace} logs deployment/michelangelo-worker\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 9",
        "MA926",
        r"(Domain|Namespace) (?P<name>\S+) (does not exist|is not found)|EntityNotExistsError.*Domain",
        "Namespace production-uniflow is not found.",
        "the engine has no domain or namespace {name}; production-uniflow is a queue",
        "Make it in the engine, or name one that exists in workflow.domain, then:\n"
        "pulumi up --stack {stack}\n"
        "bin/madeploy doctor {stack}",
    ),
    Symptom(
        "differences 10",
        "MA986",
        r"Client sent an HTTP request to an HTTPS server|server gave HTTP response to HTTPS client",
        "Client sent an HTTP request to an HTTPS server.",
        "minio.secure and what the store speaks differ",
        "Give storage.endpoint the store's own scheme, then:\npulumi up --stack {stack}",
    ),
    Symptom(
        "differences 11",
        "MA987",
        r"Endpoint url cannot have fully qualified paths|Endpoint: \S+ does not follow ip address",
        "Endpoint url cannot have fully qualified paths.",
        "minio.awsEndpointUrl has a scheme or a path; the client takes host and port only",
        "Take the override out of controlPlane.controllermgr.config; set storage.endpoint:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 14",
        "MA988",
        r"field (?P<key>\S+) not found in type (?P<type>\S+)",
        "line 7: field rbacEnabled not found in type auth.Config",
        "the service does not know the key {key} in {type}",
        "Take {key} out of controlPlane.<service>.config (docs/configuration.md has its keys), then:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 18",
        "MA933",
        r"(mysql|ingester).*(missing|required|no such host|access denied for user)",
        "failed to create ingester: mysql.host is required",
        "the mirror of metadata is on, and its database is not configured",
        "Set metadataStorage with its host and credentialsSecret, or leave it out, then:\n"
        "pulumi up --stack {stack}",
    ),
    Symptom(
        "differences 20",
        "MA990",
        r"Proto constraint validation failed|error initializing configuration|StatPrefix: value length",
        "error initializing configuration '/etc/envoy/envoy.yaml': Proto constraint validation failed "
        "(HttpConnectionManagerValidationError.StatPrefix: value length must be at least 1 characters)",
        "Envoy does not accept its configuration",
        "Write the generated configuration again:\n"
        "env PULUMI_K8S_ENABLE_PATCH_FORCE=true pulumi up --refresh --stack {stack}",
    ),
    Symptom(
        "differences 21",
        "MA991",
        r"unexpected content-type \"(?P<type>[^\"]+)\"|invalid gRPC response content-type: (?P<other>\S+)",
        'rpc error: code = Unknown desc = unexpected content-type "text/html" from transport',
        "the call reaches a web server: the UI, or a proxy's error page",
        "Send API calls to domains.api; see both doors:\nbin/madeploy verify {stack}",
    ),
    Symptom(
        "differences 28",
        "MA353",
        r"unknown field \"spec\.(?P<field>[a-z]+_[a-z_]+)\"",
        'Warning: unknown field "spec.model_artifact_uri"',
        "{field} is spelt in snake_case, which the API server drops; fields are in camelCase",
        "Correct the manifest, lying here as model.yaml, until nothing is found in it; then apply it again:\n"
        "bin/madeploy lint model.yaml\n"
        "{hub} apply -f model.yaml",
    ),
    Symptom(
        "differences 35",
        "MA993",
        r"exec: \"?(?P<program>[\w./-]+)\"?: (stat \S+: no such file or directory|executable file not found)",
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "/bin/sh": stat '
        "/bin/sh: no such file or directory",
        "the image has no {program}",
        "Look from beside it, with an image that has tools:\n"
        '{hub} -n {namespace} debug "$({hub} -n {namespace} get pods -l app=michelangelo-apiserver -o name '
        '| head -n 1)" -it --image=busybox:1.37 --profile=restricted',
    ),
    Symptom(
        "differences 36",
        "MA994",
        r"clusterroles\.rbac\.authorization\.k8s\.io \"(?P<role>viewer|editor)\" not found",
        'clusterroles.rbac.authorization.k8s.io "viewer" not found',
        "Kubernetes has no ClusterRole {role}",
        "Bind Kubernetes' own (view, edit), or make the role; those of the registry's readers are made by "
        "modelRegistry.namespaces:\n"
        "{hub} get clusterroles",
    ),
    Symptom(
        "differences 40",
        "MA995",
        r"no matches for kind \"(?P<kind>\w+)\" in version \"(?P<version>michelangelo\.[a-z]+/v\w+)\"",
        'no matches for kind "Cluster" in version "michelangelo.ai/v2"',
        "{version} is no API of the platform",
        "Write apiVersion: michelangelo.api/v2, and see that `bin/madeploy lint FILE` is content. Kinds:\n"
        "{hub} api-resources --api-group=michelangelo.api",
    ),
    Symptom(
        "differences 44",
        "MA359",
        r"(backend|plugin) (type )?(for )?\"?(?P<backend>BACKEND_TYPE_(?!TRITON)\w+|vllm|dynamo)\"? "
        r"(is )?not (registered|found|supported)",
        "plugin for BACKEND_TYPE_DYNAMO not registered",
        "the deployed release registers BACKEND_TYPE_TRITON only, and {backend} is asked for",
        "Write backendType: BACKEND_TYPE_TRITON, as `bin/madeploy lint FILE` says. There are:\n"
        "{hub} get inferenceservers.michelangelo.api --all-namespaces",
    ),
    Symptom(
        "V7",
        "MA996",
        r"Operation cannot be fulfilled on clusters\.michelangelo\.api \"(?P<name>[^\"]+)\"",
        'Operation cannot be fulfilled on clusters.michelangelo.api "gpu-west": the object has been '
        "modified; please apply your changes to the latest version and try again",
        "somebody changed the Cluster {name}, and its health is never written again until a restart",
        "Roll the controller manager:\n"
        "{hub} -n {namespace} rollout restart deployment/michelangelo-controllermgr",
    ),
    Symptom(
        "7.1",
        "MA997",
        r"missing (TTL|service name|caller name|encoding|service|caller)\b",
        "rpc error: code = InvalidArgument desc = missing service name, caller name, encoding",
        "the call lacks one of rpc-caller, rpc-service, rpc-encoding, or has no deadline",
        "Send rpc-caller, rpc-service: ma-apiserver and rpc-encoding: proto, with a deadline; see that one "
        "gets through:\n"
        "bin/madeploy verify {stack}",
    ),
)
