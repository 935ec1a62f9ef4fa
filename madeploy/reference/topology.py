"""The generated part of `docs/topology.md`: the picture of the example stack."""

from __future__ import annotations

import yaml

from madeploy.plan.differences import LOADER
from madeploy.reference.example import example_stack
from madeploy.settings import PROJECT, SECRET_KEYS, Environment
from madeploy.topology.build import build
from madeploy.topology.diagrams import to_mermaid
from madeploy.topology.model import Topology


def example() -> Topology:
    """The picture of the example stack."""
    config = yaml.load(example_stack(), Loader=LOADER)["config"]
    prefix = f"{PROJECT}:"
    sections = {
        key.removeprefix(prefix): value
        for key, value in config.items()
        if key.startswith(prefix) and key.removeprefix(prefix) not in SECRET_KEYS
    }
    return build(Environment.model_validate(sections), "example")


def topology_reference() -> str:
    """What is generated of `docs/topology.md`."""
    return f"```mermaid\n{to_mermaid(example())}```\n"
