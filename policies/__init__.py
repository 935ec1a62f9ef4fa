"""Policies: pure rules over resources, and the pack that lets the engine run them."""
