"""`michelangelo:domains`: the two public names everything else is derived from."""

from __future__ import annotations

from pydantic import Field

from madeploy.settings.base import Host, Section


class Domains(Section):
    """Public host names. Ingress hosts, certificates, the worker's address, the UI's `apiBaseUrl` and
    the CORS origin follow from these two."""

    api: Host
    """Host of the gRPC API on port 443, used by the CLI, the SDK, workers and task pods."""

    app: Host = Field(examples=["app.example.com"])
    """Host of the browser application on port 443: static files and gRPC-Web on one origin."""
