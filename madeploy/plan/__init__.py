"""Consequences of a change: two states of an environment, compared and put into sentences (UX-4)."""
