"""Verification of a registration. A package, so that what its tests share ends with them, before others on
the same clusters begin."""
