"""What browsers and callers from outside meet: Envoy, the application, Ingress or Gateway API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components import bundles
from manifests.objects import Bundle


@dataclass(frozen=True)
class GatewayArgs:
    """What a gateway is made from."""

    bundles: Mapping[str, Bundle]
    """The catalog's bundles by name."""

    after: Sequence[pulumi.Resource]
    """The API server, which Envoy and the doors send calls to, and the certificates' issuers."""

    doors_hooks: pulumi.ResourceHookBinding | None
    """What the doors wait for besides: the Gateway API's definitions where they use it."""


class Gateway(pulumi.ComponentResource):
    """Envoy (CP-5), the application (CP-4), and the doors to them and to the API (NET-1)."""

    def __init__(self, name: str, args: GatewayArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("michelangelo:index:Gateway", name, {}, opts)
        own = pulumi.ResourceOptions(parent=self)
        # All at once: Envoy's own certificate may need the door's HTTP port before Envoy can start.
        bundles.create(args.bundles["envoy"], own, args.after)
        bundles.create(args.bundles["ui"], own, args.after)
        bundles.create(args.bundles["doors"], own, args.after, args.doors_hooks)
        self.register_outputs({})
