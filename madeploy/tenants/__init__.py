"""Tenants as they live on the control plane's cluster."""
