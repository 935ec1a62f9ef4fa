"""Addresses of Kubernetes API servers."""

from __future__ import annotations

from urllib.parse import urlsplit


def split_server(server: str) -> tuple[str, str]:
    """`("https://host", "port")` of an API server's address.

    Raises ValueError for what the platform cannot be told: it joins host and port with a colon, so no
    path can follow, and sends no token over plain HTTP (facts 3.1).
    """
    try:
        url = urlsplit(server)
        port = url.port
    except ValueError as error:
        raise ValueError(f"is no URL: {error}") from None
    if url.scheme != "https":
        raise ValueError("does not start with https://; the platform sends no token over plain HTTP")
    if url.username is not None or url.password is not None:
        raise ValueError("carries a user name or password; take them out of the address")
    if not url.hostname:
        raise ValueError("has no host")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError(
            "has something after the port; the platform appends the port to the host, so no path is "
            "possible. Give an address without one, such as the cluster's own instead of a proxy's"
        )
    if "%" in url.hostname:
        raise ValueError("has an IPv6 zone, which means nothing outside this machine")
    if port == 0:
        raise ValueError("has port 0; ports are 1 to 65535")
    host = f"[{url.hostname}]" if ":" in url.hostname else url.hostname
    return f"https://{host}", str(port or 443)
