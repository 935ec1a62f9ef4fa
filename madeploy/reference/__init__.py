"""Everything that `madeploy schema` writes: the schema and the example of stack files, and references."""
