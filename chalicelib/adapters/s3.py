"""Results in S3 under the hash of their content, so that a late worker cannot overwrite another's."""

import hashlib
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated
from chalicelib.domain.job import JobRef

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "job-results"


class S3Payloads:
    """The `Payloads` port."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def put(self, ref: JobRef, content: bytes) -> str:
        """See `ports.Payloads.put`."""
        key = f"{ref.tenant_id}/{ref.job_id}/{hashlib.sha256(content).hexdigest()}"
        with translated():
            self._client.put_object(Bucket=BUCKET, Key=key, Body=content, ContentType="application/json")
        return key

    def get(self, storage_key: str) -> bytes:
        """See `ports.Payloads.get`."""
        with translated():
            return self._client.get_object(Bucket=BUCKET, Key=storage_key)["Body"].read()
