"""Objects as large as a job's input may be go through the edge, which meanwhile answers others."""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config

from emulation.clock import SystemClock
from emulation.edge import OBJECT_LIMIT_BYTES, Edge
from tests.waiting import until

LARGEST_INPUT_BYTES = 104_857_600
BUCKET, KEY = "large-objects", "a"


@asynccontextmanager
async def edge() -> AsyncIterator[tuple[int, httpx.AsyncClient]]:
    running = Edge(clock=SystemClock())
    port = await running.start()
    base_url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False, verify=False) as http:
        await http.put(f"/{BUCKET}")
        yield port, http
    await running.stop()


def signed(operation: str, port: int, **parameters: object) -> str:
    s3 = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    url = urlsplit(s3.generate_presigned_url(operation, {"Bucket": BUCKET, "Key": KEY, **parameters}))
    return f"{url.path}?{url.query}"


def test_object_comes_back_when_it_is_as_large_as_an_input_may_be() -> None:
    content = b"0123456789abcdef" * (LARGEST_INPUT_BYTES // 16)
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()

    async def scenario() -> None:
        async with edge() as (port, http):
            url = signed("put_object", port, ChecksumSHA256=checksum)
            headers = {"x-amz-checksum-sha256": checksum}
            answer = await http.put(url, content=content, headers=headers)
            assert (answer.status_code, answer.text) == (200, "")
            read = await http.get(signed("get_object", port))
            assert hashlib.sha256(read.content).digest() == base64.b64decode(checksum)

    asyncio.run(scenario())


@pytest.mark.parametrize("framing", ["Content-Length: {}", "Transfer-Encoding: chunked"])
def test_upload_is_refused_before_it_is_read_when_it_is_too_large(framing: str) -> None:
    async def scenario() -> None:
        async with edge() as (port, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            length = framing.format(OBJECT_LIMIT_BYTES + 1)
            writer.write(f"PUT /{BUCKET}/{KEY} HTTP/1.1\r\nHost: s3\r\n{length}\r\n\r\n".encode())
            if "chunked" in framing:
                piece = bytes(OBJECT_LIMIT_BYTES // 8)
                for _ in range(9):
                    writer.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                    await writer.drain()
            answer = await asyncio.wait_for(reader.read(), 10)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert b"<Code>EntityTooLarge</Code>" in answer

    asyncio.run(scenario())


def test_edge_forgets_an_upload_when_its_client_goes_away_halfway() -> None:
    async def scenario() -> None:
        running = Edge(clock=SystemClock())
        port = await running.start()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"PUT /b/a HTTP/1.1\r\nHost: s3\r\nContent-Length: 99999999\r\n\r\n" + bytes(20_000_000))
        await writer.drain()
        writer.close()
        await asyncio.to_thread(until, lambda: running.in_flight == 0, within_seconds=10)
        await running.stop()

    asyncio.run(scenario())  # a file that is left open is a warning, and so an error
