"""The stack a person works on: its file, its secrets, its clusters, its updates by the Pulumi CLI."""
