"""Models of the registry: what they refer to in the object store, how long they are kept, and whether their
manifests say what their author means."""
