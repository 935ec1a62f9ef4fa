"""What a program registered, as a file, the same way on both sides."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from tests.support.recording import Recording


def write(recording: Recording, path: Path) -> None:
    """Every registration as JSON, in order."""
    registrations = [asdict(resource) for resource in recording.resources]
    path.write_text(json.dumps(registrations, default=sorted), encoding="utf-8")
