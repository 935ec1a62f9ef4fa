"""promtool, Prometheus's own check: its verdict on rules, configurations, and unit tests of rules."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

MINUTES = 120
"""Length of every series: one sample a minute."""


def run(*arguments: str | Path) -> tuple[bool, str]:
    """Whether promtool found nothing, and what it said. Fails where continuous integration lacks it."""
    program = shutil.which("promtool")
    if program is None:
        missing = "promtool is not installed; Debian and Ubuntu have it: apt-get install prometheus"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    # It lives for a moment: collecting garbage is a tenth of what it does.
    environ = {**os.environ, "GOGC": "off"}
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300)
    return done.returncode == 0, done.stdout + done.stderr


def check_rules(rules: str, directory: Path) -> tuple[bool, str]:
    """`promtool check rules` on a file of rules."""
    path = directory / "rules.yaml"
    path.write_text(rules)
    return run("check", "rules", path)


def check_config(config: Mapping[str, Any], directory: Path) -> tuple[bool, str]:
    """`promtool check config` on a whole configuration."""
    path = directory / "prometheus.yaml"
    path.write_text(json.dumps(dict(config)))
    return run("check", "config", path)


def expect(
    rules: str,
    series: Mapping[str, str],
    expected: Sequence[tuple[str, Mapping[str, float]]],
    directory: Path,
    at: str = "60m",
) -> tuple[bool, str]:
    """`promtool test rules`: each expression has exactly these samples, by their labels, at that time."""
    (directory / "rules.yaml").write_text(rules)
    test = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": expression,
                        "eval_time": at,
                        "exp_samples": [
                            {"labels": labels, "value": value} for labels, value in samples.items()
                        ],
                    }
                    for expression, samples in expected
                ],
            }
        ],
    }
    path = directory / "test.yaml"
    path.write_text(json.dumps(test))
    return run("test", "rules", path)


def fires(rules: str, series: Mapping[str, str], alerts: set[str], directory: Path) -> tuple[bool, str]:
    """Whether exactly these alerts fire after an hour."""
    firing = 'group by (alertname) (ALERTS{alertstate="firing"})'
    samples = {f'{{alertname="{name}"}}': 1.0 for name in sorted(alerts)}
    return expect(rules, series, [(firing, samples)], directory)
