"""What a failed `go build` means to the person waiting for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from madeploy.sandbox.errors import SandboxError
from madeploy.sandbox.tools import cache
from madeploy.sandbox.tools.catalog import Family

SHOWN_LINES: Final = 12
_RETRY = "then run the same command again: what is fetched and compiled already is kept"


@dataclass(frozen=True)
class _Cause:
    pattern: str
    why: str
    fix: str


# The first that matches counts: a checksum that does not match is never blamed on the network.
_CAUSES: Final = (
    _Cause(
        r"checksum mismatch|SECURITY ERROR|verifying (module|go\.mod)",
        "a module's content is not what go.sum says it must be: what was downloaded was changed at its "
        "source or on its way",
        "do not work around it. Look at GOPROXY (`go env GOPROXY`) and at whatever stands between it and "
        f"this machine; `go clean -modcache` removes a damaged local copy; {_RETRY}",
    ),
    _Cause(
        r"requires go >= |invalid go version|toolchain not available|unknown directive: tool",
        "the Go toolchain is too old, and no newer one could be fetched",
        f"install the Go version named in the log or later (https://go.dev/doc/install), {_RETRY}",
    ),
    _Cause(
        r"dial tcp|lookup \S+ on|no such host|i/o timeout|connection re(fused|set)|network is unreachable|"
        r"proxyconnect|TLS handshake timeout|x509: |module lookup disabled|server response|unexpected EOF|"
        r"context deadline exceeded|40[0-9] |50[0-9] ",
        "Go modules could not be downloaded",
        "check that this machine reaches its Go module proxy (`go env GOPROXY`; HTTPS_PROXY and "
        f"SSL_CERT_FILE if there is a company proxy), {_RETRY}",
    ),
    _Cause(
        r"signal: killed|out of memory|cannot allocate memory",
        "the compiler or linker ran out of memory",
        f"free memory (a build takes up to 3 GB) or set GOMAXPROCS=1, {_RETRY}",
    ),
)


def explain(family: Family, log: Path, returncode: int) -> SandboxError:
    """The error for a `go build` of `family` that ended with `returncode`, from what it wrote to `log`."""
    text = log.read_text(encoding="utf-8", errors="replace")
    tail = f"the end of {log}:\n{last_lines(log)}"
    if re.search(r"no space left on device|disk quota exceeded", text, re.IGNORECASE):
        return cache.disk_full(tail)
    names = ", ".join(family.packages)
    for cause in _CAUSES:
        if re.search(cause.pattern, text):
            return SandboxError(f"could not build {names}", f"{cause.why}; {tail}", cause.fix)
    return SandboxError(
        f"could not build {names}",
        f"`go build` ended with code {returncode}; {tail}",
        f"remove the cause the log names, {_RETRY}; or put an acceptable copy on PATH (`madeploy tools "
        "--json` says which)",
    )


def last_lines(log: Path) -> str:
    """The end of a build's log, without the lines that only name a package being compiled."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    telling = [line for line in lines if " " in line or line.endswith(":")] or lines
    return "\n".join(telling[-SHOWN_LINES:])
