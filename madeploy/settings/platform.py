"""`michelangelo:platform`: which platform generation is deployed and how strict its environment is."""

from __future__ import annotations

from typing import Literal

from madeploy.settings.base import DnsLabel, Section

Tier = Literal["development", "staging", "production"]
Generation = Literal["2026.04"]


class Platform(Section):
    """The deployed generation of Michelangelo and the environment's tier."""

    tier: Tier = "production"
    """How strict the rules are: `production` refuses what `development` only reports, such as floating
    image tags. Default `production`, so that a forgotten setting is the safe one."""

    generation: Generation = "2026.04"
    """The image generation whose configuration keys are emitted. Services refuse keys of another
    generation at start-up. Default and only value so far: `2026.04`, the one the guides describe."""

    namespace: DnsLabel = "ma-system"
    """Namespace of the control plane's pods. Default `ma-system`. The platform fixes other namespaces
    itself: `Cluster` objects live in `ma-system`, cluster credentials in `default`."""
