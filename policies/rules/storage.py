"""Rules about buckets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .model import Rule

_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
_SWITCHES = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def _public(token: str, properties: Mapping[str, Any]) -> Iterator[str]:
    if token == _BLOCK:
        for switch in _SWITCHES:
            if properties.get(switch) is not True:
                yield f"Bucket {properties.get('bucket')} may become public: {switch} is not true."


PUBLIC_BUCKETS = Rule("no-public-buckets", "Buckets block public access in all four ways.", _public)
