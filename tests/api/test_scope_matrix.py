"""Every operation, scope and tenant, combined: what comes back is what the table of operations says.

Nothing of a route is written here that the table or openapi.yml's examples know, but for what must have
happened to a job before an operation succeeds.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chalicelib.domain.access_token import SCOPES
from chalicelib.web.operations import OPERATIONS, Operation
from tests.api.calls import Call, calls
from tests.api.conftest import ACME, GLOBEX, SPECIFICATION, Api, client_id
from tests.api.contract import Contract
from tests.api.hostile import Refusal

ALL = " ".join(SCOPES)
CALLS = {call.operation_id: call for call in reversed(list(calls(Contract(SPECIFICATION))))}
NEVER_WAS = "job_00000000000000000000000000"
# What no tenant owns may stand in a path; whatever else does names a thing that is somebody's.
NOBODYS = frozenset({"period", "code"})
# Which operations succeed on no job that is only queued.
AFTER_ITS_RUN = frozenset({"getResult"})
PROTECTED = tuple(each for each in OPERATIONS.values() if each.scope is not None)
PUBLIC = tuple(each for each in OPERATIONS.values() if each.scope is None)


def owned(operation: Operation) -> frozenset[str]:
    """The path's parameters that name what belongs to one tenant."""
    return frozenset(re.findall(r"\{(\w+)\}", operation.path)) - NOBODYS


OF_ONE = tuple(each for each in PROTECTED if owned(each))
OF_ALL = tuple(each for each in PROTECTED if not owned(each))


def prepared(api: Api, operation: Operation, tenant: str = ACME) -> Call:
    """The operation's call, on a job of the tenant that it succeeds on."""
    if not owned(operation):
        return CALLS[operation.id]
    job_id = api.submit(tenant=tenant).json()["id"]
    if operation.id in AFTER_ITS_RUN:
        api.run(job_id, tenant=tenant)
    return CALLS[operation.id].of_job(job_id)


def send(api: Api, call: Call, headers: Mapping[str, str]) -> httpx.Response:
    return api.http.request(call.method, call.path, headers={**call.headers, **headers}, **call.content)


def cases(operations: tuple[Operation, ...]) -> list[Any]:
    return [
        pytest.param(operation, scope, id=f"{operation.id}-{'all' if scope == ALL else scope}")
        for operation in operations
        for scope in (*SCOPES, ALL)
    ]


def test_the_matrix_is_of_all_operations_scopes_and_kinds_of_path() -> None:
    assert {each.id for each in (*OF_ONE, *OF_ALL, *PUBLIC)} == CALLS.keys() == OPERATIONS.keys()
    assert {each.scope for each in PROTECTED} == set(SCOPES)
    assert frozenset().union(*map(owned, PROTECTED)) == {"job_id"}, "prepare what else a path can name"


@pytest.mark.parametrize(("operation", "scope"), cases(PROTECTED))
def test_it_is_done_when_the_token_has_the_scope_and_else_refused_by_its_name(
    api: Api, operation: Operation, scope: str
) -> None:
    call, credential = prepared(api, operation), api.bearer(scope=scope)
    refusal = Refusal(api)
    answer = send(api, call, credential)
    if operation.scope in scope.split():
        assert answer.is_success, answer.text
        return
    problem = refusal.check(answer, 403, "insufficient_scope")
    assert problem["detail"] == f"This operation needs the scope {operation.scope}."
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer realm="zama-jobs", error="insufficient_scope", scope="{operation.scope}"'
    )


@pytest.mark.parametrize("operation", PROTECTED, ids=lambda each: each.id)
def test_it_is_refused_when_there_is_no_credential(api: Api, operation: Operation) -> None:
    call = prepared(api, operation)
    refusal = Refusal(api)
    answer = send(api, call, {})
    refusal.check(answer, 401, "unauthorized")
    assert "error=" not in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(("operation", "scope"), cases(OF_ONE))
def test_what_is_another_tenants_is_as_if_it_never_was(api: Api, operation: Operation, scope: str) -> None:
    call, credential = prepared(api, operation), api.bearer(GLOBEX, scope=scope)
    refusal = Refusal(api)
    answers = [send(api, each, credential) for each in (call, call.of_job(NEVER_WAS))]
    status, code = (404, "job_not_found") if operation.scope in scope.split() else (403, "insufficient_scope")
    for answer in answers:
        refusal.check(answer, status, code)
    assert _without_ids(answers[0]) == _without_ids(answers[1])
    assert send(api, call, api.bearer()).is_success


