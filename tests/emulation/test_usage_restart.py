"""Stacks that end and start again on one usage folder go on counting where they were."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from chalicelib.admin.provisioning import provision_stack
from chalicelib.admin.wiring import Administration
from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.environment import CREDENTIALS, edge_client
from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.usage_store import FILE_NAME, opened
from emulation.provision import Api, provision_resources, provision_usage_plans
from tests.gateway.conftest import START, Loop
from tests.stack_process import REPOSITORY, StackProcess, start_stack

KEY_VALUE = "a key's value is a secret"
LIMIT = 5


@dataclass(frozen=True, slots=True)
class Metered:
    """A stack with one keyed route, a plan of `LIMIT` requests a month over it, and a key in it."""

    edge_url: str
    apigateway: Any
    api_id: str
    plan_id: str
    key_id: str

    def statuses(self, count: int) -> list[int]:
        url = f"{self.edge_url}/_aws/execute-api/{self.api_id}/test/"
        return [httpx.get(url, headers={"x-api-key": KEY_VALUE}).status_code for _ in range(count)]

    def usage(self) -> tuple[int, int]:
        """Used in the days around now, for a test may go on past midnight, and left at their end."""
        now = datetime.fromisoformat(httpx.get(f"{self.edge_url}/_aws/clock").json()["now"])
        first, last = (now.date() + timedelta(days=days) for days in (-1, 0))
        answer = self.apigateway.get_usage(
            usagePlanId=self.plan_id, keyId=self.key_id, startDate=f"{first}", endDate=f"{last}"
        )
        pairs = answer["items"][self.key_id]
        return sum(used for used, _ in pairs), pairs[-1][1]

    def leave(self, remaining: int) -> None:
        patch = {"op": "replace", "path": "/remaining", "value": str(remaining)}
        self.apigateway.update_usage(usagePlanId=self.plan_id, keyId=self.key_id, patchOperations=[patch])


def metered(edge_url: str) -> Metered:
    """Makes the same API, plan and key in each stack."""
    apigateway = edge_client("apigateway", edge_url)
    api_id = mock_api(apigateway)
    plan_id = apigateway.create_usage_plan(
        name="metered",
        apiStages=[{"apiId": api_id, "stage": "test"}],
        quota={"limit": LIMIT, "period": "MONTH"},
    )["id"]
    key_id = apigateway.create_api_key(name="mine", value=KEY_VALUE, enabled=True)["id"]
    apigateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
    return Metered(edge_url, apigateway, api_id, plan_id, key_id)


def mock_api(apigateway: Any) -> str:
    """An API whose root answers 200 to who has a key, deployed as `test`."""
    api_id: str = apigateway.create_rest_api(name="mock")["id"]
    (root,) = apigateway.get_resources(restApiId=api_id)["items"]
    method = {"restApiId": api_id, "resourceId": root["id"], "httpMethod": "GET"}
    apigateway.put_method(**method, authorizationType="NONE", apiKeyRequired=True)
    apigateway.put_method_response(**method, statusCode="200")
    templates = {"application/json": '{"statusCode": 200}'}
    apigateway.put_integration(**method, type="MOCK", requestTemplates=templates)
    apigateway.put_integration_response(**method, statusCode="200")
    apigateway.create_deployment(restApiId=api_id, stageName="test")
    return api_id


@contextmanager
def started(folder: Path, run: str) -> Iterator[tuple[StackProcess, Metered]]:
    """A stack in a process of its own that keeps its usage in the folder."""
    project = folder / "project"
    project.mkdir(exist_ok=True)
    with start_stack(folder / run, "--usage-dir", str(folder / "usage"), project=project) as stack:
        yield stack, metered(stack.ready()["edge_url"])


def test_counting_goes_on_when_the_stack_is_killed_or_stopped(tmp_path: Path) -> None:
    with started(tmp_path, "killed") as (stack, first):
        assert first.statuses(3) == [200, 200, 200]
        stack.process.kill()
        stack.process.wait()
    with started(tmp_path, "stopped") as (stack, second):
        assert (second.plan_id, second.key_id) == (first.plan_id, first.key_id)
        assert second.usage() == (3, 2)
        assert second.statuses(3) == [200, 200, 429]
        second.leave(1)
        assert stack.interrupt() == 0
    with started(tmp_path, "last") as (_, third):
        assert third.usage() == (5, 1)
        assert third.statuses(2) == [200, 429]


@contextmanager
def edge(loop: Loop, usage_dir: Path) -> Iterator[str]:
    """The URL of an edge in this process that keeps its usage in the folder."""
    apigateway_backends[ACCOUNT][REGION].reset()
    with opened(usage_dir) as file:
        running = Edge(clock=ManualClock(START), usage_file=file)
        port = loop.run(running.start())
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            loop.run(running.stop())


@contextmanager
def metered_edge(loop: Loop, usage_dir: Path) -> Iterator[Metered]:
    with edge(loop, usage_dir) as url:
        yield metered(url)


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_counts_are_kept_when_a_key_leaves_its_plan_and_comes_back(loop: Loop, tmp_path: Path) -> None:
    with metered_edge(loop, tmp_path) as running:
        assert running.statuses(3) == [200, 200, 200]
        member = {"usagePlanId": running.plan_id, "keyId": running.key_id}
        running.apigateway.delete_usage_plan_key(**member)
        assert running.statuses(1) == [403]
        running.apigateway.create_usage_plan_key(**member, keyType="API_KEY")
        assert running.usage() == (3, 2)
    with metered_edge(loop, tmp_path) as again:
        assert again.usage() == (3, 2)


@pytest.mark.parametrize("deleted", ["plan", "key"])
def test_counting_begins_anew_when_the_plan_or_the_key_was_deleted(
    loop: Loop, tmp_path: Path, deleted: str
) -> None:
    with metered_edge(loop, tmp_path) as first:
        assert first.statuses(1) == [200]
        if deleted == "plan":
            first.apigateway.delete_stage(restApiId=first.api_id, stageName="test")  # which leaves the plan
            first.apigateway.delete_usage_plan(usagePlanId=first.plan_id)
        else:
            first.apigateway.delete_api_key(apiKey=first.key_id)
    with metered_edge(loop, tmp_path) as second:
        same = {"plan": second.plan_id == first.plan_id, "key": second.key_id == first.key_id}
        assert same == {"plan": deleted != "plan", "key": deleted != "key"}
        assert second.usage() == (0, LIMIT)


def test_every_answer_names_the_old_ids_when_plan_and_key_are_made_again(loop: Loop, tmp_path: Path) -> None:
    with metered_edge(loop, tmp_path) as first:
        pass
    with metered_edge(loop, tmp_path) as second:
        plans = second.apigateway.get_usage_plans(keyId=first.key_id)["items"]
        keys = second.apigateway.get_api_keys()["items"]
        assert [each["id"] for each in (*plans, *keys)] == [first.plan_id, first.key_id]


def test_keys_are_the_same_when_they_are_imported_again(loop: Loop, tmp_path: Path) -> None:
    file = f"name,key\nmine,{KEY_VALUE}\n".encode()
    imported = []
    for _ in range(2):
        with edge(loop, tmp_path) as url:
            imported += edge_client("apigateway", url).import_api_keys(body=file, format="csv")["ids"]
    assert imported[0] == imported[1]


def test_metering_keys_are_the_same_when_the_tenants_are_provisioned_again(
    loop: Loop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    runs = [provisioned(loop, tmp_path / "usage") for _ in range(2)]
    assert len(runs[0]) == 2
    assert runs[0] == runs[1]


def provisioned(loop: Loop, usage_dir: Path) -> set[tuple[str, str]]:
    """The (plan id, key id) of a tenant of the Jobs API in a stack of its own."""
    with edge(loop, usage_dir) as url:
        client = partial(edge_client, edge_url=url)
        httpx.post(f"{url}/moto-api/reset").raise_for_status()  # its tables are a run's own
        provision_resources(REPOSITORY / ".chalice" / "resources.json", client)
        apigateway = client("apigateway")
        api = Api(mock_api(apigateway), "test", url)
        provision_usage_plans(REPOSITORY / "chalicelib" / "plans.toml", api, client)
        provision_stack(Administration.of_endpoint(url), [("acme", "pro")])
        return {
            (plan["id"], key["id"])
            for plan in apigateway.get_usage_plans(limit=500)["items"]
            for key in apigateway.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
        }


def test_no_key_value_is_in_the_folder_when_keys_were_made(loop: Loop, tmp_path: Path) -> None:
    with metered_edge(loop, tmp_path) as running:
        assert running.statuses(1) == [200]
        content = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert KEY_VALUE.encode() not in content
    assert running.key_id.encode() in content


def test_second_stack_is_refused_in_a_line_when_one_counts_in_the_folder(tmp_path: Path) -> None:
    with opened(tmp_path / "usage"):
        line = refusal(tmp_path)
    assert (
        f"another stack counts in {tmp_path}/usage/{FILE_NAME}: stop it, or take another --usage-dir" in line
    )


def test_reason_is_one_line_when_the_usage_file_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "usage").mkdir()
    (tmp_path / "usage" / FILE_NAME).write_bytes(b"\xff" * 1_000)
    assert "(file is not a database): move it away to count from zero" in refusal(tmp_path)


def refusal(folder: Path) -> str:
    """The one line that a start prints which cannot count in the folder."""
    command = [sys.executable, "-m", "emulation", "up", "--port", "0", "--state-dir", str(folder / "state")]
    refused = subprocess.run(
        [*command, "--usage-dir", str(folder / "usage"), "--project", str(folder)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    return line
