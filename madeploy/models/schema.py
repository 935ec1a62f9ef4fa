"""Fields of `Model` and `InferenceServer` (facts 4.3, 4.4), as the API server knows them: what is not here is
dropped without a word by every client that does not ask for strict validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Leaf = Literal["text", "int32", "int64", "number", "switch", "quantity", "uri", "free"]
"""What a value is. `int64` is text of digits; `quantity` and `uri` are text that something reads further;
`free` is anything, keys in the author's spelling."""


@dataclass(frozen=True)
class Choice:
    """One of a few names, all of which start alike."""

    prefix: str
    names: Sequence[str]

    @property
    def values(self) -> list[str]:
        """The names in full. The first is what is read where nothing is said; mostly `…_INVALID`."""
        return [f"{self.prefix}_{name}" for name in self.names]


@dataclass(frozen=True)
class ListOf:
    """A list of one kind of item."""

    item: Shape


@dataclass(frozen=True)
class MapOf:
    """A mapping with keys of the author's choice."""

    value: Shape


Shape = Leaf | Choice | ListOf | MapOf | Mapping[str, Any]
"""A field's shape; a mapping is an object with these fields, whose values are shapes."""

_REF: Final[Shape] = {"name": "text", "namespace": "text"}
_USER: Final[Shape] = {"name": "text", "proxyUser": "text"}
_DATA_TYPE: Final = Choice(
    "DATA_TYPE",
    ("INVALID", "UNKNOWN", "BOOLEAN", "STRING", "BYTE", "CHAR", "SHORT", "INT", "LONG", "FLOAT", "DOUBLE"),
)
_SCHEMA: Final[Shape] = {
    "schemaItems": ListOf({"name": "text", "dataType": _DATA_TYPE, "shape": ListOf("int32")})
}
_IMPORTANCE: Final[Shape] = {
    "absMean": "number",
    "baseline": {"boolValue": "switch", "floatValue": "number", "intValue": "int32", "stringValue": "text"},
    "mean": "number",
    "stdDev": "number",
}

MODEL: Final[Mapping[str, Shape]] = {
    "spec": {
        "algorithm": "text",
        "decisionThreshold": "number",
        "deployableArtifactUri": ListOf("uri"),
        "derivedFields": _SCHEMA,
        "description": "text",
        "explainabilityReport": _REF,
        "featureEvaluationReport": _REF,
        "featureImportanceList": ListOf(
            {"explainerModule": "text", "featureImportance": MapOf(_IMPORTANCE), "outputName": "text"}
        ),
        "featureQualityReport": _REF,
        "featureStoreFeatures": ListOf(_REF),
        "incrementalTraining": {
            "parentRevisionId": "int32",
            "trainingCheckpoint": _REF,
            "transformCheckpoint": _REF,
        },
        "inputSchema": _SCHEMA,
        "kind": Choice(
            "MODEL_KIND",
            (
                "INVALID",
                "CUSTOM",
                "REGRESSION",
                "BINARY_CLASSIFICATION",
                "MULTICLASS_CLASSIFICATION",
                "CLUSTERING",
                "LLM_COMPLETION",
                "LLM_CHAT_COMPLETION",
                "LLM_EMBEDDING",
            ),
        ),
        "llmSpec": {"fineTunedModelId": "text", "modelName": "text", "vendor": "text"},
        "modelArtifactUri": ListOf("uri"),
        "modelFamily": _REF,
        "outputSchema": _SCHEMA,
        "owner": _USER,
        "packageType": Choice(
            "DEPLOYABLE_MODEL_PACKAGE_TYPE", ("INVALID", "SPARK_PIPELINE", "TRITON", "RAW", "MOBILE")
        ),
        "performanceEvaluationReport": _REF,
        "positiveLabel": "text",
        "predictFields": _SCHEMA,
        "predictionResult": {"testTableName": "text", "trainTableName": "text"},
        "publishedFields": _SCHEMA,
        "qualityScores": ListOf(
            {
                "metadata": "free",
                "name": "text",
                "primary": "switch",
                "scoping": "text",
                "source": "text",
                "value": "number",
            }
        ),
        "revisionId": "int32",
        "sealed": "switch",
        "source": "text",
        "sourcePipelineRun": _REF,
        "trainingFramework": "text",
    },
    "status": "free",
}

BACKENDS: Final = Choice("BACKEND_TYPE", ("INVALID", "TRITON", "LLM_D", "DYNAMO", "TORCHSERVE"))

INFERENCE_SERVER: Final[Mapping[str, Shape]] = {
    "spec": {
        "backendType": BACKENDS,
        "decomSpec": {"decommission": "switch"},
        "initSpec": {
            "numInstances": "int32",
            "resourceSpec": {
                "cpu": "int32",
                "diskSize": "quantity",
                "fileDescriptors": "int32",
                "gpu": "int32",
                "gpuSku": "text",
                "memory": "quantity",
            },
            "servingSpec": {"containerBuildTemplate": "text", "version": "text"},
        },
        "owner": _USER,
        "ownerSpec": {
            "ownerInfo": {"ownerGroups": ListOf("text"), "owners": ListOf("text"), "owningTeam": "text"},
            "tier": "int32",
        },
        "tenancyType": Choice("TENANCY_TYPE", ("INVALID", "DEDICATED", "MULTI_TENANT")),
    },
    "status": {
        "availableEnvironments": ListOf("text"),
        "conditions": ListOf(
            {
                "lastUpdatedTimestamp": "int64",
                "message": "text",
                "metadata": "free",
                "observedGeneration": "int64",
                "reason": "text",
                "status": Choice("CONDITION_STATUS", ("UNKNOWN", "TRUE", "FALSE")),
                "type": "text",
            }
        ),
        "createTime": "text",
        "inferenceServerId": "text",
        "observedGeneration": "int64",
        "providerMetadata": "text",
        "state": Choice(
            "INFERENCE_SERVER_STATE",
            (
                "INVALID",
                "INITIALIZED",
                "CREATE_PENDING",
                "SERVING",
                "FAILED",
                "DELETE_PENDING",
                "CREATING",
                "DELETING",
                "DELETED",
            ),
        ),
        "updateTime": "text",
    },
}

KINDS: Final[Mapping[str, Mapping[str, Shape]]] = {"Model": MODEL, "InferenceServer": INFERENCE_SERVER}
"""Kinds that are checked."""

REGISTERED_BACKENDS: Final = ("BACKEND_TYPE_TRITON",)
"""Backends that the controller manager of generation 2026.04 has (facts 2.3 row 44)."""
