"""Descriptor sets for Envoy, from the platform's chart or a running API server."""
