"""Typed classes for what the program registers, which load when they are first touched:
`python -m benchmarks.sides.sdk`. Every program that uses them pays for their modules."""

from __future__ import annotations

import pulumi_aws as aws
import pulumi_kubernetes as k8s

USED = (aws.s3.Bucket, aws.iam.Role, k8s.core.v1.Secret)
