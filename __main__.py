"""The Pulumi program: load the stack's configuration, build the platform, export what was made."""

import pulumi

from components.configuration import load
from components.platform import Platform

platform = Platform("michelangelo", load())
for name, value in platform.outputs.items():
    pulumi.export(name, value)
