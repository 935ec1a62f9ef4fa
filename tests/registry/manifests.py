"""A model and an inference server as the platform wants them, and what a check says of a text."""

from __future__ import annotations

from typing import Final

from madeploy.registry.lint import lint

GOOD: Final = """\
apiVersion: michelangelo.api/v2
kind: Model
metadata:
  name: fraud-detector
  namespace: ml-team
  labels:
    algorithm: xgboost
spec:
  owner:
    name: someone
  description: Fraud detection
  algorithm: xgboost
  trainingFramework: sklearn
  kind: MODEL_KIND_BINARY_CLASSIFICATION
  source: TRAINING
  packageType: DEPLOYABLE_MODEL_PACKAGE_TYPE_TRITON
  revisionId: 3
  modelArtifactUri:
    - s3://example-ml-models/fraud/raw
  deployableArtifactUri:
    - s3://example-ml-models/fraud/package
  inputSchema:
    schemaItems:
      - name: transaction_features
        dataType: DATA_TYPE_FLOAT
        shape: [1, 2]
  qualityScores:
    - name: auc
      value: 1
      metadata: {any_key: {of: anybody}}
---
apiVersion: michelangelo.api/v2
kind: InferenceServer
metadata:
  name: fraud-detector-server
  namespace: ml-team
spec:
  tenancyType: TENANCY_TYPE_DEDICATED
  backendType: BACKEND_TYPE_TRITON
  clusterTargets:
    - clusterId: compute-0
      kubernetes: {host: https://compute-0.example.com, port: "6443"}
  ownerSpec:
    tier: 1
  initSpec:
    resourceSpec:
      cpu: 2
      memory: 4Gi
    servingSpec:
      version: latest
    numInstances: 1
  decomSpec:
    decommission: false
  owner:
    name: someone
"""


def found(text: str) -> list[tuple[str, str, str]]:
    """Code, subject and place of every finding."""
    return [(f.code, f.subject, str(f.location)) for f in lint("x.yaml", text.encode())]


def codes(text: str) -> list[str]:
    return [code for code, _, _ in found(text)]
