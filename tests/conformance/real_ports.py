"""The real ports on an endpoint: the stack's own tables, queues and bucket, made as the stack makes them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from chalicelib.adapters.dynamodb import Tables
from emulation.resources import create_resources

RESOURCES = Path(__file__).parents[2] / ".chalice" / "resources.json"


def client(service: str, *, endpoint: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"mode": "standard", "max_attempts": 3}),
    )


def tables(endpoint: str) -> Tables:
    return Tables(client("dynamodb", endpoint=endpoint), backoff=lambda _: None)


def make_resources(endpoint: str) -> None:
    create_resources(json.loads(RESOURCES.read_text()), partial(client, endpoint=endpoint))
