"""An environment as files: the objects that an update applies, in the order it applies them, for GitOps
engines and `kubectl`."""
