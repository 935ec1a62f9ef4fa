"""Settings to Kubernetes objects and AWS documents, as plain data: no engine, no I/O."""
