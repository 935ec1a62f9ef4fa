"""Checks of one registration, with the address, authority and token that the platform itself uses."""
