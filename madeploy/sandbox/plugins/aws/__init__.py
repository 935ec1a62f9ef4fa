"""The offline stand-in for pulumi-aws: the resource types the project uses."""

VERSION = "7.51.1"
"""The version of pulumi-aws whose resource types are copied."""
