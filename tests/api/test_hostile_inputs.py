"""Every job type's input, spoilt in every place: refused by name, or run to an end that is not our fault."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from chalicelib.domain.failure import FailureCode
from chalicelib.domain.job import JobRef
from chalicelib.job_types import JOB_TYPES
from tests.api.conftest import ACME, Api
from tests.api.hostile import JSON, STRINGS, Refusal

VALUES: dict[str, Any] = {
    **{name: text for name, text in STRINGS.items() if name not in ("1 MiB", "lone surrogate")},
    "null": None,
    "true": True,
    "0": 0,
    "-1": -1,
    "2^53-1": 2**53 - 1,
    "1.5": 1.5,
    "1e300": 1e300,
    "a number in a text": "1",
    "no items": [],
    "no members": {},
    "an operator": {"$ne": ""},
    "a list of lists": [[[[]]]],
    "a list of everything": [None, True, 1, 1.5, "x", {}, []],
    "10,000 zeros": [0] * 10_000,
    "190 brackets": json.loads("[" * 190 + "]" * 190),
}
MEMBERS = [
    pytest.param(name, member, id=f"{name}-{member}")
    for name, job_type in sorted(JOB_TYPES.items())
    for member in job_type.input_model.model_fields
]
NESTED = [
    each for each in MEMBERS if isinstance(JOB_TYPES[each.values[0]].example.get(each.values[1]), list | dict)
]
TYPES = pytest.mark.parametrize("name", sorted(JOB_TYPES))
# What a test waits for: a unit is about a second of work.
MOST_UNITS = 1


@pytest.fixture
def whole(api: Api) -> Api:
    """The API where no job type lacks its package: what an input must be does not depend on it."""
    api.container.job_types = {name: replace(each, requires=None) for name, each in JOB_TYPES.items()}
    return api


@pytest.mark.parametrize(("name", "member"), MEMBERS)
def test_a_member_is_refused_or_its_job_ends_when_it_is_any_value(whole: Api, name: str, member: str) -> None:
    send = Sender(whole, name)
    for told, value in VALUES.items():
        refusal = Refusal(whole)
        answer = send({**JOB_TYPES[name].example, member: value})
        if answer.status_code == 202:
            _ends(whole, answer.json())
            continue
        places = [each["pointer"] for each in refusal.check(answer, 400, "invalid_request")["errors"]]
        inside = f"/input/{member}"
        assert all(place == inside or place.startswith(f"{inside}/") for place in places), (told, places)


@pytest.mark.parametrize(("name", "member"), NESTED)
def test_a_part_is_refused_or_its_job_ends_when_it_is_deep_in_a_member(
    whole: Api, name: str, member: str
) -> None:
    """Each first part of a list or an object of the example, and what is in that."""
    send = Sender(whole, name)
    for spoilt in _spoilt(JOB_TYPES[name].example[member]):
        refusal = Refusal(whole)
        answer = send({**JOB_TYPES[name].example, member: spoilt})
        if answer.status_code == 202:
            _ends(whole, answer.json())
            continue
        places = [each["pointer"] for each in refusal.check(answer, 400, "invalid_request")["errors"]]
        assert all(place.startswith(f"/input/{member}") for place in places), places


@TYPES
def test_every_member_that_is_missing_is_named_when_an_input_is_empty(whole: Api, name: str) -> None:
    refusal = Refusal(whole)
    problem = refusal.check(Sender(whole, name)({}), 400, "invalid_request")
    fields = JOB_TYPES[name].input_model.model_fields
    missing = [f"/input/{member}" for member, field in fields.items() if field.is_required()]
    assert [each["pointer"] for each in problem["errors"]] == missing


@TYPES
@pytest.mark.parametrize("stranger", ["surprise", "tenant_id", "__proto__", "__class__", "", "a/b~c"])
def test_a_member_that_the_type_lacks_is_named_when_it_is_sent(whole: Api, name: str, stranger: str) -> None:
    refusal = Refusal(whole)
    answer = Sender(whole, name)({**JOB_TYPES[name].example, stranger: {}})
    problem = refusal.check(answer, 400, "invalid_request")
    place = stranger.replace("~", "~0").replace("/", "~1")
    assert [each["pointer"] for each in problem["errors"]] == [f"/input/{place}"]


@TYPES
def test_the_example_is_accepted_at_its_cost_when_it_is_submitted(whole: Api, name: str) -> None:
    job_type = JOB_TYPES[name]
    job = Sender(whole, name)(job_type.example).json()
    cost = job_type.cost(job_type.input_model.model_validate(dict(job_type.example)))
    assert job["compute"] == {"estimated_units": cost, "used_units": 0}
    assert (job["type"], job["type_version"]) == (name, job_type.version)


class Sender:
    """Submits inputs of a type, each with a key of its own and all with one token."""

    def __init__(self, api: Api, name: str) -> None:
        self._http = api.http
        self._name = name
        self._headers = {**api.bearer(), **JSON}
        self._sent = 0

    def __call__(self, job_input: Any) -> httpx.Response:
        self._sent += 1
        headers = {**self._headers, "Idempotency-Key": f"k{self._sent}"}
        body = json.dumps({"type": self._name, "input": dict(job_input)})
        return self._http.post("/v1/jobs", content=body, headers=headers)


def _spoilt(value: Any) -> Iterator[Any]:
    """The value with its first part, or one that is in it, another or gone."""
    if isinstance(value, list) and value:
        yield from ([other, *value[1:]] for other in (*VALUES.values(), *_spoilt(value[0])))
        yield [*value, *value]
        yield value[1:]
    if isinstance(value, dict) and value:
        name = next(iter(value))
        yield from ({**value, name: other} for other in (*VALUES.values(), *_spoilt(value[name])))
        yield {key: each for key, each in value.items() if key != name}


def _ends(api: Api, job: dict[str, Any]) -> None:
    """With a result, or with what is wrong with the input; one that would take long is not run."""
    ref = JobRef(ACME, job["id"])
    if job["compute"]["estimated_units"] > MOST_UNITS or not JOB_TYPES[job["type"]].is_available:
        api.container.cancel_job(ref)
        return
    api.run(job["id"])
    ended = api.container.get_job(ref)
    assert ended.result or (ended.failure and ended.failure.code is FailureCode.JOB_ERROR), ended
