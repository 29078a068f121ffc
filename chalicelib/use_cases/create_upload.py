"""Creating an upload: a place for an input that is too large for a request, and a link to send it by.

Nothing is stored: the link's signature alone says whose upload it is, how long and with which hash.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.payload import Link, Upload
from chalicelib.ports import Clock, Ids, Uploads


@dataclass(frozen=True, slots=True)
class Announced:
    """An upload that may be sent: by this link, with these headers."""

    upload: Upload
    link: Link
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUpload:
    """A fresh upload a call. Without an idempotency key: one that is never sent costs nobody anything."""

    uploads: Uploads
    clock: Clock
    ids: Ids

    def __call__(self, tenant_id: str, *, size_bytes: int, sha256: str) -> Announced:
        """The upload of as many bytes with this SHA-256 (hex)."""
        now = self.clock.now()
        upload_id = self.ids.new_id("upl_", at=now)  # which says when it expires
        upload = Upload(tenant_id=tenant_id, upload_id=upload_id, size_bytes=size_bytes, sha256=sha256)
        link = self.uploads.link(upload, now=now)
        return Announced(upload, link, self.uploads.headers(upload))
