"""What is too large for a table."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import Link, Upload, UploadedInput


class Payloads(Protocol):
    """Results, stored under the hash of their content: another content can never overwrite them."""

    def put(self, ref: JobRef, content: bytes) -> str:
        """The storage key."""

    def get(self, storage_key: str) -> bytes:
        """Exactly the bytes that were stored."""

    def link(self, storage_key: str, *, now: datetime) -> Link:
        """A GET of it gives exactly those bytes, to anyone, for `LINK_LIFETIME`."""


class Checkpoints(Protocol):
    """What runs need to go on, stored under the hash of its content; none of it is kept for ever."""

    def put(self, ref: JobRef, content: bytes) -> str:
        """The storage key."""

    def get(self, storage_key: str) -> bytes | None:
        """Exactly the bytes that were stored, if they are still there."""


class Uploads(Protocol):
    """Inputs that tenants upload by themselves."""

    def link(self, upload: Upload, *, now: datetime) -> Link:
        """A PUT to it with the upload's headers stores what was announced, and nothing else."""

    def headers(self, upload: Upload) -> Mapping[str, str]:
        """The headers that the PUT must have, as they stand here; names in lower case."""

    def keep(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """A copy that lasts, if the upload has been sent; the same however often."""

    def kept(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """The copy, if one was made."""

    def read(self, uploaded: UploadedInput) -> bytes:
        """The bytes that were uploaded; the caller checks their hash."""
