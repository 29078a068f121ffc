"""Bytes that travel beside the documents: uploaded inputs and large results. Neither sits in memory whole."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from pydantic import TypeAdapter

# A file has to be open for reading in binary, at its beginning, and seekable.
Content: TypeAlias = bytes | Path | BinaryIO


@dataclass(frozen=True, slots=True)
class Upload:
    """Where an announced upload is sent, and with which headers; its length is among them."""

    id: str
    url: str
    signed_headers: Mapping[str, str]


UPLOAD = TypeAdapter(Upload)


class WrongContent(Exception):
    """What was received are not the bytes that the service vouches for."""


@contextmanager
def opened(content: Content) -> Iterator[BinaryIO]:
    """The content as a file; one that was open already stays so."""
    if isinstance(content, bytes):
        yield io.BytesIO(content)
    elif isinstance(content, Path):
        with content.open("rb") as file:
            yield file
    else:
        yield content


def announcement(file: BinaryIO) -> dict[str, Any]:
    """What an upload of the file is announced with; the file is at its beginning again."""
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # any BinaryIO will do
    size_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    return {"size_bytes": size_bytes, "sha256": sha256}


def checked(chunks: Iterable[bytes], *, sha256: str, size_bytes: int) -> Iterator[bytes]:
    """The same chunks; raises `WrongContent` after the last one if they are not these bytes.

    >>> list(checked([b"{", b"}"], sha256=hashlib.sha256(b"{}").hexdigest(), size_bytes=2))
    [b'{', b'}']
    """
    digest, received = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        received += len(chunk)
        yield chunk
    if (received, digest.hexdigest()) != (size_bytes, sha256):
        raise WrongContent(
            f"{received:,} bytes with the SHA-256 {digest.hexdigest()} came; the service has {size_bytes:,} "
            f"with {sha256}."
        )
