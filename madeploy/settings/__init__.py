"""What may be said in a stack file: strict, frozen, typed sections and the rules between them."""

from madeploy.settings.environment import CONTROL_PLANE, PROJECT, SECRET_KEYS, Environment

__all__ = ["CONTROL_PLANE", "PROJECT", "SECRET_KEYS", "Environment"]
