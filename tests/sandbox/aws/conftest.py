"""The plugins and the sandbox's AWS, without clusters."""

from __future__ import annotations

import itertools
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from madeploy.sandbox.aws import REGION, Aws
from madeploy.sandbox.component import START_SECONDS
from madeploy.sandbox.plugins import PluginChoice
from madeploy.sandbox.state import StateDirectory
from tests.sandbox.aws.stores import Client, empty
from tests.support.engine import Stack
from tests.support.plugins import chosen
from tests.support.ports import free_port

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """The sandbox's AWS, running; it writes down what it is asked."""
    server = Aws(StateDirectory(tmp_path_factory.mktemp("aws")), free_port())
    component = server.component({"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(map(str, [ROOT]))})
    assert component.prepare is not None
    assert component.is_ready is not None
    component.prepare()
    with subprocess.Popen(component.argv, env=component.environment, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + START_SECONDS
        while not component.is_ready():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield server
        child.terminate()


ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def plugins(
    aws: Aws, tool_paths: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PluginChoice]:
    """The plugins under test, on PATH with the engine."""
    with chosen(tmp_path_factory.mktemp("plugins"), tool_paths, aws.variables) as choice:
        yield choice


@pytest.fixture
def prefix() -> str:
    """Start of the names of buckets of the test's own."""
    return f"store-{next(_numbers)}"


@pytest.fixture
def stack(plugins: PluginChoice, prefix: str, tmp_path: Path) -> Stack:
    """An empty stack. Names of roles and aliases have its name in them."""
    return Stack(prefix, tmp_path, {})


@pytest.fixture
def client(aws: Aws) -> Client:
    """Clients that owe nothing to the plugins."""
    given = {
        "endpoint_url": aws.endpoint,
        "region_name": REGION,
        "aws_access_key_id": "sandbox",
        "aws_secret_access_key": "sandbox",
    }
    return lambda name, **more: boto3.client(name, **{**given, **more})


@pytest.fixture
def kept(stack: Stack, prefix: str, client: Client) -> Iterator[None]:
    """Removes what a test leaves in buckets that outlive their stack."""
    yield
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        if bucket["Name"].startswith(f"{prefix}-"):
            empty(s3, bucket["Name"])
            s3.delete_bucket(Bucket=bucket["Name"])
