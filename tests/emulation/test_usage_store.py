"""What keys have used outlasts the stack: the file that holds it, and stacks that end and start again."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.environment import edge_client
from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.known_ids import Kind
from emulation.gateway.quota import DayUsage, History, Period, Window
from emulation.gateway.usage_store import APPLICATION_ID, FILE_NAME, UsageFileUnusable, opened
from tests.gateway.conftest import START, Loop
from tests.stack_process import REPOSITORY, StackProcess, start_stack

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOVEMBER = Window(Period.MONTH, date(2026, 11, 1))
KEY_VALUE = "a key's value is a secret"
LIMIT = 5


def test_counters_are_found_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        file.record("plan", "key", MONDAY, DayUsage(1, 9))
        file.record("plan", "key", MONDAY, DayUsage(2, 8))
        file.record("plan", "key", TUESDAY, DayUsage(1, 7))
        file.record("plan", "other", MONDAY, DayUsage(5, 0))
        file.grant("plan", "key", NOVEMBER, 100)
        file.grant("plan", "key", NOVEMBER, -3)
    with opened(tmp_path) as file:
        found = {(plan_id, key_id): history for plan_id, key_id, history in file.histories()}
    assert found == {
        ("plan", "key"): History({MONDAY: DayUsage(2, 8), TUESDAY: DayUsage(1, 7)}, {NOVEMBER: -3}),
        ("plan", "other"): History({MONDAY: DayUsage(5, 0)}),
    }


def test_ids_come_back_in_the_order_of_creation_when_names_are_alike(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        assert [file.adopt(Kind.PLAN, "free", made, held=()) for made in ("first", "second")] == [
            "first",
            "first",
        ]
        assert file.adopt(Kind.PLAN, "free", "second", held={"first"}) == "second"
    with opened(tmp_path) as file:
        assert file.adopt(Kind.PLAN, "free", "third", held=()) == "first"
        assert file.adopt(Kind.PLAN, "free", "fourth", held={"first"}) == "second"
        assert file.adopt(Kind.PLAN, "free", "fifth", held={"first", "second"}) == "fifth"
        assert file.adopt(Kind.PLAN, "pro", "sixth", held=()) == "sixth"
        assert file.adopt(Kind.KEY, "free", "seventh", held=()) == "seventh"


def test_id_is_new_when_the_one_of_that_name_was_deleted(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        file.adopt(Kind.PLAN, "free", "first", held=())
        file.forget(Kind.PLAN, "first")
    with opened(tmp_path) as file:
        assert file.adopt(Kind.PLAN, "free", "second", held=()) == "second"


def test_folder_and_file_are_their_owners_alone_when_they_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "usage"
    with opened(folder) as file:
        file.record("plan", "key", MONDAY, DayUsage(1, 9))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def rows(count: int) -> bytes:
    return b"\xff" * count


@pytest.mark.parametrize(
    "content",
    [b"not a database, but a text of more than a hundred bytes" * 4, b"SQLite format 3\0" + rows(1_000)],
    ids=["text", "damaged header"],
)
def test_file_is_left_as_it_is_when_it_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with (
        pytest.raises(UsageFileUnusable, match=r"^[^\n]+ move it away to count from zero[^\n]+$"),
        opened(tmp_path),
    ):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize(("application_id", "version"), [(APPLICATION_ID, 2), (0, 1), (0, 0)])
def test_file_is_left_as_it_is_when_it_is_of_another_version_or_program(
    tmp_path: Path, application_id: int, version: int
) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as theirs:
        theirs.execute("CREATE TABLE theirs (value)")
        theirs.execute(f"PRAGMA application_id = {application_id}")
        theirs.execute(f"PRAGMA user_version = {version}")
    theirs.close()
    content = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(UsageFileUnusable, match="it is not of version 1"), opened(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_file_is_left_as_it_is_when_a_page_is_damaged(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        for number in range(1_000):
            file.record("plan", f"key {number}", MONDAY, DayUsage(1, 9))
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[20_000:30_000] = rows(10_000)
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(UsageFileUnusable, match="move it away"), opened(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content


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
        leave(second, 1)
        assert stack.interrupt() == 0
    with started(tmp_path, "last") as (_, third):
        assert third.usage() == (5, 1)
        assert third.statuses(2) == [200, 429]


def leave(stack: Metered, remaining: int) -> None:
    """UpdateUsage."""
    stack.apigateway.update_usage(
        usagePlanId=stack.plan_id,
        keyId=stack.key_id,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": str(remaining)}],
    )


@contextmanager
def edge(loop: Loop, usage_dir: Path) -> Iterator[Metered]:
    """The same in this process."""
    apigateway_backends[ACCOUNT][REGION].reset()
    with opened(usage_dir) as file:
        running = Edge(clock=ManualClock(START), usage_file=file)
        port = loop.run(running.start())
        try:
            yield metered(f"http://127.0.0.1:{port}")
        finally:
            loop.run(running.stop())


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_counts_are_kept_when_a_key_leaves_its_plan_and_comes_back(loop: Loop, tmp_path: Path) -> None:
    with edge(loop, tmp_path) as running:
        assert running.statuses(3) == [200, 200, 200]
        member = {"usagePlanId": running.plan_id, "keyId": running.key_id}
        running.apigateway.delete_usage_plan_key(**member)
        assert running.statuses(1) == [403]
        running.apigateway.create_usage_plan_key(**member, keyType="API_KEY")
        assert running.usage() == (3, 2)
    with edge(loop, tmp_path) as again:
        assert again.usage() == (3, 2)


@pytest.mark.parametrize("deleted", ["plan", "key"])
def test_counting_begins_anew_when_the_plan_or_the_key_was_deleted(
    loop: Loop, tmp_path: Path, deleted: str
) -> None:
    with edge(loop, tmp_path) as first:
        assert first.statuses(1) == [200]
        if deleted == "plan":
            first.apigateway.delete_stage(restApiId=first.api_id, stageName="test")  # which leaves the plan
            first.apigateway.delete_usage_plan(usagePlanId=first.plan_id)
        else:
            first.apigateway.delete_api_key(apiKey=first.key_id)
    with edge(loop, tmp_path) as second:
        assert (second.plan_id == first.plan_id, second.key_id == first.key_id) == (
            deleted == "key",
            deleted == "plan",
        )
        assert second.usage() == (0, LIMIT)


def test_every_answer_names_the_old_ids_when_plan_and_key_are_made_again(loop: Loop, tmp_path: Path) -> None:
    with edge(loop, tmp_path) as first:
        pass
    with edge(loop, tmp_path) as second:
        plans = second.apigateway.get_usage_plans(keyId=first.key_id)["items"]
        keys = second.apigateway.get_api_keys()["items"]
        assert ([each["id"] for each in plans], [each["id"] for each in keys]) == (
            [first.plan_id],
            [first.key_id],
        )


def test_no_key_value_is_in_the_folder_when_keys_were_made(loop: Loop, tmp_path: Path) -> None:
    with edge(loop, tmp_path) as running:
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
    (tmp_path / "usage" / FILE_NAME).write_bytes(rows(1_000))
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