@pytest.mark.parametrize("operation", OF_ALL, ids=lambda each: each.id)
def test_nothing_of_another_tenant_is_in_the_answer(api: Api, operation: Operation) -> None:
    """A reader's answer is, to the byte, what it was before the other tenant did anything."""
    call, stranger = CALLS[operation.id], api.bearer(GLOBEX)
    before = send(api, call, stranger) if call.method == "GET" else None
    theirs = [ACME, client_id(ACME), *_everything(api)]
    own = send(api, call, api.bearer())
    answer = send(api, call, stranger)
    assert own.is_success
    assert answer.is_success
    assert not [each for each in theirs if each in answer.text or each in str(answer.headers)]
    if before is not None:
        assert (answer.content, answer.status_code) == (before.content, before.status_code)
    else:
        # The same key and body as the other tenant's, who may have been first: not a replay.
        assert "Idempotent-Replayed" not in answer.headers
        assert answer.json()["id"] != own.json()["id"]


def test_the_owner_sees_what_the_others_do_not(api: Api) -> None:
    """Else the test above would hold of an API that shows nothing to anybody."""
    before = {each.id: send(api, CALLS[each.id], api.bearer()).content for each in _readers()}
    _everything(api)
    after = {each.id: send(api, CALLS[each.id], api.bearer()).content for each in _readers()}
    assert {name for name in after if after[name] == before[name]} == {"listJobTypes"}


@pytest.mark.parametrize("operation", PUBLIC, ids=lambda each: each.id)
def test_a_public_operation_is_the_same_whoever_asks(api: Api, operation: Operation) -> None:
    call = CALLS[operation.id]
    bearers = [api.bearer(tenant, scope=scope) for tenant in (ACME, GLOBEX) for scope in (*SCOPES, ALL)]
    answers = [send(api, call, headers) for headers in ({}, {"Authorization": "Bearer x"}, *bearers)]
    assert {(each.status_code, each.content) for each in answers} == {
        (answers[0].status_code, answers[0].content)
    }


def test_no_scope_reaches_another_tenants_job_result_or_upload(api: Api) -> None:
    """One tenant has every scope, and all ids of the other's; what it can do to them is nothing."""
    upload = api.upload(b'{"seed":"0x' + b"00" * 32 + b'","rounds":3}')
    done = api.submit("done").json()["id"]
    api.run(done)
    queued = api.submit("queued").json()["id"]
    attempts = {
        "cancel": send(api, CALLS["cancelJob"].of_job(queued), api.bearer(GLOBEX)),
        "read": send(api, CALLS["getJob"].of_job(queued), api.bearer(GLOBEX)),
        "download": send(api, CALLS["getResult"].of_job(done), api.bearer(GLOBEX)),
    }
    assert {name: answer.status_code for name, answer in attempts.items()} == dict.fromkeys(attempts, 404)
    for theirs, status in ((GLOBEX, 409), (ACME, 202)):
        answer = send(api, _of_upload(upload), api.bearer(theirs))
        assert answer.status_code == status, answer.text
    never_was = send(api, _of_upload("upl_00000000000000000000000000"), api.bearer(GLOBEX))
    stolen = send(api, _of_upload(upload), api.bearer(GLOBEX))
    assert never_was.json()["code"] == stolen.json()["code"] == "upload_not_ready"
    assert stolen.json()["detail"].replace(upload, "") == never_was.json()["detail"].replace(
        "upl_00000000000000000000000000", ""
    )
    assert send(api, CALLS["getJob"].of_job(queued), api.bearer()).json()["status"] == "queued"
    assert send(api, CALLS["getResult"].of_job(done), api.bearer()).is_success


def _everything(api: Api) -> list[str]:
    """The ids of a job that waits, one that has run, one that is canceled, and an upload: of ACME's."""
    run = api.submit("one").json()["id"]
    api.run(run)
    waiting, canceled = (api.submit(key).json()["id"] for key in ("two", "three"))
    api.cancel(canceled)
    return [waiting, run, canceled, api.upload(b"{}")]


def _readers() -> tuple[Operation, ...]:
    return tuple(each for each in OF_ALL if each.method == "GET")


def _of_upload(upload_id: str) -> Call:
    call = CALLS["submitJob"]
    body = {"type": call.body["type"], "input_upload": upload_id}
    return replace(call, body=body, headers={"Idempotency-Key": f"of-{upload_id}"})


def _without_ids(answer: httpx.Response) -> bytes:
    """The body, but for the names of this request."""
    document = json.loads(answer.content)
    for name in ("request_id", "instance"):
        answer_text = json.dumps(document[name]).encode()
        assert answer.content.count(answer_text) == 1
    return answer.content.replace(document["request_id"].encode(), b"").replace(
        document["instance"].encode(), b""
    )
