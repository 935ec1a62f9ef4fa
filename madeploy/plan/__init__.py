"""What a change means: two states of an environment, compared and put into sentences (UX-4)."""
