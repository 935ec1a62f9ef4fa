"""Run the checkout's Pulumi program in the engine and write what it registers, secrets included."""

from __future__ import annotations

import json
import runpy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pulumi

from tests.support.recording import registration

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"


def main(path: str) -> None:
    """Stand between the SDK and the engine while the program runs; a line of JSON for each registration that
    the engine has answered goes to `path`."""
    monitor: Any = pulumi.runtime.settings.SETTINGS.monitor
    ask = monitor.RegisterResource

    def recording(request: Any) -> Any:
        answer = ask(request)
        if request.type != "pulumi:pulumi:Stack":
            line = json.dumps(asdict(registration(request, answer.urn)), default=sorted)
            with open(path, "a", encoding="utf-8") as file:
                file.write(f"{line}\n")
        return answer

    monitor.RegisterResource = recording
    runpy.run_path(str(PROGRAM), run_name="__main__")
