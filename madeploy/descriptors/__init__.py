"""Where descriptor sets for Envoy come from: the platform's chart, or a running API server."""
