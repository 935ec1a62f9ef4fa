"""`michelangelo:platform`: which release of the platform is deployed and how strict its environment is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from madeploy.releases import DEFAULT, ReleaseName
from madeploy.settings.base import DnsLabel, Section

Tier = Literal["development", "staging", "production"]


class Platform(Section):
    """The deployed release of Michelangelo and the environment's tier."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "generation": 'It is called `release` now: write `release: "2026.04"` to stay with those services, '
        "or leave it out for 0.12."
    }

    tier: Tier = "production"
    """How strict the rules are: `production` refuses what `development` only reports, such as floating
    image tags. Default `production`, so that a forgotten setting is the safe one."""

    release: ReleaseName = DEFAULT
    """Release of the platform: `0.12`, published in October 2026, or `2026.04`, the services of the operator
    guides. It decides configuration, rights, protocol of the browser application and what clusters must have;
    services stop at keys of another release. `bin/madeploy upgrade` goes from one to the other. Default
    `0.12`."""

    namespace: DnsLabel = "ma-system"
    """Namespace of the control plane's pods. Default `ma-system`. The platform fixes other namespaces
    itself: `Cluster` objects live in `ma-system`, cluster credentials in `default`."""
