"""Cases of codes MA6xx."""

from __future__ import annotations

from tests.rules.cases.sections import SCRAPED, Allowed, Broken

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    ("MA601", "info", "network.alerts", {"network": {"alerts": True}}),
    ("MA601", "info", "network.alerts", {"network": SCRAPED | {"alerts": True}, "monitoring": {}}),
    ("MA602", "error", "monitoring", {"monitoring": {}}),
]

ALLOWED: list[Allowed] = [
    ("MA601", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": SCRAPED, "monitoring": {}}),
    ("MA602", {"network": {"policies": False}, "monitoring": {"kind": "files"}}),
]
