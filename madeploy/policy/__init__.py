"""The policies' rules over a stack's objects and over files written elsewhere, Kustomize's included."""
