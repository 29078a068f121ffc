"""An API of which one operation goes away: its answers say so, and past its sunset it is gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chalicelib.admin.openapi import document
from chalicelib.web import operations
from chalicelib.web.deprecation import NOTICE, Deprecation
from tests.api.conftest import Api, Gateway, deployed_gateway
from tests.gateway.conftest import START, Loop

SUNSET = datetime.fromtimestamp(START, UTC) + NOTICE
DEPRECATED = replace(
    operations.GET_JOB,
    deprecation=Deprecation(
        deprecated_at=SUNSET - NOTICE,
        sunset_at=SUNSET,
        link="/v1/problems/operation_removed",
        successor="/v2/jobs",
    ),
)
NO_SUCH_JOB = "/v1/jobs/job_01KASQ4V7T0000000000000000"


@pytest.fixture
def gateway(loop: Loop, tmp_path: Path) -> Iterator[Gateway]:
    """What the generator makes of a table whose getJob is deprecated; each test moves its own clock."""
    made = document.specification({**operations.OPERATIONS, DEPRECATED.id: DEPRECATED})
    path = tmp_path / "openapi.yml"
    path.write_text(document.text(made))
    with deployed_gateway(loop, path, made) as deployed:
        yield deployed


@pytest.fixture
def api(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The app with that table's row."""
    monkeypatch.setattr(operations, "GET_JOB", DEPRECATED)
    return api


def announced(answer: httpx.Response) -> dict[str, str]:
    return {
        name: answer.headers[name] for name in ("Deprecation", "Sunset", "Link") if name in answer.headers
    }


def headers(api: Api) -> dict[str, str]:
    why = f"{api.base_url}/v1/problems/operation_removed"
    successor = f"{api.base_url}/v2/jobs"
    return {
        "Deprecation": f"@{int(START)}",
        "Sunset": "Sat, 22 May 2027 05:00:00 GMT",
        "Link": f'<{why}>; rel="deprecation", <{why}>; rel="sunset", <{successor}>; rel="successor-version"',
    }


def test_every_answer_of_the_function_announces_it_when_an_operation_is_deprecated(api: Api) -> None:
    job = api.submit()
    answers = [
        api.http.get(job.headers["Location"], headers=api.bearer()),
        api.http.get(NO_SUCH_JOB, headers=api.bearer()),
        api.http.get(NO_SUCH_JOB, headers=api.bearer(scope="jobs:write")),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 403]
    assert all(announced(answer) == headers(api) for answer in answers)
    assert announced(job) == {}


def test_the_operation_is_removed_when_the_clock_reaches_its_sunset(api: Api) -> None:
    job = api.submit()
    api.stack.clock.set(SUNSET.timestamp() - 1)
    assert api.http.get(job.headers["Location"], headers=api.bearer()).status_code == 200
    api.stack.clock.advance(1)
    gone = api.http.get(job.headers["Location"], headers=api.bearer())
    assert (gone.status_code, gone.json()["code"]) == (410, "operation_removed")
    assert announced(gone) == headers(api)
    assert api.http.get(httpx.URL(gone.json()["type"])).status_code == 200


def test_the_other_operations_stay_when_one_is_removed(api: Api) -> None:
    api.stack.clock.advance(timedelta(days=365).total_seconds())
    assert api.submit().status_code == 202


def test_the_specification_says_so_when_an_operation_is_deprecated(gateway: Gateway) -> None:
    paths = gateway.contract.document["paths"]
    deprecated = [
        operation["operationId"]
        for item in paths.values()
        for operation in item.values()
        if operation.get("deprecated")
    ]
    assert deprecated == ["getJob"]
    responses = paths[DEPRECATED.path]["get"]["responses"]
    assert all(
        {"Deprecation", "Sunset", "Link"} <= responses[status]["headers"].keys() for status in responses
    )
    assert "operation_removed" in responses["410"]["content"]["application/problem+json"]["examples"]
