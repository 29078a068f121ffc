"""What Schemathesis is told beside its configuration: what is no failure, and two checks of our own.

Every row here has its reason, one that OpenAPI has no word for. No check is off.
"""

import itertools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData

from client.oauth import ClientCredentials
from client.system import System

# What a server ignores where it makes nothing of it, so that what is wrong there is rightly accepted.
IGNORED_IF_MALFORMED: Mapping[str, str] = {
    "traceparent": "W3C Trace Context §3.2.2: with one that it cannot parse, it starts a new trace",
    "Prefer": "RFC 7240 §2: preferences that are not understood are ignored",
    "If-None-Match": "RFC 9110 §13.1.2: what matches nothing is answered as if it was not sent",
    "x-api-key": "the authorizer chooses the key; what a client sends is not looked at",
    "Authorization": "left out on purpose and put back by the run's own login; `ignored_auth` judges it",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request may get although its schema allows it, for a reason that no schema can give."""

    operation_id: str
    code: str
    # Of the problem's `detail`, or of the `detail` of each of its `errors`.
    says: str


REFUSALS = (
    # A cursor is one that we gave, not one that looks like it.
    Refusal("listJobs", "invalid_cursor", r"The cursor is not one that this list gave you .+"),
    # The key is new or comes with the request that it came with before.
    Refusal("submitJob", "idempotency_key_reused", r"This Idempotency-Key belongs to another request\. .+"),
    # Two days are in order, and not too far from each other.
    Refusal("getUsage", "invalid_request", r"The first day, .+, is after the last, .+\."),
    Refusal("getUsage", "invalid_request", r"Ask for at most 92 days at once\."),
    # RFC 6749 §3.2: no field comes twice, not even one that is ignored.
    Refusal("issueToken", "invalid_request", r"Send each field once\."),
    Refusal("revokeToken", "invalid_request", r"Send each field once\."),
    # RFC 9449: a proof is one that a key signed for this very request.
    Refusal("issueToken", "invalid_dpop_proof", r"The proof is .+"),
    # RFC 6749 §2.3: the run's own login is one way to authenticate, and a request has no two.
    Refusal("issueToken", "invalid_request", r"Authenticate in one way.*"),
    Refusal("revokeToken", "invalid_request", r"Authenticate in one way.*"),
)

NUMBERS = itertools.count()
ACCEPTED: list[str] = []
# What is sent in place of the specification's examples: with these, most requests would be of a key that was
# used, of a job or a cursor that is not there, or would take long.
STAND_INS: Mapping[str, Callable[[str], str | None]] = {
    "Idempotency-Key": lambda example: f"{example}-{next(NUMBERS)}",
    "job_id": lambda example: ACCEPTED[-1] if ACCEPTED else example,
    "cursor": lambda _: None,
    "Prefer": lambda _: "wait=1",
}
# What says that a job is there.
FOUND = (200, 304, 409)
NOBODYS_JOB = "job_00000000000000000000000000"


@schemathesis.hook
def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """The specification's examples stand for what every request has anew: see `STAND_INS`."""
    for parameter in case.operation.iter_parameters():
        values = case.get_container(parameter.location)
        if parameter.name in STAND_INS and values.get(parameter.name) == parameter.definition["example"]:
            values[parameter.name] = STAND_INS[parameter.name](values[parameter.name])
            if values[parameter.name] is None:
                del values[parameter.name]


@schemathesis.hook
def after_call(_context: HookContext, case: Case, response: Response) -> None:
    """Remembers the jobs that are there."""
    if response.status_code == 202:
        ACCEPTED.append(response.json()["id"])


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """Whether it is one, and not what HTTP or no schema could ask for."""
    if isinstance(failure, AcceptedNegativeData):
        return not _is_wrong_only_where_it_is_ignored(case)
    if isinstance(failure, RejectedPositiveData):
        return not any(_is_refused_with(each, case, response) for each in REFUSALS)
    return True


def _is_wrong_only_where_it_is_ignored(case: Case) -> bool:
    """Whether every declared value is as its schema asks, but for headers that may be anything."""
    assert case.meta is not None, "negative data is generated, and says what is wrong with it"
    if any(case.meta.is_negative_at(each) for each in ParameterLocation if each != ParameterLocation.HEADER):
        return False
    return all(
        case.headers.get(parameter.name) is not None
        and parameter.get_validator().is_valid(case.headers[parameter.name])
        for parameter in case.operation.headers
        if parameter.name not in IGNORED_IF_MALFORMED
    )


def _is_refused_with(refusal: Refusal, case: Case, response: Response) -> bool:
    if case.operation.definition.raw["operationId"] != refusal.operation_id:
        return False
    answer = response.json()
    if "error" in answer:  # of RFC 6749, not of RFC 9457
        answer = {"code": answer["error"], "detail": answer["error_description"]}
    details = [each["detail"] for each in answer.get("errors", [answer])]
    return answer["code"] == refusal.code and all(re.fullmatch(refusal.says, detail) for detail in details)


@schemathesis.check
def another_tenant_finds_nothing(_context: CheckContext, response: Response, case: Case) -> None:
    """A tenant that asks for another's job is told what it is told of a job that never was."""
    job_id = case.path_parameters.get("job_id")
    if job_id is None or response.status_code not in FOUND:
        return
    theirs = _asked_by_the_other(response, case.formatted_path)
    nobodys = _asked_by_the_other(response, case.formatted_path.replace(job_id, NOBODYS_JOB))
    assert theirs == nobodys, f"another tenant gets {theirs}, and of a job that never was {nobodys}"
    assert theirs["status"] == 404, f"another tenant gets {theirs}"


@schemathesis.check
def another_tenant_lists_nothing_of_it(_context: CheckContext, response: Response, case: Case) -> None:
    """No job is in the lists of two tenants."""
    if case.operation.definition.raw["operationId"] != "listJobs" or response.status_code != 200:
        return
    theirs = _asked_by_the_other(response, case.formatted_path)
    common = {job["id"] for job in theirs["data"]} & {job["id"] for job in response.json()["data"]}
    assert not common, f"another tenant lists {common} too"


def _asked_by_the_other(response: Response, path: str) -> dict[str, Any]:
    """The answer to the same method, without what names the request in it."""
    document = _other().request(response.request.method or "", path).json()
    return {name: value for name, value in document.items() if name not in ("request_id", "instance")}


@cache
def _other() -> httpx.Client:
    base_url = os.environ["FUZZ_BASE_URL"]
    secret = os.environ["FUZZ_OTHER_CLIENT_ID"], os.environ["FUZZ_OTHER_CLIENT_SECRET"]
    auth = ClientCredentials(f"{base_url}/v1/oauth/token", *secret, System())
    return httpx.Client(base_url=base_url, auth=auth, timeout=30, trust_env=False)
