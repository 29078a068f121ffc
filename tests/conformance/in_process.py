"""boto3 clients that reach an `Aws` without a network: quick, and on whatever clock it follows."""

from functools import partial
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.core.botocore_stubber import MockRawResponse

from emulation.aws import Aws
from emulation.http import Request, Response

ACCOUNT = "123456789012"
REGION = "us-east-1"


def connect(service: str, endpoint: str = "http://127.0.0.1:4566") -> Any:
    """A boto3 client of the local account that never retries."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=32
        ),
    )


def connect_in_process(aws: Aws, service: str) -> Any:
    """A boto3 client whose requests are answered by `aws`."""
    client = connect(service)
    client.meta.events.register("before-send", partial(answer, aws))
    return client


def answer(aws: Aws, request: AWSPreparedRequest, **_: object) -> AWSResponse:
    """What `aws` says to a request that botocore is about to send."""
    response = send(aws, request)
    headers = HTTPHeaders()
    for name, value in response.headers:
        headers[name] = value
    return AWSResponse(request.url, response.status, headers, MockRawResponse(response.body))


def send(aws: Aws, request: AWSPreparedRequest) -> Response:
    """Hands a prepared request over as the edge would have read it from the wire."""
    url = urlsplit(str(request.url))
    body: Any = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    headers = [(name, _text(value)) for name, value in request.headers.items()] + [("Host", url.netloc)]
    return aws.handle(
        Request(
            method=str(request.method),
            path=url.path,
            query=url.query,
            headers=tuple(headers),
            body=body.encode() if isinstance(body, str) else bytes(body),
            source_ip="127.0.0.1",
        )
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
