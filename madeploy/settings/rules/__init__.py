"""Rules between sections: what no single value can say. One module per area, one function per rule."""

from madeploy.settings.checks import RULES
from madeploy.settings.rules import clusters, credentials, fleet, images, network, origins, services, storage

__all__ = ["RULES", "clusters", "credentials", "fleet", "images", "network", "origins", "services", "storage"]
