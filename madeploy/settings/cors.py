"""`michelangelo:cors`: which browser origins may call the API through Envoy."""

from __future__ import annotations

from pydantic import Field

from madeploy.settings.base import Section
from madeploy.settings.origins import Origin


class Cors(Section):
    """Cross-origin rules enforced by Envoy. The application's own origin, `https://<domains.app>`, is
    always allowed and is not repeated here."""

    additional_origins: tuple[Origin, ...] = ()
    """More origins that may call the API: `https://host`, with a port where it is not 443, or
    `https://*.example.com` for every direct sub-domain. Never a regular expression. Default: none."""

    allow_credentials: bool = False
    """Whether browsers may send cookies and client certificates across origins. Default false: the
    platform sends no credentials in these releases."""

    max_age_seconds: int = Field(default=1_728_000, ge=0, le=31_536_000)
    """How long, in seconds, a browser may keep a preflight answer. Default 1,728,000 (20 days), the
    value of the network guide; browsers apply lower limits of their own."""
