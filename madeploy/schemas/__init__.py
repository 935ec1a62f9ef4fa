"""JSON Schemas of everything that is rendered, and kubeconform that checks against them, without network."""
