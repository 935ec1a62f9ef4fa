"""The Pulumi program: load the stack's configuration, build what the stack holds, export what was made."""

import gc
import os
import sys

# As in the environments that bin/madeploy makes; here for those that `pulumi install` makes.
if os.environ.get("PYTHONDONTWRITEBYTECODE") and sys.dont_write_bytecode:
    sys.pycache_prefix = sys.pycache_prefix or os.path.join(sys.prefix, "pycache")
    sys.dont_write_bytecode = False

# What a program makes it keeps until it ends: looking for garbage every 700 objects finds none, and takes a
# tenth of its time and more.
if gc.isenabled():
    gc.set_threshold(20_000)

import pulumi

from components.configuration import load
from components.messages import leave_out_steps
from components.program import build

leave_out_steps()
for name, value in build(load()).items():
    pulumi.export(name, value)
