"""A result, with what it takes to check it against the chain."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.payload import INLINE_BYTES
from chalicelib.use_cases.read_result import StoredResult
from chalicelib.web.schemas.base import Count, Digest, JobId, SignedUrl, Timestamp, Wire, Word


class Result(Wire):
    """`content` is the exact text that was hashed: commitment = keccak256(salt ‖ keccak256(content)).

    Where that is longer than `INLINE_BYTES`, a GET of `download_url` has it, without a token.
    """

    object: Literal["result"] = "result"
    job_id: JobId
    media_type: Literal["application/json"] = "application/json"
    content: Annotated[str, Field(max_length=INLINE_BYTES)] | None
    size_bytes: Count
    download_url: SignedUrl | None
    download_expires_at: Timestamp | None
    sha256: Digest
    salt: Word
    commitment: Word


def result_view(stored: StoredResult) -> Result:
    """The result as its tenant sees it."""
    return Result(
        job_id=stored.ref.job_id,
        content=None if stored.content is None else stored.content.decode(),
        size_bytes=stored.size_bytes,
        download_url=stored.link.url if stored.link else None,
        download_expires_at=stored.link.expires_at if stored.link else None,
        sha256=stored.result.sha256,
        salt=stored.result.salt,
        commitment=stored.result.commitment,
    )
