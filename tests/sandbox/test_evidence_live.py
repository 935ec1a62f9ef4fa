"""`evidence --live` on the deployed sandbox: what AWS answers, and what follows when it contradicts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from madeploy.stackfile.edit import set_value
from tests.support.proves import proves
from tests.support.sandbox import Deployed

pytestmark = pytest.mark.sandbox
CHOSEN = {"frameworks": ["soc2", "gdpr"], "regions": ["eu-west-1"]}
BUCKETS = ("michelangelo-sandbox-workspace", "michelangelo-sandbox-models")


@contextmanager
def without_versions(deployed: Deployed, bucket: str) -> Iterator[None]:
    """Somebody suspends a bucket's versions by hand."""
    s3 = deployed.aws("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    try:
        yield
    finally:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


@proves("OPS-4", played="AWS, by moto")
def test_live_answers_decide(deployed: Deployed, tmp_path: Path) -> None:
    """OPS-4: of the buckets that were made; the stack's own file chooses no framework, so a copy does."""
    stack = tmp_path / "Pulumi.sandbox.yaml"
    stack.write_text(set_value(deployed.stack_file.read_text(), ("compliance",), CHOSEN))

    def rows(*more: str) -> dict[str, Any]:
        command = (sys.executable, "-m", "madeploy", "evidence", str(stack), "--live", "--json", *more)
        done = deployed.run(*command)
        # Sign-in, retention and others are not set up in the sandbox.
        assert done.returncode == 1, done.stdout[-2000:] + done.stderr[-2000:]
        return {row["control"]: row for row in json.loads(done.stdout)["rows"]}

    out = tmp_path / "evidence"
    found = rows("-o", str(out))
    said = [f"s3://{name}: AES256, versions Enabled, no public access, in eu-west-1" for name in BUCKETS]
    assert found["residency"]["live"] == said
    assert found["encryption-at-rest"]["live"] == said
    # Nothing of EKS is named, so nothing shows that Secrets are encrypted.
    assert found["encryption-at-rest"]["result"] == "not shown"
    assert found["encryption-in-transit"]["result"] == "failed"
    assert any(
        "api.sandbox.example.com:443: no answer" in text for text in found["encryption-in-transit"]["live"]
    )
    assert sorted(path.suffix for path in out.iterdir()) == [".csv", ".html", ".json"]
    assert said[0] in next(out.glob("*.html")).read_text()

    with without_versions(deployed, BUCKETS[0]):
        changed = rows()["encryption-at-rest"]
    assert changed["result"] == "failed"
    assert f"s3://{BUCKETS[0]}: AES256, versions Suspended" in changed["reasons"][0]
