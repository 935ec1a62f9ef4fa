"""An embedded environment on one machine: tools, Kubernetes API servers, an object store, plugins."""
