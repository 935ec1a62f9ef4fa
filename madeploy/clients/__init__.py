"""Live edges: the few calls the toolkit itself makes to the systems an environment consists of."""
