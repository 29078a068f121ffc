"""Presigned URLs of S3, checked as S3 checks them: moto takes any signature, at any time, with any body.

After "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of the S3 API reference. A
request that carries no signature in its query is none of this module's; nor is any that is passed on to
another endpoint, which decides by itself.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from emulation.environment import CREDENTIALS
from emulation.http import Request, Response

# The longest that S3 lets a URL live.
EXPIRES_AT_MOST_SECONDS = 7 * 24 * 3600
# How far a signer's clock may be ahead of S3's.
SKEW_SECONDS = 15 * 60

# The stack's only ones.
_CREDENTIALS = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])
_PARAMETERS = ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature")
_SIGNATURE = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")
_SECONDS = re.compile(r"[0-9]{1,6}")  # as many digits as the longest life has


@dataclass(slots=True, eq=False)
class _Refusal(Exception):
    """S3's answer, by the code of its error."""

    status: int
    code: str
    message: str


def refusal(request: Request, *, now: float) -> Response | None:
    """Why S3 refuses a presigned request at `now` (Unix seconds); None if it does not."""
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if "X-Amz-Signature" not in query:
        return None
    try:
        _require_one_credential(request)
        _require_parameters(query)
        _require_time(query, now)
        _require_signature(request, query)
        _require_checksum(request)
    except _Refusal as refused:
        return _response(refused)
    return None


def _require_one_credential(request: Request) -> None:
    if request.header("authorization"):
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
        )
        raise _Refusal(400, "InvalidArgument", message + "string parameter or the Authorization header.")


def _require_parameters(query: Mapping[str, str]) -> None:
    seconds = query.get("X-Amz-Expires", "")
    if (
        any(f"X-Amz-{name}" not in query for name in _PARAMETERS)
        or query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256"
        or not _SECONDS.fullmatch(seconds)
        or not 1 <= int(seconds) <= EXPIRES_AT_MOST_SECONDS
        or len(query["X-Amz-Credential"].split("/")) != 5
    ):
        message = "The query string does not have the parameters of a signature of version 4."
        raise _Refusal(400, "AuthorizationQueryParametersError", message)


def _require_time(query: Mapping[str, str], now: float) -> None:
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], SIGV4_TIMESTAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        message = "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""
        raise _Refusal(400, "AuthorizationQueryParametersError", message) from None
    if now < signed_at - SKEW_SECONDS:
        raise _Refusal(403, "AccessDenied", "Request is not valid yet")
    if now >= signed_at + int(query["X-Amz-Expires"]):
        raise _Refusal(403, "AccessDenied", "Request has expired")


def _require_signature(request: Request, query: Mapping[str, str]) -> None:
    key_id, _, region, service, _ = query["X-Amz-Credential"].split("/")
    if key_id != _CREDENTIALS.access_key:
        message = "The AWS Access Key Id you provided does not exist in our records."
        raise _Refusal(403, "InvalidAccessKeyId", message)
    names = query["X-Amz-SignedHeaders"].split(";")
    # moto reads a header of WSGI, where an underscore in its name is a dash.
    amazons = {name.lower() for name, _ in request.headers if _dashed(name).startswith("x-amz-")}
    if not amazons <= {*names}:
        message = "There were headers present in the request which were not signed"
        raise _Refusal(403, "AccessDenied", message)
    signed = AWSRequest(
        request.method,
        # What is signed as the host is the header; any other text is good enough for the URL.
        f"http://s3{request.path}?{_SIGNATURE.sub('', request.query)}",
        headers={name: request.header(name) or "" for name in names},
    )
    signed.context["timestamp"] = query["X-Amz-Date"]
    signer = S3SigV4QueryAuth(_CREDENTIALS, service, region)
    text = signer.string_to_sign(signed, signer.canonical_request(signed))
    if "host" not in names or signer.signature(text, signed) != query["X-Amz-Signature"]:
        message = "The request signature we calculated does not match the signature you provided. Check your "
        raise _Refusal(403, "SignatureDoesNotMatch", message + "key and signing method.")


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")


def _require_checksum(request: Request) -> None:
    said = request.header("x-amz-checksum-sha256")
    if request.method == "PUT" and said is not None and said != base64.b64encode(_sha256(request)).decode():
        message = "The SHA256 you specified did not match the calculated checksum."
        raise _Refusal(400, "BadDigest", message)


def _sha256(request: Request) -> bytes:
    if request.file is None:
        return hashlib.sha256(request.body).digest()
    request.file.seek(0)
    return hashlib.file_digest(request.file, "sha256").digest()


def too_large() -> Response:
    """S3's answer to an object that is beyond its limit."""
    message = "Your proposed upload exceeds the maximum allowed object size."
    return _response(_Refusal(400, "EntityTooLarge", message))


def _response(refused: _Refusal) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{refused.code}</Code><Message>{escape(refused.message)}</Message></Error>"
    )
    return Response(refused.status, (("Content-Type", "application/xml"),), body.encode())
