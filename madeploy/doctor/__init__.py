"""Checks of a live environment that say what is wrong with it and what to do."""
