"""Payloads, uploads and checkpoints in memory, with the promises of the real ones."""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import Link, Upload, UploadedInput, link_expiry


class MemoryPayloads:
    """The `Payloads` port."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Payloads.put`."""
        key = f"{ref.tenant_id}/{ref.job_id}/{hashlib.sha256(content).hexdigest()}"
        self._contents[key] = content
        return key

    def get(self, storage_key: str) -> bytes:
        """See `ports.Payloads.get`."""
        return self._contents[storage_key]

    def link(self, storage_key: str, *, now: datetime) -> Link:
        """See `ports.Payloads.link`."""
        return Link(f"memory:{storage_key}", link_expiry(now))


class MemoryUploads:
    """The `Uploads` port; `send` is what a tenant does with a link."""

    def __init__(self) -> None:
        self._announced: dict[str, tuple[Upload, datetime]] = {}
        self._sent: dict[str, bytes] = {}
        self._kept: dict[str, bytes] = {}

    def link(self, upload: Upload, *, now: datetime) -> Link:
        """See `ports.Uploads.link`."""
        link = Link(f"memory:{upload.tenant_id}/{upload.upload_id}", link_expiry(now))
        self._announced[link.url] = (upload, link.expires_at)
        return link

    def headers(self, upload: Upload) -> Mapping[str, str]:
        """See `ports.Uploads.headers`."""
        checksum = base64.b64encode(bytes.fromhex(upload.sha256)).decode()
        return {"content-length": str(upload.size_bytes), "x-amz-checksum-sha256": checksum}

    def send(self, url: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
        """Whether a PUT to the link stores this body."""
        upload, expires_at = self._announced[url]
        announced = (upload.size_bytes, upload.sha256)
        is_announced = announced == (len(body), hashlib.sha256(body).hexdigest())
        if not is_announced or headers != self.headers(upload) or now >= expires_at:
            return False
        self._sent[f"{upload.tenant_id}/{upload.upload_id}"] = body
        return True

    def keep(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """See `ports.Uploads.keep`."""
        key = f"{tenant_id}/{upload_id}"
        if key in self._sent:
            self._kept[key] = self._sent[key]
        return self.kept(tenant_id, upload_id)

    def kept(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """See `ports.Uploads.kept`."""
        key = f"{tenant_id}/{upload_id}"
        if key not in self._kept:
            return None
        content = self._kept[key]
        return UploadedInput(
            storage_key=key, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
        )

    def read(self, uploaded: UploadedInput) -> bytes:
        """See `ports.Uploads.read`."""
        return self._kept[uploaded.storage_key]


class MemoryCheckpoints:
    """The `Checkpoints` port; what is taken out of `stored` has been forgotten."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Checkpoints.put`."""
        key = f"{ref.tenant_id}/{ref.job_id}/{hashlib.sha256(content).hexdigest()}"
        self.stored[key] = content
        return key

    def get(self, storage_key: str) -> bytes | None:
        """See `ports.Checkpoints.get`."""
        return self.stored.get(storage_key)
