"""Fleets: which stack holds what of which cluster. Pure: names and plans, no engine and no network."""
