"""moto as a server of the test's own process: AWS that has been asked nothing yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

HOST = "127.0.0.1"


@contextmanager
def local_aws() -> Iterator[str]:
    """One that listens; gives its address, `host:port`. It remembers nothing of earlier ones."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(HOST, 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        # Its memory is the process's, whichever test filled it.
        urllib3.request("POST", f"http://{host}:{port}/moto-api/reset")
        yield f"{host}:{port}"
    finally:
        server.stop()


@contextmanager
def local_store(keys: tuple[str, str], buckets: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """The same with buckets in Ireland; gives its URL, and a client with these keys, an id and a secret."""
    import boto3

    with local_aws() as address:
        url = f"http://{address}"
        client = boto3.client(
            "s3",
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
        )
        for name in buckets:
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield url, client
