"""YAML text as it was written: nodes with places, limits, lines fit to be shown, what was probably meant."""
