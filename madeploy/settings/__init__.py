"""Models of a stack file: strict, frozen, typed sections."""

from madeploy.settings.environment import CONTROL_PLANE, PROJECT, SECRET_KEYS, Environment

__all__ = ["CONTROL_PLANE", "PROJECT", "SECRET_KEYS", "Environment"]
