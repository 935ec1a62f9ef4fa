"""`python -m benchmarks`: the same as `bin/madeploy bench`."""

from __future__ import annotations

import typer

from madeploy.cli.bench import bench

if __name__ == "__main__":
    typer.run(bench)
