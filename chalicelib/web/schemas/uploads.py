"""An upload: what a client announces, and how it is to be sent."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.payload import UPLOAD_BYTES
from chalicelib.use_cases.create_upload import Announced
from chalicelib.web.schemas.base import Digest, SignedUrl, Timestamp, UploadId, Wire, WireRequest

UploadSize = Annotated[int, Field(ge=1, le=UPLOAD_BYTES)]


class UploadRequest(WireRequest):
    """The length and the SHA-256 (hex) of the bytes that will be sent: no others can be."""

    size_bytes: UploadSize
    sha256: Digest


class UploadHeaders(Wire):
    """The headers that the request to `url` must have, each with exactly this value."""

    content_length: Annotated[
        str, Field(alias="content-length", pattern=r"^[1-9][0-9]*$", max_length=len(str(UPLOAD_BYTES)))
    ]
    x_amz_checksum_sha256: Annotated[
        str, Field(alias="x-amz-checksum-sha256", pattern=r"^[0-9A-Za-z+/]{43}=$", max_length=44)
    ]


class Upload(Wire):
    """Where and how to send the bytes, without a token, until `expires_at`; then a submit may name `id`."""

    object: Literal["upload"] = "upload"
    id: UploadId
    url: SignedUrl
    method: Literal["PUT"] = "PUT"
    signed_headers: UploadHeaders
    size_bytes: UploadSize
    sha256: Digest
    expires_at: Timestamp


def upload_view(announced: Announced) -> Upload:
    """The upload as its tenant sees it."""
    return Upload(
        id=announced.upload.upload_id,
        url=announced.link.url,
        signed_headers=UploadHeaders.model_validate(announced.headers),
        size_bytes=announced.upload.size_bytes,
        sha256=announced.upload.sha256,
        expires_at=announced.link.expires_at,
    )
