"""The largest payloads pass through the client a piece at a time."""

import hashlib
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from client.jobs import JobsClient

LARGEST_BYTES = 100 * 1024 * 1024
# Some buffers of 64 KiB, and what the client is made of.
BOUND_BYTES = 8 * 1024 * 1024
ZEROS = bytes(1024 * 1024)


class Zeros(httpx.SyncByteStream):
    """As many bytes as the largest payload has."""

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(LARGEST_BYTES // len(ZEROS)):
            yield ZEROS


class Store(httpx.BaseTransport):
    """An API and a store that keep nothing of what they are sent but its length and its hash."""

    def __init__(self) -> None:
        self.received_bytes = 0
        self.digest = hashlib.sha256()
        self.put_headers = httpx.Headers()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 600})
        if request.method == "PUT":
            self.put_headers = request.headers
            assert isinstance(request.stream, httpx.SyncByteStream)
            for chunk in request.stream:
                self.received_bytes += len(chunk)
                self.digest.update(chunk)
            return httpx.Response(200)
        if request.method == "POST":
            headers = {"content-length": str(LARGEST_BYTES), "x-amz-checksum-sha256": "RBNv"}
            link = {"id": "upl_1", "url": "http://store.test/1", "signed_headers": headers}
            return httpx.Response(201, json=link)
        if request.url.host == "store.test":
            return httpx.Response(200, stream=Zeros())
        return httpx.Response(200, json=stored())


def stored() -> dict[str, Any]:
    whole = {"job_id": "job_1", "content": None, "size_bytes": LARGEST_BYTES, "sha256": zeros_digest()}
    return {**whole, "download_url": "http://store.test/2", "salt": "0x01", "commitment": "0x02"}


def zeros_digest() -> str:
    digest = hashlib.sha256()
    for chunk in Zeros():
        digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def within_bounds() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < BOUND_BYTES


def test_memory_stays_bounded_when_the_largest_input_is_uploaded(tmp_path: Path) -> None:
    path, store = tmp_path / "input.json", Store()
    with path.open("wb") as file:
        file.truncate(LARGEST_BYTES)
    with JobsClient("http://jobs.test", "cli_1", "s", transport=store) as client, within_bounds():
        assert client.upload(path) == "upl_1"
    assert (store.received_bytes, store.digest.hexdigest()) == (LARGEST_BYTES, zeros_digest())
    assert store.put_headers.get_list("content-length") == [str(LARGEST_BYTES)]
    assert "transfer-encoding" not in store.put_headers


def test_memory_stays_bounded_when_the_largest_result_is_downloaded() -> None:
    with JobsClient("http://jobs.test", "cli_1", "s", transport=Store()) as client, within_bounds():
        found = client.stored_result("job_1")
        assert sum(map(len, client.content_of(found))) == LARGEST_BYTES
