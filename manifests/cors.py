"""Cross-origin rules: declared origins as the string matchers Envoy evaluates."""
