"""Live proof: whether registered clusters can be used, asked with what the platform itself would use."""
