"""Evidence that an environment keeps the controls of its frameworks."""
