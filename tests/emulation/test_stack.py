"""A stack as a person has it: a process that starts, serves, and leaves nothing behind."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulation.environment import edge_client
from tests.stack_process import (
    REPOSITORY,
    STOPPED_SECONDS,
    StackProcess,
    processes_writing_to,
    start_stack,
)
from tests.waiting import until

APP = Path(__file__).parent / "app"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    arguments = ("--clock", "manual", "--function", "double=added:double")
    with start_stack(tmp_path_factory.mktemp("stack"), *arguments, project=APP) as stack:
        stack.ready()
        yield stack


@pytest.fixture(scope="module")
def described(running: StackProcess) -> dict[str, Any]:
    return running.ready()


def emulation(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "emulation", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def test_api_answers_when_the_stack_is_ready(described: dict[str, Any]) -> None:
    answer = httpx.get(f"{described['api']['base_url']}/hello/world")
    assert (answer.status_code, answer.json()) == (200, {"hello": "world"})


def test_description_is_its_owners_alone_when_the_stack_is_ready(running: StackProcess) -> None:
    path = running.state_dir / "stack.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "s3cret" in path.read_text()


def test_functions_are_told_what_the_project_says_when_facts_are_known(described: dict[str, Any]) -> None:
    environment = described["environment"]
    assert environment["GREETING"] == described["api"]["base_url"]
    assert environment["CLOCK"] == described["clock_url"]
    assert environment["AWS_ENDPOINT_URL"] == described["edge_url"]
    assert "CHAIN" not in environment
    assert described["tenants"][0]["tenant_id"] == described["api"]["base_url"]


def test_exports_are_printed_when_the_environment_is_asked_for(
    running: StackProcess, described: dict[str, Any]
) -> None:
    printed = emulation("env", "--state-dir", str(running.state_dir)).stdout
    assert f"export AWS_ENDPOINT_URL={described['edge_url']}\n" in printed


def test_message_is_gone_when_its_function_has_run(running: StackProcess, described: dict[str, Any]) -> None:
    sqs = edge_client("sqs", described["edge_url"])
    url = sqs.get_queue_url(QueueName="probe-each")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a message to each")
    until(lambda: "a message to each" in running.logged("functions"), within_seconds=10)
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")

    def left() -> int:
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(counts))["Attributes"]
        return sum(int(attributes[count]) for count in counts)

    until(lambda: left() == 0, within_seconds=10)


def test_messages_come_in_one_batch_when_they_are_sent_within_the_window(
    running: StackProcess, described: dict[str, Any]
) -> None:
    sqs = edge_client("sqs", described["edge_url"])
    url = sqs.get_queue_url(QueueName="probe-batch")["QueueUrl"]
    for start in (0, 10):
        entries = [
            {"Id": str(number), "MessageBody": f"batched {number}"} for number in range(start, start + 10)
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    until(lambda: running.logged("functions").count("batched") == 20, within_seconds=10)
    lines = [line for line in running.logged("functions").splitlines() if "batched" in line]
    assert len(lines) == 1


def test_schedule_fires_once_when_the_clock_jumps_over_many_firings(
    running: StackProcess, described: dict[str, Any]
) -> None:
    for count, seconds in ((1, 3600), (2, 60)):
        httpx.post(described["clock_url"], json={"advance_seconds": seconds}).raise_for_status()
        until(lambda count=count: running.logged("functions").count("tick\n") >= count, within_seconds=10)  # type: ignore[misc]
    assert running.logged("functions").count("tick\n") == 2


def test_resources_are_as_the_template_says_when_the_stack_is_ready(described: dict[str, Any]) -> None:
    edge_url = described["edge_url"]
    table = edge_client("dynamodb", edge_url).describe_table(TableName="notes")["Table"]
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by_day"]
    expiry = edge_client("dynamodb", edge_url).describe_time_to_live(TableName="notes")[
        "TimeToLiveDescription"
    ]
    assert (expiry["AttributeName"], expiry["TimeToLiveStatus"]) == ("expires_at", "ENABLED")
    buckets = edge_client("s3", edge_url).list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == ["files-123456789012-us-east-1"]
    sqs = edge_client("sqs", edge_url)
    url = sqs.get_queue_url(QueueName="probe-each")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    assert json.loads(attributes["RedrivePolicy"]) == {
        "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:probe-dead",
        "maxReceiveCount": 3,
    }


def test_plans_meter_submits_and_reads_apart_when_the_stack_is_ready(described: dict[str, Any]) -> None:
    plans = {
        plan["name"]: plan
        for plan in edge_client("apigateway", described["edge_url"]).get_usage_plans()["items"]
    }
    assert plans["free-submit"]["throttle"] == {"burstLimit": 5, "rateLimit": 2.0}
    assert plans["free-read"]["quota"]["period"] == "MONTH"
    stage = {"apiId": described["api"]["id"], "stage": described["api"]["stage"]}
    assert all(plan["apiStages"] == [stage] for plan in plans.values())


def test_second_start_is_refused_when_a_stack_runs_in_the_folder(running: StackProcess) -> None:
    refused = emulation("up", "--port", "0", "--state-dir", str(running.state_dir), "--project", str(APP))
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert f"(process {running.process.pid})" in refused.stderr
    assert (running.state_dir / "stack.json").exists()


def test_the_folder_is_refused_when_it_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    refused = emulation("up", "--port", "0", "--state-dir", str(tmp_path / "taken"), "--project", str(APP))
    assert refused.returncode == 2
    assert "--state-dir" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_manual_clock_is_refused_when_another_endpoint_has_its_own() -> None:
    refused = emulation("up", "--clock", "manual", "--aws-endpoint", "http://127.0.0.1:1")
    assert refused.returncode == 2
    assert "cannot be moved" in refused.stderr


def test_another_port_is_taken_and_told_when_the_wanted_one_is_not_free(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupied:
        port = occupied.getsockname()[1]
        with start_stack(tmp_path, "--port", str(port), project=APP) as stack:
            edge_url = stack.ready()["edge_url"]
            assert httpx.get(f"{edge_url}/_aws/clock").status_code == 200
            assert (
                f"port {port} is taken, so the edge takes {edge_url.rpartition(':')[2]}"
                in stack.printed.read_text()
            )
            assert stack.interrupt(signal.SIGINT) == 0


@pytest.mark.parametrize("begun", ["stack.lock", "chain.log", "functions.log"])
def test_nothing_is_left_when_the_start_is_interrupted(tmp_path: Path, begun: str) -> None:
    with start_stack(tmp_path) as stack:
        until(lambda: (tmp_path / begun).exists(), within_seconds=30)
        assert stack.interrupt(signal.SIGINT) == 0


def test_nothing_is_left_when_the_stack_is_killed(tmp_path: Path) -> None:
    with start_stack(tmp_path) as stack:
        stack.ready()
        stack.process.kill()
        stack.process.wait()
        until(lambda: processes_writing_to(tmp_path) == [], within_seconds=5, what="all processes gone")


def test_stack_ends_with_a_line_when_its_functions_process_ends(tmp_path: Path) -> None:
    (tmp_path / "stack.json").touch()  # of a stack that was killed
    with start_stack(tmp_path, project=APP) as stack:
        until(lambda: "Ready" in stack.printed.read_text(), within_seconds=30)
        pid = stack.process.pid
        (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        assert stack.process.wait(STOPPED_SECONDS) == 1
    last = stack.printed.read_text().splitlines()[-1]
    assert "the process of the functions ended" in last
    assert last.endswith("functions.log")
    assert list(tmp_path.glob("stack.json")) == processes_writing_to(tmp_path) == []


CRON = """
from chalice import Chalice
app = Chalice("probe")
@app.schedule("cron(0 0 1 * ? *)")
def monthly(event): pass
"""


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("app.py", "raise RuntimeError('no app today')", "no app today"),
        (
            "app.py",
            CRON,
            "the schedule of monthly: ValueError: schedule 'cron(0 0 1 * ? *)' is not understood",
        ),
        ("pyproject.toml", "[tool.emulation", "pyproject.toml: TOMLDecodeError"),
    ],
    ids=["import", "cron", "project"],
)
def test_reason_is_one_line_when_the_app_cannot_start(
    tmp_path: Path, file: str, content: str, reason: str
) -> None:
    (tmp_path / file).write_text(content)
    failed = emulation(
        "up", "--port", "0", "--state-dir", str(tmp_path / "state"), "--project", str(tmp_path)
    )
    assert failed.returncode == 1
    assert reason in failed.stderr
    assert not (tmp_path / "state" / "stack.json").exists()
    assert len(failed.stderr.splitlines()) == 1
    assert processes_writing_to(tmp_path) == []
