"""`python -m tests.support.resolving HOST=ADDRESS … -- ARGUMENTS`: this toolkit's command on a machine whose
resolver knows these hosts besides."""

from __future__ import annotations

import socket
import sys
from typing import Any

from madeploy.cli.app import main

if __name__ == "__main__":
    at = sys.argv.index("--")
    known = dict(pair.split("=", 1) for pair in sys.argv[1:at])
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        return real(known.get(host, host), *more, **named)

    socket.getaddrinfo = getaddrinfo
    sys.argv = ["madeploy", *sys.argv[at + 1 :]]
    main()
