"""A picture of an environment: who talks to whom, from the table of flows."""
