"""The tenant as its programs call the API: each answer has the status that is expected of it."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.job import JobRef
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from chalicelib.web import operations
from chalicelib.web.operations import Operation
from emulation.http import Request
from tests.policies.functions import SETTINGS, Functions
from tests.policies.gateway import Call, Gateway
from tests.policies.seed import TENANT, Seeded
from tests.proofs import assertion, proof

GRANT = {"grant_type": "client_credentials"}


class Caller:
    """Calls with a fresh token each time, of the client that has a secret."""

    def __init__(self, functions: Functions, seeded: Seeded) -> None:
        self.gateway = Gateway(functions)
        self._functions = functions
        self._seeded = seeded
        self._submits = 0

    def call(
        self,
        operation: Operation,
        *,
        expect: int = 200,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        **path: str,
    ) -> Any:
        """The answer's document; without a token if the operation asks for none."""
        call = Call(
            operation=operation,
            authorization=f"Bearer {self.token()}" if operation.scope else None,
            path=path,
            query=query,
            headers=headers,
            json=body,
        )
        return self.gateway.send(call, expect=expect)

    def post(
        self, operation: Operation, form: Mapping[str, str], *, secret: str | None = None, expect: int = 200
    ) -> Any:
        """A form, by the client's secret or by another."""
        shown = self._seeded.by_secret
        pair = f"{shown.client.client_id}:{secret or shown.secret}".encode()
        basic = f"Basic {base64.b64encode(pair).decode()}"
        return self.gateway.send(Call(operation=operation, authorization=basic, form=form), expect=expect)

    def token(self) -> str:
        """A bearer token."""
        return str(self.post(operations.ISSUE_TOKEN, GRANT)["access_token"])

    def bound_token(self) -> str:
        """A token of the client that has a key, bound to that key."""
        client_id, now = self._seeded.by_key.client.client_id, self._functions.clock.now()
        form = {
            **GRANT,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(client_id, audience=SETTINGS.base_url, now=now),
        }
        headers = {"DPoP": proof("POST", f"{SETTINGS.base_url}{operations.ISSUE_TOKEN.path}", now=now)}
        call = Call(operation=operations.ISSUE_TOKEN, form=form, headers=headers)
        return str(self.gateway.send(call, expect=200)["access_token"])

    def bound_call(self, operation: Operation, token: str) -> Call:
        """A call with such a token and a proof of its key, which is good once."""
        url = f"{SETTINGS.base_url}{operation.path}"
        headers = {"DPoP": proof(operation.method, url, now=self._functions.clock.now(), access_token=token)}
        return Call(operation=operation, authorization=f"DPoP {token}", headers=headers)

    def submit(self, document: object, *, key: str | None = None, expect: int = 202) -> JobRef:
        """The job that the answer names, if it is one of a job."""
        self._submits += 1
        headers = {"Idempotency-Key": key or f"key-{self._submits}"}
        answer = self.call(operations.SUBMIT_JOB, body=document, headers=headers, expect=expect)
        return JobRef(TENANT.tenant_id, answer.get("id", ""))

    def status_of(self, ref: JobRef) -> str:
        """As the API tells it."""
        return str(self.call(operations.GET_JOB, job_id=ref.job_id)["status"])

    def announce(self, body: bytes) -> Any:
        """An upload that is to be sent."""
        document = {"size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        return self.call(operations.CREATE_UPLOAD, body=document, expect=201)

    def send(self, upload: Any, body: bytes) -> None:
        """Follows the upload's link; no function has a part in it."""
        url = urlsplit(upload["url"])
        headers = (*upload["signed_headers"].items(), ("Host", url.netloc))
        sent = Request("PUT", url.path, url.query, headers, body, "127.0.0.1")
        assert self._functions.aws.handle(sent).status == 200
