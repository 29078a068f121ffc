"""The AWS CLI against the edge: what it shows is the traffic just sent."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

PROGRAM = Path(__file__).parents[2] / ".venv-ministack" / "bin" / "aws"
DAYS = ("--start-date", "2026-11-22", "--end-date", "2026-11-23")


def _aws(stack: Stack, operation: str, *arguments: str) -> Any:
    """What `aws apigateway` prints, which reads nothing of this machine's configuration."""
    assert PROGRAM.exists(), "run `make test`: it installs the AWS CLI into .venv-ministack"
    command = [PROGRAM, "apigateway", operation, "--endpoint-url", stack.url, "--output", "json", *arguments]
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "NO_PROXY": "127.0.0.1",
    }
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))


def _send(api: apis.Api, requests: int, key: str) -> list[int]:
    return [api.get("/a", headers={"x-api-key": key}).status_code for _ in range(requests)]


@cites("usage.body", "usage.pairs", "usage.immediate")
def test_get_usage_shows_the_traffic_just_sent(stack: Stack, api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 5, "period": "DAY"})
    keys = [apis.key_in(stack, plan, value=letter * 24) for letter in "ab"]
    assert [*_send(api, 3, "a" * 24), *_send(api, 6, "b" * 24)] == [200] * 8 + [429]
    assert _aws(stack, "get-usage", "--usage-plan-id", plan, *DAYS) == {
        "usagePlanId": plan,
        "startDate": "2026-11-22",
        "endDate": "2026-11-23",
        "items": {keys[0]: [[0, 5], [3, 2]], keys[1]: [[0, 5], [5, 0]]},
    }


@cites("usage.update-above-limit")
def test_update_usage_sets_what_enforcement_then_admits(stack: Stack, api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 1, "period": "DAY"})
    key = apis.key_in(stack, plan, value="a" * 24)
    operations = ("--patch-operations", "op=replace,path=/remaining,value=2")
    told = _aws(stack, "update-usage", "--usage-plan-id", plan, "--key-id", key, *operations)
    assert told["items"] == {key: [[0, 2]]}
    assert _send(api, 3, "a" * 24) == [200, 200, 429]


@cites("usage.position")
def test_pages_are_followed_by_their_tokens(stack: Stack, api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 1, "period": "DAY"})
    keys = [apis.key_in(stack, plan, value=letter * 24) for letter in "abc"]
    asked = ("get-usage", "--usage-plan-id", plan, *DAYS)
    by_position = _aws(stack, *asked, "--limit", "2")
    rest = _aws(stack, *asked, "--limit", "2", "--position", by_position["position"])
    assert [*by_position["items"], *rest["items"]] == keys
    assert "position" not in rest


def test_an_api_imported_by_the_cli_is_served(stack: Stack, tmp_path: Path) -> None:
    stack.functions["hello"] = lambda event: {"body": "hello"}
    body = tmp_path / "api.json"
    body.write_text(json.dumps(apis.document({"/a": {"get": apis.operation()}})))
    api_id = _aws(stack, "import-rest-api", "--body", f"file://{body}")["id"]
    _aws(stack, "create-deployment", "--rest-api-id", api_id, "--stage-name", "test")
    assert apis.Api(stack, api_id).get("/a").text == "hello"
