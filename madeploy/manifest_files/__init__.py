"""Kubernetes objects and policy documents in files that somebody else wrote."""
