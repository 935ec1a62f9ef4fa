"""Environments that many tests look at, deployed once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import environments
from tests.support.programs import deploy
from tests.support.recording import Recording


@pytest.fixture(scope="package")
def aws() -> tuple[Recording, dict[str, Any]]:
    return deploy(environments.production_aws())


@pytest.fixture(scope="package")
def minio() -> tuple[Recording, dict[str, Any]]:
    return deploy(environments.gateway_minio())
