"""Provider plugins of the sandbox: which one serves a package, and offline stand-ins where none can be had.

The program uses pulumi-kubernetes and pulumi-aws. Their plugins are large programs from a download server;
where they are installed or can be downloaded, they are used unchanged. Elsewhere small Python programs of
this package take their place, for the sandbox only."""

from madeploy.sandbox.plugins.selection import Mode, PluginChoice, Source, select

__all__ = ["Mode", "PluginChoice", "Source", "select"]
