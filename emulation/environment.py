"""What the stack's processes know of the world: this machine, and no AWS account but the emulated one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from emulation.worker import REGION

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}


def isolated(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that leads to a real account, or around it through a proxy.

    >>> sorted(isolated({"AWS_PROFILE": "work", "HOME": "/home/me"}))[-2:]
    ['PYTHONPATH', 'no_proxy']
    """
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }


def edge_client(service: str, edge_url: str) -> Any:
    """A boto3 client that talks to the edge, whatever this machine's AWS settings say."""
    return boto3.client(
        service,
        endpoint_url=edge_url,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        # One try, for the edge is a part of this process: when it does not answer, it is stopping.
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=2,
            read_timeout=30,
            max_pool_connections=32,
            s3={"addressing_style": "path"},
        ),
    )
