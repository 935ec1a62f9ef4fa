"""Cases of codes MA5xx."""

from __future__ import annotations

from tests.rules.cases.sections import Allowed, Broken, override

BROKEN: list[Broken] = [
    # code, severity, subject, sections
    (
        "MA501",
        "error",
        "controlPlane.controllermgr.config.mysql.password",
        override("controllermgr", mysql={"password": "example"}),
    ),
]

ALLOWED: list[Allowed] = []
