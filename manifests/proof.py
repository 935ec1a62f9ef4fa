"""The static proof: what the rendered objects refer to exists, matches and is reachable."""
