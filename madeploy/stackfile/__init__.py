"""A stack file: read with places, checked, edited."""
