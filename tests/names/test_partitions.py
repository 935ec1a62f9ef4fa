"""AWS partitions: which region is in which, and how hosts are called there."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import boto3
import pytest

from madeploy.names.aws import partition, service_host
from madeploy.names.partitions import partitions, regions
from madeploy.names.storage import s3_url
from manifests.inputs import Inputs
from manifests.retention import retention
from tests.rules.cases.sections import existing
from tests.support.environments import environment
from tests.support.stacks import load

OF_THE_SDK = boto3.Session()
ONE_OF_EACH = [one.regions[0] for one in partitions()]


@pytest.mark.parametrize("name", OF_THE_SDK.get_available_partitions())
def test_every_region_is_in_the_partition_the_sdk_puts_it_in(name: str) -> None:
    """MR-1, MR-2: commercial, China, GovCloud, the isolated ones, the European sovereign cloud."""
    known = OF_THE_SDK.get_available_regions("s3", partition_name=name)
    assert set(known) <= set(regions())
    assert {partition(region) for region in known} <= {name}


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("us-isob-south-9", "aws-iso-b"),
        ("eusc-de-west-7", "aws-eusc"),
        ("cn-south-2", "aws-cn"),
        ("us-gov-central-1", "aws-us-gov"),
        ("eu-isoe-north-3", "aws-iso-e"),
        ("eu-north-9", "aws"),
        ("atlantis-central-1", "aws"),
    ],
)
def test_a_region_to_come_is_in_the_partition_its_name_says(region: str, name: str) -> None:
    """MR-1: as AWS SDKs take it, `aws` where nothing says otherwise."""
    assert partition(region) == name


@pytest.mark.parametrize("region", ONE_OF_EACH)
def test_the_object_store_is_called_where_the_sdk_calls_it(region: str) -> None:
    """MR-1, CP-2: one region of each partition."""
    client = boto3.client("s3", region, aws_access_key_id="example", aws_secret_access_key="example")
    storage = environment(storage=existing() | {"region": region}).storage
    assert s3_url(storage) == client.meta.endpoint_url


@pytest.mark.parametrize("region", ONE_OF_EACH)
def test_the_retention_job_asks_for_credentials_where_the_sdk_does(region: str) -> None:
    """MR-8: its image has no AWS SDK that would know."""
    client = boto3.client("sts", region, aws_access_key_id="example", aws_secret_access_key="example")
    wanted = environment(storage=existing() | {"region": region}, modelRegistry={"retentionDays": 90})
    jobs: list[Any] = [item for item in retention(Inputs(wanted, "prod")) if item["kind"] == "CronJob"]
    (container,) = jobs[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    variables = {item["name"]: item["value"] for item in container["env"]}
    assert variables["AWS_ENDPOINT_URL_STS"] == client.meta.endpoint_url
    assert variables["AWS_ENDPOINT_URL_STS"] == f"https://{service_host('sts', region)}"


def test_settings_are_read_without_the_sdk(tmp_path: Any) -> None:
    """UX-2: its modules take longer to import than everything else together."""
    load(tmp_path)
    code = (
        "import sys; from madeploy.names.aws import partition; import madeploy.stackfile.loader;"
        "assert partition('cn-north-1') == 'aws-cn';"
        "print([name for name in sys.modules if name.startswith(('boto3', 'botocore'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
