"""The whole story, with secrets everywhere that they belong and wherever a client may put one by mistake."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.adapters.secrets import CURSOR_KEY
from chalicelib.adapters.signers import SIGNER_KEY
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.client_secret import PREFIX, RANDOM_CHARACTERS, seal
from chalicelib.domain.job import Status
from chalicelib.use_cases.administer_clients import AdministerClients
from chalicelib.web import operations
from chalicelib.web.logs import Failed, failures_told
from chalicelib.web.operations import Operation
from tests.policies.caller import GRANT, Caller
from tests.policies.functions import SETTINGS, SIGNER
from tests.policies.gateway import API, Call, event_of
from tests.policies.scenario import INPUT, JOB, Scenario
from tests.policies.seed import TENANT, seed
from tests.security.hearing import (
    ANSWERS,
    AWS_SECRET_KEY,
    OBJECTS,
    REQUESTS,
    SIGNERS_KEY,
    TABLES,
    HeardFunctions,
)
from tests.security.leaks import Secret
from tests.security.signing import a_node_is_asked, a_signer_comes_and_goes

# A secret in a path or a name: the answer names the place that is wrong, to who sent it and to nobody else.
MISPLACED = seal("M1splacedInAPathOrAName".ljust(RANDOM_CHARACTERS, "m"))
# A secret in an input that a job takes: then it is the tenant's data, and kept where that is.
GIVEN_AS_DATA = seal("Th1sIsTheTenantsOwnData".ljust(RANDOM_CHARACTERS, "d"))
CURSORS_KEY = bytes(range(64, 96))
NODES_KEY = "pr0viders-key-1n-the-nodes-url-9f8e7d"
NO_JOB = f"job_{'0' * 26}"
A_MINUTE = 61


class Story(Scenario):
    """Every branch in which a function calls AWS, and then what goes wrong."""

    def __init__(self, functions: HeardFunctions) -> None:
        self.functions: HeardFunctions = functions
        self.seeded = seed(functions)
        self.caller = Caller(functions, self.seeded)
        self.secret = str(self.seeded.by_secret.secret)
        self.older = ""
        keeper = boto3.client("secretsmanager", endpoint_url=SETTINGS.aws_endpoint)
        keeper.put_secret_value(SecretId=CURSOR_KEY, SecretString=CURSORS_KEY.hex())
        signer = SIGNER_KEY.format(address=SIGNER)
        keeper.put_secret_value(SecretId=signer, SecretString=SIGNERS_KEY.hex())

    def play(self) -> None:
        """See `Scenario.play`; then the rest."""
        super().play()
        self.secrets_follow_one_another()
        self.credentials_are_wrong()
        self.secrets_are_where_they_should_not_be()
        self.secrets_are_in_paths_and_names()
        self.a_secret_is_in_an_input()
        self.nobody_expects_what_happens()
        self.a_client_is_revoked()
        a_signer_comes_and_goes(self.functions)

    def secrets(self) -> list[Secret]:
        """Everything that was secret in it."""
        data = frozenset({ANSWERS, REQUESTS, TABLES, OBJECTS})
        return [
            Secret("client secret", self.secret.encode()),
            Secret("older client secret", self.older.encode()),
            Secret("cursor key", CURSORS_KEY),
            Secret("signer's key", SIGNERS_KEY),
            Secret("AWS secret key", AWS_SECRET_KEY.encode()),
            Secret("provider's key", NODES_KEY.encode()),
            Secret("misplaced secret", MISPLACED.encode(), frozenset({ANSWERS})),
            Secret("a tenant's own data", GIVEN_AS_DATA.encode(), data),
            *dict.fromkeys(self.functions.sent),
        ]

    def secrets_follow_one_another(self) -> None:
        """Two are live, and each opens the token endpoint."""
        with self.functions.ours():
            rotated = self._clients().rotate(
                self.seeded.by_secret.client.client_id, actor="test", overlap=timedelta(hours=1)
            )
        self.older, self.secret = self.secret, str(rotated.secret)
        for each in (self.older, self.secret):
            self.caller.post(operations.ISSUE_TOKEN, GRANT, secret=each)

    def credentials_are_wrong(self) -> None:
        """Right but for a character, cut short, in another form, in another's place; and a token of none."""
        chance = self.secret[len(PREFIX) : len(PREFIX) + RANDOM_CHARACTERS]
        other = "0" if chance[-1] != "0" else "1"
        for wrong in (seal(chance[:-1] + other), self.secret[:-1], self.secret + "x", f" {self.secret}"):
            self._refused(operations.ISSUE_TOKEN, self._basic(wrong), GRANT, 401)
        encoded = base64.b64encode(self.secret.encode()).decode()
        swapped = base64.b64encode(f"{self.secret}:{self.secret}".encode()).decode()
        basics = (self.secret, encoded, swapped)
        for header in (*(f"Basic {each}" for each in basics), f"Bearer {self.secret}", self.secret):
            self._refused(operations.ISSUE_TOKEN, header, GRANT, 401)
        token = self.caller.token()
        bearers = (self.secret, token[:-2], token[::-1])
        for credential in (token, f"DPoP {token}", *(f"Bearer {each}" for each in bearers)):
            self._denied(credential)
        bound = self.caller.bound_token()
        self._denied(f"Bearer {bound}")
        call = Call(operation=operations.LIST_JOBS, authorization=f"DPoP {bound}", headers={"DPoP": token})
        self.caller.gateway.send(call, expect=401)
        self._refused(operations.REVOKE_TOKEN, self._basic(self.secret), {"token": f"{token}x"}, 200)

    def secrets_are_where_they_should_not_be(self) -> None:
        """In forms, queries, headers and values that take something else."""
        secret, token = self.secret, self.caller.token()
        basic = self._basic(secret)
        for form in (
            {**GRANT, "client_secret": secret},
            {**GRANT, "scope": secret},
            {"grant_type": secret},
            {**GRANT, "client_assertion": token, "client_assertion_type": secret},
        ):
            self._refused(operations.ISSUE_TOKEN, basic, form, 400)
        assertion = {**GRANT, "client_id": secret, "client_assertion": token}
        self._refused(operations.ISSUE_TOKEN, None, assertion, 401)
        self._refused(operations.ISSUE_TOKEN, basic, {**GRANT, secret: token}, 200)
        for name in ("cursor", "status", "type", "limit", "created_after"):
            for text in (secret, token):
                self.caller.call(operations.LIST_JOBS, query={name: text}, expect=400)
        self.caller.call(operations.GET_USAGE, query={"from": token}, expect=400)
        ref = self.caller.submit(JOB, key=secret)
        self.caller.submit({**JOB, "type": "merkle.root"}, key=secret, expect=400)
        for name in ("Prefer", "If-None-Match", "traceparent", "DPoP", "User-Agent", "Cookie", "X-Api-Key"):
            self.caller.call(operations.GET_JOB, job_id=ref.job_id, headers={name: f"{secret} {token}"})
        for document in (
            {**JOB, "type": secret},
            {"type": "sha256.chain", "input_upload": secret},
            {**JOB, "input": {**INPUT, "seed": secret}},
            secret,
        ):
            self.caller.submit(document, expect=400)
        self.caller.call(operations.CREATE_UPLOAD, body={"size_bytes": 1, "sha256": secret}, expect=400)

    def secrets_are_in_paths_and_names(self) -> None:
        """What an answer's `instance` and `errors` give back to who sent it."""
        self.caller.call(operations.GET_PROBLEM, code=MISPLACED, expect=404)
        self.caller.call(operations.GET_INVOICE, period=MISPLACED, expect=404)
        for operation in (operations.GET_JOB, operations.GET_RESULT, operations.CANCEL_JOB):
            self.caller.call(operation, job_id=MISPLACED, expect=404)
        for operation in (operations.LIST_JOBS, operations.GET_USAGE, operations.LIST_JOB_TYPES):
            self.caller.call(operation, query={MISPLACED: "1"}, expect=400)
        self.caller.submit({**JOB, MISPLACED: 1}, expect=400)
        self.caller.submit({**JOB, "input": {**INPUT, MISPLACED: 1}}, expect=400)

    def a_secret_is_in_an_input(self) -> None:
        """As a value that a job is run on, and as a name in an upload, which fails its job."""
        leaves = {"leaf_encoding": ["string"], "leaves": [[GIVEN_AS_DATA]]}
        misfit = {"leaf_encoding": ["bool"], "leaves": [[GIVEN_AS_DATA]]}
        self._run(self.caller.submit({"type": "merkle.root", "input": leaves}))
        self._run(self.caller.submit({"type": "merkle.root", "input": misfit}), until=Status.FAILED)
        body = json.dumps({**INPUT, GIVEN_AS_DATA: 1}).encode()
        upload = self.caller.announce(body)
        self.caller.send(upload, body)
        ref = self.caller.submit({"type": "sha256.chain", "input_upload": upload["id"]})
        self._run(ref, until=Status.FAILED)
        assert GIVEN_AS_DATA in str(self.caller.call(operations.GET_JOB, job_id=ref.job_id))

    def nobody_expects_what_happens(self) -> None:
        """Errors whose texts hold every secret, in each kind of function; and messages that are none."""
        events = [self._event(operation) for operation in operations.OPERATIONS.values()]
        ref = self.caller.submit(JOB)
        said = " ".join((self.secret, self.older, SIGNERS_KEY.hex(), self.caller.token(), MISPLACED))
        self.functions.forget_processes()
        with self.functions.broken(said):
            answers = [self.functions.invoke("api_handler", event)["statusCode"] for event in events]
            assert answers.count(500) >= 8
            for name in ("run_job", "confirm_jobs"):
                with pytest.raises(Failed):
                    self.functions.wake(name, ref)
            for name in ("sweep", "rotate_keys"):
                with pytest.raises(Failed):
                    self.functions.fire(name)
            with pytest.raises(Failed):
                self._authorize(f"Bearer {said.split()[3]}")
        for body in (said, json.dumps({"jobs": [[said]]}), json.dumps({"jobs": said})):
            self.functions.invoke("run_job", {"Records": [{"messageId": "m", "body": body}]})
        with pytest.raises(Failed), failures_told():
            a_node_is_asked(NODES_KEY)

    def a_client_is_revoked(self) -> None:
        """What it was known by opens nothing any more, and is told nowhere."""
        with self.functions.ours():
            self._clients().revoke(self.seeded.by_secret.client.client_id, actor="test")
        self._refused(operations.ISSUE_TOKEN, self._basic(self.secret), GRANT, 401)
        self._refused(operations.REVOKE_TOKEN, self._basic(self.older), {"token": "x"}, 401)

    def _clients(self) -> AdministerClients:
        a = self.functions.adapters
        return AdministerClients(clients=a.clients, registry=a.registry, clock=a.clock, ids=a.ids)

    def _basic(self, secret: str) -> str:
        pair = f"{self.seeded.by_secret.client.client_id}:{secret}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _refused(
        self, operation: Operation, authorization: str | None, form: Mapping[str, str], expect: int
    ) -> None:
        """In another minute than the others, so that each is looked at."""
        self.functions.clock.advance(A_MINUTE)
        call = Call(operation=operation, authorization=authorization, form=form)
        self.caller.gateway.send(call, expect=expect)

    def _event(self, operation: Operation) -> dict[str, Any]:
        """A call that a handler takes as far as AWS, where it asks for anything there."""
        is_form = operation.path.startswith("/v1/oauth/")
        call = Call(
            operation=operation,
            authorization=self._basic(self.secret),
            path={"job_id": NO_JOB, "code": "timeout", "period": "2026-11"},
            headers={"Idempotency-Key": "k"},
            json=None if is_form else JOB,
            form={**GRANT, "token": "x"} if is_form else None,
        )
        client_id, scopes = self.seeded.by_secret.client.client_id, " ".join(SCOPES)
        return event_of(call, {"tenant_id": TENANT.tenant_id, "client_id": client_id, "scope": scopes})

    def _denied(self, credential: str) -> None:
        answered = self._authorize(credential)
        assert answered["policyDocument"]["Statement"][0]["Effect"] == "Deny"

    def _authorize(self, credential: str) -> Any:
        event = {"type": "TOKEN", "authorizationToken": credential, "methodArn": f"{API}/GET/v1/jobs"}
        return self.functions.invoke("authorize", event)
