"""The Pulumi program's resources: the only code that knows the engine."""
