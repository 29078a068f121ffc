"""Results and uploads in S3, and the links to them.

A result's key is the hash of its content, so that a late worker cannot overwrite another's. An upload's link
is signed over its length and its SHA-256, which S3 checks: what is under its key is what was announced.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from chalicelib.adapters.dynamodb import translated
from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import LINK_LIFETIME, Link, Upload, UploadedInput, link_expiry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RESULTS = "job-results"
# Whatever is here goes after a day: an upload that a job names is copied to its own place first.
UPLOADS = "job-uploads"
INPUTS = "job-inputs"
CHECKPOINTS = "job-checkpoints"

NOTHING_THERE = frozenset({"NoSuchKey", "NotFound", "404"})


class Links:
    """Makes presigned URLs (Signature Version 4 in the query), in the service's time.

    boto3's `generate_presigned_url` signs in the machine's time, which need not be the service's.
    """

    def __init__(self, client: "S3Client", credentials: Credentials) -> None:
        self._endpoint = client.meta.endpoint_url
        self._region = client.meta.region_name
        self._credentials = credentials

    def make(self, method: str, path: str, *, now: datetime, headers: Mapping[str, str]) -> Link:
        """A link for this method and `bucket/key`, to be used with exactly these headers (in lower case).

        Keys are of letters, digits, `_` and `/`: nothing in them needs an escape.
        """
        credentials = self._credentials.get_frozen_credentials()
        signer = S3SigV4QueryAuth(credentials, "s3", self._region)
        request = AWSRequest(method, f"{self._endpoint}/{path}", headers=dict(headers))
        request.context["timestamp"] = now.strftime(SIGV4_TIMESTAMP)
        query = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": signer.scope(request),
            "X-Amz-Date": request.context["timestamp"],
            "X-Amz-Expires": str(int(LINK_LIFETIME.total_seconds())),
            "X-Amz-SignedHeaders": signer.signed_headers(signer.headers_to_sign(request)),
        }
        if credentials.token:
            query["X-Amz-Security-Token"] = credentials.token
        request.url = f"{self._endpoint}/{path}?{urlencode(query)}"
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return Link(f"{request.url}&X-Amz-Signature={signer.signature(text, request)}", link_expiry(now))


class S3Payloads:
    """The `Payloads` port."""

    def __init__(self, client: "S3Client", links: Links) -> None:
        self._client = client
        self._links = links

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Payloads.put`."""
        key = _content_key(ref, content)
        with translated():
            self._client.put_object(Bucket=RESULTS, Key=key, Body=content, ContentType="application/json")
        return key

    def get(self, storage_key: str) -> bytes:
        """See `ports.Payloads.get`."""
        with translated():
            return self._client.get_object(Bucket=RESULTS, Key=storage_key)["Body"].read()

    def link(self, storage_key: str, *, now: datetime) -> Link:
        """See `ports.Payloads.link`."""
        return self._links.make("GET", f"{RESULTS}/{storage_key}", now=now, headers={})


class S3Checkpoints:
    """The `Checkpoints` port; a lifecycle rule of its bucket forgets them."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Checkpoints.put`."""
        key = _content_key(ref, content)
        with translated():
            self._client.put_object(Bucket=CHECKPOINTS, Key=key, Body=content)
        return key

    def get(self, storage_key: str) -> bytes | None:
        """See `ports.Checkpoints.get`."""
        with translated():
            try:
                return self._client.get_object(Bucket=CHECKPOINTS, Key=storage_key)["Body"].read()
            except ClientError as error:
                if _is_nothing_there(error):
                    return None
                raise


class S3Uploads:
    """The `Uploads` port."""

    def __init__(self, client: "S3Client", links: Links) -> None:
        self._client = client
        self._links = links

    def headers(self, upload: Upload) -> Mapping[str, str]:
        """See `ports.Uploads.headers`."""
        return {
            "content-length": str(upload.size_bytes),
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(upload.sha256)).decode(),
        }

    def link(self, upload: Upload, *, now: datetime) -> Link:
        """See `ports.Uploads.link`."""
        path = f"{UPLOADS}/{upload.tenant_id}/{upload.upload_id}"
        return self._links.make("PUT", path, now=now, headers=self.headers(upload))

    def keep(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """See `ports.Uploads.keep`."""
        key = f"{tenant_id}/{upload_id}"
        with translated():
            try:
                # Safe to repeat: another copy is the same bytes.
                self._client.copy_object(
                    Bucket=INPUTS,
                    Key=key,
                    CopySource={"Bucket": UPLOADS, "Key": key},
                    ChecksumAlgorithm="SHA256",
                )
            except ClientError as error:
                if not _is_nothing_there(error):
                    raise
        return self.kept(tenant_id, upload_id)

    def kept(self, tenant_id: str, upload_id: str) -> UploadedInput | None:
        """See `ports.Uploads.kept`."""
        key = f"{tenant_id}/{upload_id}"
        with translated():
            try:
                found = self._client.head_object(Bucket=INPUTS, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if _is_nothing_there(error):
                    return None
                raise
        return UploadedInput(
            storage_key=key,
            size_bytes=found["ContentLength"],
            sha256=base64.b64decode(found["ChecksumSHA256"]).hex(),
        )

    def read(self, uploaded: UploadedInput) -> bytes:
        """See `ports.Uploads.read`."""
        with translated():
            return self._client.get_object(Bucket=INPUTS, Key=uploaded.storage_key)["Body"].read()


def _content_key(ref: JobRef, content: bytes) -> str:
    return f"{ref.tenant_id}/{ref.job_id}/{hashlib.sha256(content).hexdigest()}"


def _is_nothing_there(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in NOTHING_THERE
