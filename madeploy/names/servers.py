"""Addresses of Kubernetes API servers as the platform is told them."""

from __future__ import annotations

from madeploy.settings.servers import parse_server


def split_server(server: str) -> tuple[str, str]:
    """`("https://host", "port")` of an API server's address, in normal form (V5).

    Raises ValueError for what the platform cannot be told (`madeploy.settings.servers`).
    """
    host, port = parse_server(server)
    return f"https://{host}", str(port)
