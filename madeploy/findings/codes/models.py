"""MA339 to MA369: data of buckets, the model registry, and manifests of models and inference servers."""

from __future__ import annotations

from typing import Final

from madeploy.findings.codes.code import Code

MODELS: Final[dict[str, Code]] = {
    "MA339": Code(
        "Data that a change of settings leaves behind or deletes",
        "Another name or region is another bucket, and objects need the key they were encrypted with: no "
        "change of settings moves or copies any.",
        "Read docs/object-store.md, Renaming and giving up, before the update; `bin/madeploy plan STACK` "
        "says the same of what the stack holds, with the engine's names.",
        "warning",
    ),
    "MA340": Code(
        "Definition of Model is missing",
        "Without it nothing can be registered. The platform's API server creates it when it starts.",
        "Look why it did not: kubectl -n ma-system logs deployment/michelangelo-apiserver, with the control "
        "plane's namespace where it is another one.",
    ),
    "MA341": Code(
        "Models may not be read",
        "The Role is missing, or names the wrong API group: models are in michelangelo.api, not in the core "
        "group.",
        "Add the namespace to modelRegistry.namespaces and bind the reader to the Role "
        "model-registry-reader.",
    ),
    "MA342": Code(
        "Model without raw artifacts",
        "The registration failed, or whoever wrote the artifacts may not write to the bucket.",
        "See the controller manager's log and the pipeline run's, and check the IAM policy of the bucket.",
        "warning",
    ),
    "MA343": Code(
        "Model without deployable artifacts",
        "The packaging step did not run or failed: there is nothing that could be served.",
        "See the logs of the registration task's pipeline run.",
        "warning",
    ),
    "MA344": Code(
        "Models that retention cannot remove",
        "They stay, and so does what they refer to in the object store.",
        "Put right what is said of each and run it again: bin/madeploy models retention --stack STACK",
    ),
    "MA345": Code(
        "Quota of AWS that leaves no room for what the stack makes",
        "The update would stop when the account is full.",
        "Have the quota raised, or remove what nobody needs.",
    ),
    "MA346": Code(
        "Quota of AWS that the login may not ask for",
        "Whether there is room is not known; most accounts have plenty.",
        "Where the account is nearly full, look with a login that may.",
        "info",
    ),
    "MA350": Code(
        "Manifest that is no Kubernetes object",
        "kubectl and the API server would refuse it.",
        "Give it apiVersion, kind and metadata.name.",
    ),
    "MA351": Code(
        "Kind that is not checked",
        "Only Model and InferenceServer are known here.",
        "Nothing; or check it otherwise: kubectl apply --dry-run=server --validate=strict",
        "info",
    ),
    "MA352": Code(
        "API group or version the platform does not have",
        "The API server would answer that it knows no such kind.",
        "Write apiVersion: michelangelo.api/v2.",
    ),
    "MA353": Code(
        "Field in another spelling",
        "Field names are camelCase. The API server drops any other without a word unless the client asks for "
        "strict validation: the value would be lost.",
        "Write it in camelCase.",
    ),
    "MA354": Code(
        "Field that does not exist",
        "The API server drops it without a word unless the client asks for strict validation: the value "
        "would be lost.",
        "Remove it.",
    ),
    "MA355": Code(
        "Value of the wrong type",
        "The API server would refuse the object.",
        "Write a value of the type that is accepted.",
    ),
    "MA356": Code(
        "Value that is none of the names accepted",
        "The API server would refuse the object.",
        "Write one of the accepted names, in capitals and in full.",
    ),
    "MA357": Code(
        "Choice that is left open",
        "A name that ends in INVALID stands for nothing chosen.",
        "Choose one of the other names.",
        "warning",
    ),
    "MA358": Code(
        "Field that must be there",
        "The API server takes an inference server without it, and the controller manager fails on it.",
        "Add it.",
    ),
    "MA359": Code(
        "Backend that the platform does not have",
        "The controller manager has no code for it: the server would never start.",
        "Write backendType: BACKEND_TYPE_TRITON.",
    ),
    "MA360": Code(
        "Quantity that Kubernetes cannot read",
        "The controller manager puts it into a pod's resources, and fails there.",
        "Write a number with one of the units Ki, Mi, Gi, Ti, k, M, G, T, or none.",
    ),
    "MA361": Code(
        "Object name that Kubernetes refuses",
        "The object, or what the controller manager makes of it, could not be created.",
        "Choose a name of the accepted form.",
    ),
    "MA362": Code(
        "Number out of bounds",
        "What is asked for makes no sense to the controller manager.",
        "Write a number within the bounds.",
    ),
    "MA363": Code(
        "Artifact URI that is no place in a bucket",
        "Serving cannot load it, and retention will not touch the model.",
        "Write s3://<bucket>/<key>.",
        "warning",
    ),
}
