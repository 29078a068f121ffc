"""The functions of app.py on their real adapters, and all heard that they say, ask and leave behind."""

import base64
import io
import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from botocore.credentials import Credentials

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.secrets import TOKEN_KEY
from chalicelib.adapters.signers import SIGNER_KEY
from chalicelib.web.logs import logger
from emulation import presigned
from emulation.http import Request, Response
from tests.policies.functions import SETTINGS, Functions
from tests.security.leaks import Secret, Sinks

LOG, ANSWERS, REQUESTS, TABLES, QUEUES, OBJECTS = SINKS = (
    "log",
    "answers",
    "requests to AWS",
    "tables",
    "queues",
    "objects",
)
AWS_SECRET_KEY = "wJalrXUtnFEMI0K7MDENG0bPxRfiCYEXAMPLEKEY"
SIGNERS_KEY = bytes(range(128, 160))
# The one call that a private key travels in.
KEEPS_A_SECRET = "secretsmanager.CreateSecret"


class HeardFunctions(Functions):
    """Functions as ever; what is a secret of a request is kept, to be looked for."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        super().__init__(patch)
        self.chain = MemoryChain()
        self.sinks = Sinks()
        self.sent: list[Secret] = []
        self.defect: str | None = None
        self._is_ours = False
        self._lines = io.StringIO()
        self._answer_by_aws = self.aws.handle
        patch.setenv("AWS_SECRET_ACCESS_KEY", AWS_SECRET_KEY)
        patch.setattr(presigned, "_CREDENTIALS", Credentials("test", AWS_SECRET_KEY))
        patch.setattr(self.aws, "handle", self._asked)
        patch.setattr(logger.registered_handler, "stream", self._lines)
        self._hear_other_loggers(patch)

    def invoke(self, name: str, event: Mapping[str, Any], *, seconds: float = 60.0) -> Any:
        """What the function returns; an error that leaves it is printed, as Lambda's runtime does."""
        self.sent += _secrets_of(event)
        try:
            with self.ours():
                answered = super().invoke(name, event, seconds=seconds)
        except Exception:
            self.sinks.add(LOG, traceback.format_exc())
            raise
        issued = _issued(event, answered)
        self.sent += issued
        if not any(each.name == "access token" for each in issued):
            self.sinks.add(ANSWERS, json.dumps(answered))
        return answered

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Meanwhile requests to AWS are the product's, and not the test's."""
        self._is_ours = True
        try:
            yield
        finally:
            self._is_ours = False

    @contextmanager
    def broken(self, text: str) -> Iterator[None]:
        """Meanwhile nothing of AWS can be asked, and the error, which nobody expects, says this."""
        self.defect = text
        try:
            yield
        finally:
            self.defect = None

    def forget_processes(self) -> None:
        """The next invocation of each function is its process's first, which remembers nothing."""
        self._containers.clear()

    def left_behind(self) -> Sinks:
        """All that was heard, and all that is stored now."""
        self.sinks.add(LOG, self._lines.getvalue())
        collect_stored(self.sinks, lambda service: boto3.client(service, endpoint_url=SETTINGS.aws_endpoint))
        return self.sinks

    def _asked(self, request: Request) -> Response:
        headers = dict(request.headers)
        if headers.get("X-Amz-Target") == KEEPS_A_SECRET:
            self.sent += _made_key(json.loads(request.body))
        elif self._is_ours:
            self.sinks.add(REQUESTS, f"{request.method} {request.path}?{request.query} {headers}")
            self.sinks.add(REQUESTS, request.body)
        if self._is_ours and self.defect is not None:
            raise RuntimeError(self.defect)
        return self._answer_by_aws(request)

    def _hear_other_loggers(self, patch: pytest.MonkeyPatch) -> None:
        """As Lambda's root logger does, which our logger keeps its own lines from."""
        handler = logging.StreamHandler(self._lines)
        handler.setLevel(logging.WARNING)
        handler.addFilter(lambda record: record.name != logger.name)
        patch.setattr(logging.root, "handlers", [*logging.root.handlers, handler])


def collect_stored(sinks: Sinks, client: Any) -> None:
    """Every row, message and object there is."""
    tables, queues, buckets = client("dynamodb"), client("sqs"), client("s3")
    for table in tables.list_tables()["TableNames"]:
        for page in tables.get_paginator("scan").paginate(TableName=table):
            sinks.add(TABLES, f"{table}: {page['Items']}")
    for url in queues.list_queues().get("QueueUrls", ()):
        while messages := _received(queues, url):
            sinks.add(QUEUES, f"{url}: {messages}")
    for bucket in buckets.list_buckets()["Buckets"]:
        listed = buckets.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
        for each in listed:
            found = buckets.get_object(Bucket=bucket["Name"], Key=each["Key"])
            sinks.add(OBJECTS, f"{each['Key']} {found['Metadata']}")
            sinks.add(OBJECTS, found["Body"].read())


def _received(queues: Any, url: str) -> list[Any]:
    answer = queues.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
        VisibilityTimeout=600,
    )
    found: list[Any] = answer.get("Messages", [])
    return found


def token_secrets(name: str, token: str) -> list[Secret]:
    """A signed token: the whole, and its signature alone, without which the rest is no secret."""
    signature = token.rpartition(".")[2]
    return [Secret(name, token.encode()), Secret(f"{name}'s signature", signature.encode())]


def private_key(kept: str) -> bytes:
    """The key that Secrets Manager keeps in this text: a JWK's private half, or hexadecimal."""
    is_jwk = kept.startswith("{")
    return base64.urlsafe_b64decode(json.loads(kept)["d"] + "==") if is_jwk else bytes.fromhex(kept)


def _made_key(created: Mapping[str, str]) -> list[Secret]:
    """The private half, if it is a token's or a signer's key that is created."""
    kinds = {"token key": TOKEN_KEY.format(kid=""), "signer's key": SIGNER_KEY.format(address="")}
    return [
        Secret(kind, private_key(created["SecretString"]))
        for kind, folder in kinds.items()
        if created["Name"].startswith(folder)
    ]


def _secrets_of(event: Mapping[str, Any]) -> list[Secret]:
    """What of a good request proves who sent it."""
    headers, form = event.get("headers") or {}, parse_qs(event.get("body") or "")
    proofs = [headers[name] for name in ("DPoP",) if headers.get(name, "").count(".") == 2]
    assertions = form.get("client_assertion", [])
    return [
        secret
        for name, tokens in (("DPoP proof", proofs), ("client assertion", assertions))
        for token in tokens
        for secret in token_secrets(name, token)
    ]


def link_secrets(body: str) -> list[Secret]:
    """The signature of a link, which its owner may see and nobody else."""
    _, is_link, rest = body.partition("X-Amz-Signature=")
    return [Secret("a link's signature", rest[:64].encode(), frozenset({ANSWERS}))] if is_link else []


def _issued(event: Mapping[str, Any], answered: Any) -> list[Secret]:
    """What an answer gives to its caller alone."""
    body = str(answered.get("body", "")) if isinstance(answered, dict) else ""
    if event.get("resource") == "/v1/oauth/token" and answered["statusCode"] == 200:
        return token_secrets("access token", json.loads(body)["access_token"])
    return link_secrets(body)
