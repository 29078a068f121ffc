"""The real ports on an endpoint: the stack's own tables, queues and bucket, made as the stack makes them."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_items import JOBS, READY_INDEX
from chalicelib.adapters.s3 import Links, S3Checkpoints, S3Payloads, S3Uploads
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


def forget_ready(endpoint: str) -> None:
    """Takes away the jobs that other tests have left for any worker."""
    dynamodb = client("dynamodb", endpoint=endpoint)
    pages = dynamodb.get_paginator("scan").paginate(TableName=JOBS, IndexName=READY_INDEX)
    for item in [item for page in pages for item in page["Items"]]:
        key = {name: item[name] for name in ("tenant_id", "job_id")}
        dynamodb.delete_item(TableName=JOBS, Key=key)


def payloads(endpoint: str) -> S3Payloads:
    return S3Payloads(client("s3", endpoint=endpoint), links(endpoint))


def checkpoints(endpoint: str) -> S3Checkpoints:
    return S3Checkpoints(client("s3", endpoint=endpoint))


def uploads(endpoint: str) -> S3Uploads:
    return S3Uploads(client("s3", endpoint=endpoint), links(endpoint))


def links(endpoint: str) -> Links:
    return Links(client("s3", endpoint=endpoint), Credentials("test", "test"))
