"""Environments that many tests look at, deployed once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import environments
from tests.support.programs import deployed_once
from tests.support.recording import Recording


@pytest.fixture(scope="package")
def aws() -> tuple[Recording, dict[str, Any]]:
    return deployed_once(environments.production_aws)


@pytest.fixture(scope="package")
def minio() -> tuple[Recording, dict[str, Any]]:
    return deployed_once(environments.gateway_minio)
