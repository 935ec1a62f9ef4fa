"""The offline stand-in for pulumi-kubernetes: any Kubernetes object, applied to the sandbox's API servers."""

VERSION = "4.32.0"
"""The version of pulumi-kubernetes whose behaviour is copied."""
