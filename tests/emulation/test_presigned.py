"""Presigned URLs mean what they say: made by boto3, sent as the edge reads them from the wire."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.auth import SIGV4_TIMESTAMP
from botocore.config import Config

from emulation.aws import Aws
from emulation.clock import ManualClock
from emulation.http import Request, Response

BUCKET = "presigned"
BODY = b'{"n":1}'
LIFETIME_SECONDS = 900
MALFORMED = "AuthorizationQueryParametersError"


def checksum(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it stands on the wire, and the time at which it arrives."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    after_seconds: float = 0

    def without(self, name: str) -> "Sent":
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})

    def with_headers(self, **headers: str) -> "Sent":
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **named})


def presigned(operation: str, **parameters: object) -> Sent:
    """A request to the URL that boto3 makes for the operation."""
    s3 = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:4566",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    address = {"Bucket": BUCKET, "Key": "ten_1/upl_1"}
    url = s3.generate_presigned_url(operation, Params=address | parameters, ExpiresIn=LIFETIME_SECONDS)
    parts = urlsplit(url)
    return Sent(operation.partition("_")[0].upper(), parts.path, parts.query, {"Host": parts.netloc})


def put() -> Sent:
    length, digest = len(BODY), checksum(BODY)
    sent = presigned("put_object", ContentLength=length, ChecksumSHA256=digest)
    headers = {"content_length": str(length), "x_amz_checksum_sha256": digest}
    return replace(sent.with_headers(**headers), body=BODY)


def in_query(old: str, new: str) -> Callable[[Sent], Sent]:
    return lambda sent: replace(sent, query=sent.query.replace(old, new))


def arrive(*requests: Sent, signed: Sent) -> list[Response]:
    """The answers of an AWS with an empty bucket, whose clock starts when `signed` was."""
    signed_at = parse_qs(signed.query)["X-Amz-Date"][0]
    clock = ManualClock(datetime.strptime(signed_at, SIGV4_TIMESTAMP).replace(tzinfo=UTC).timestamp())
    aws = Aws(clock)
    for method, path in (("PUT", f"/{BUCKET}"), ("DELETE", f"/{BUCKET}/ten_1/upl_1")):
        aws.handle(_request(Sent(method, path, "", _UNSIGNED)))
    answers = []
    for sent in requests:
        clock.advance(sent.after_seconds)
        answers.append(aws.handle(_request(sent)))
    return answers


_UNSIGNED = {
    "Host": "127.0.0.1:4566",
    "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0",
}


def _request(sent: Sent) -> Request:
    return Request(sent.method, sent.path, sent.query, tuple(sent.headers.items()), sent.body, "127.0.0.1")


def code(answer: Response) -> str:
    return answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


def test_the_bytes_come_back_when_each_url_is_used_as_it_was_signed() -> None:
    stored, read = arrive(put(), presigned("get_object"), signed=put())
    assert (stored.status, read.status, read.body) == (200, 200, BODY)


@pytest.mark.parametrize(
    "media_type", ["application/x-www-form-urlencoded", "Multipart/Form-Data; boundary=x"]
)
def test_the_bytes_are_stored_whole_when_they_are_called_a_form(media_type: str) -> None:
    sent = put().with_headers(content_type=media_type)
    stored, read = arrive(sent, presigned("get_object"), signed=sent)
    assert (stored.status, read.body) == (200, BODY)


def test_a_url_is_refused_when_the_second_that_it_names_has_come() -> None:
    sent = put()
    last, late = replace(sent, after_seconds=LIFETIME_SECONDS - 1), replace(sent, after_seconds=1)
    good, refused = arrive(last, late, signed=sent)
    assert (good.status, refused.status, code(refused)) == (200, 403, "AccessDenied")
    assert b"Request has expired" in refused.body


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        (lambda p: replace(p, path=f"/{BUCKET}/ten_2/upl_1"), 403, "SignatureDoesNotMatch"),
        (lambda p: replace(p, method="DELETE"), 403, "SignatureDoesNotMatch"),
        (in_query("Expires=900", "Expires=901"), 403, "SignatureDoesNotMatch"),
        (lambda p: replace(p, query=f"{p.query}&tagging"), 403, "SignatureDoesNotMatch"),
        (lambda p: p.with_headers(Host="elsewhere.test"), 403, "SignatureDoesNotMatch"),
        (lambda p: p.with_headers(Host="["), 403, "SignatureDoesNotMatch"),
        (lambda p: p.with_headers(content_length="8"), 403, "SignatureDoesNotMatch"),
        (lambda p: p.without("content-length"), 403, "SignatureDoesNotMatch"),
        (lambda p: p.without("x-amz-checksum-sha256"), 403, "SignatureDoesNotMatch"),
        (lambda p: p.with_headers(x_amz_checksum_sha256=checksum(b"")), 403, "SignatureDoesNotMatch"),
        (lambda p: p.with_headers(x_amz_acl="public-read"), 403, "AccessDenied"),
        (lambda p: replace(p, headers={**p.headers, "x_amz_copy_source": "b/k"}), 403, "AccessDenied"),
        (in_query("=test%2F", "=prod%2F"), 403, "InvalidAccessKeyId"),
        (in_query("X-Amz-Date=2", "X-Amz-Date=9"), 403, "AccessDenied"),
        (in_query("X-Amz-Date=2", "X-Amz-Date=x"), 400, MALFORMED),
        (in_query("Expires=900", "Expires=1e9"), 400, MALFORMED),
        (in_query("Expires=900", "Expires=604801"), 400, MALFORMED),
        (in_query("Expires=900", f"Expires={'9' * 5000}"), 400, MALFORMED),
        (in_query("X-Amz-Algorithm", "Y"), 400, MALFORMED),
        (lambda p: p.with_headers(Authorization="Bearer abc"), 400, "InvalidArgument"),
        (lambda p: replace(p, body=b'{"n":2}'), 400, "BadDigest"),
    ],
)
def test_nothing_is_stored_when_the_request_is_not_the_one_that_was_signed(
    change: Callable[[Sent], Sent], status: int, error: str
) -> None:
    sent = put()
    refused, read = arrive(change(sent), presigned("get_object"), signed=sent)
    assert (refused.status, code(refused)) == (status, error)
    assert read.status == 404


def test_a_request_is_answered_as_before_when_its_query_carries_no_signature() -> None:
    plain = Sent("PUT", f"/{BUCKET}/plain", "", _UNSIGNED, body=BODY)
    stored, read = arrive(plain, replace(plain, method="GET", body=b""), signed=put())
    assert (stored.status, read.body) == (200, BODY)
