"""The Pulumi program: load the stack's configuration, build what the stack holds, export what was made."""

import pulumi

from components.configuration import load
from components.program import build

for name, value in build(load()).items():
    pulumi.export(name, value)
