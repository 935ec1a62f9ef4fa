"""The model-registry guide's troubleshooting table, row by row."""

from __future__ import annotations

from typing import Final

from madeploy.findings.symptoms.symptom import Symptom

_GUIDE = "model-registry guide, troubleshooting"

REGISTRY: Final = (
    Symptom(
        f"{_GUIDE} 1",
        "MA940",
        r"doesn't have a resource type \"?(?P<kind>models|clusters|rayclusters|rayjobs|pipelines|pipelineruns"
        r"|projects|inferenceservers|deployments\.michelangelo\.api)",
        'error: the server doesn\'t have a resource type "models"',
        "the definition of {kind} is not there: the API server has not made it, or this is another cluster",
        "See whether it is there, on the control plane's cluster, and what the API server says:\n"
        "{hub} get crd models.michelangelo.api\n"
        "{hub} -n {namespace} logs deployment/michelangelo-apiserver",
    ),
    Symptom(
        f"{_GUIDE} 2",
        "MA976",
        r"\bNo resources found(?: in (?P<space>\S+) namespace)?",
        "No resources found in ml-team namespace.",
        "there is none in {space}: nothing was registered there yet, or it is elsewhere",
        "Look in all namespaces, and at the runs of the registration task:\n"
        "{hub} get models.michelangelo.api --all-namespaces\n"
        "{hub} get pipelineruns.michelangelo.api --all-namespaces",
    ),
    Symptom(
        f"{_GUIDE} 3",
        "MA977",
        r"model_?artifact_?uri\W+(is |was )?(empty|missing|not set|\[\])",
        "spec.model_artifact_uri empty after registration",
        "the registering task could not write to the object store, or failed; the field is called "
        "modelArtifactUri, the snake_case name shows nothing in any case",
        "Read the field by its own name, then the run and the rights on the bucket:\n"
        "bin/madeploy models list --stack {stack}\n"
        "{hub} -n {namespace} logs deployment/michelangelo-controllermgr\n"
        "bin/madeploy verify {stack}",
    ),
    Symptom(
        f"{_GUIDE} 4",
        "MA978",
        r"deployable_?artifact_?uri\W+(is |was )?(empty|missing|not set|\[\])",
        "spec.deployable_artifact_uri empty",
        "the packaging step of the run did not run, or failed",
        "See the run that registered the model:\n"
        "{hub} get pipelineruns.michelangelo.api --all-namespaces\n"
        "{hub} -n {namespace} logs deployment/michelangelo-worker",
    ),
    Symptom(
        f"{_GUIDE} 5",
        "MA979",
        r'User "(?P<user>[^"]+)" cannot (?P<verb>\w+) resource "models" in API group "(?P<group>[^"]*)"'
        r'(?: in the namespace "(?P<space>[^"]+)")?',
        'Error from server (Forbidden): models.michelangelo.api is forbidden: User "ci" cannot get resource '
        '"models" in API group "michelangelo.api" in the namespace "ml-team"',
        "{user} may not {verb} models in {space}: the role for API group michelangelo.api is missing, or not "
        "bound there",
        "Name the namespace in modelRegistry.namespaces and the account in modelRegistry.ciReader, then:\n"
        "pulumi up --stack {stack}\n"
        "{hub} get rolebindings --all-namespaces -l app.kubernetes.io/part-of=michelangelo",
    ),
    Symptom(
        f"{_GUIDE} 6",
        "MA980",
        r"timed out waiting for the condition on (?P<kind>models|clusters|rayclusters|pipelineruns"
        r"|inferenceservers)\S*/(?P<name>\S+)",
        "error: timed out waiting for the condition on models/fraud-detector",
        "{kind}/{name} never has that condition: a Model has none, and statuses of the others are "
        "CONDITION_STATUS_TRUE",
        "Wait for a field in place of a condition:\n"
        "{hub} wait --for=jsonpath='{{.spec.deployableArtifactUri[0]}}' models.michelangelo.api/{name}",
    ),
    Symptom(
        f"{_GUIDE} 7",
        "MA356",
        r"backend_?type\W+(triton|llm_d|dynamo|torchserve|vllm)\b|invalid value for enum .*(triton|vllm)",
        'InferenceServer does not start serving: backendType: "triton"',
        "backendType is a name of an enum, BACKEND_TYPE_TRITON, and no lower-case word",
        "Write backendType: BACKEND_TYPE_TRITON, as `bin/madeploy lint FILE` says. There are:\n"
        "{hub} get inferenceservers.michelangelo.api --all-namespaces",
    ),
)
