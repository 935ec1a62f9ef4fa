"""The policies' rules over a stack's objects and over files written elsewhere, Kustomize's included."""

from madeploy.policy import codes as _codes  # noqa: F401 - policies bring their codes' words
