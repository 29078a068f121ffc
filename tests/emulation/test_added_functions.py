"""Any Python handler behind an API of plain boto3: a folder with one module, and no app."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulation.environment import edge_client
from tests.stack_process import REPOSITORY, processes_writing_to, start_stack

HANDLERS = """
def hello(event, context):
    caller = event["requestContext"]["authorizer"]["principalId"]
    return {"statusCode": 200, "body": f"{caller} by {context.function_name}"}

def gate(event, context):
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    key = "the key of " + event["authorizationToken"]
    return {"principalId": event["authorizationToken"], "policyDocument": policy, "usageIdentifierKey": key}

NUMBER = 5
"""
FUNCTIONS = ("--function", "hello=handlers:hello", "--function", "gate=handlers:gate")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "handlers.py").write_text(HANDLERS)
    return folder


def uri(function: str) -> str:
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{function}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def deploy(apigateway: Any) -> str:
    """The id of an API: `gate` says who calls and with which key, `hello` answers."""
    api_id: str = apigateway.create_rest_api(name="handlers", apiKeySource="AUTHORIZER")["id"]
    (root,) = apigateway.get_resources(restApiId=api_id)["items"]
    authorizer = apigateway.create_authorizer(
        restApiId=api_id,
        name="gate",
        type="TOKEN",
        authorizerUri=uri("gate"),
        identitySource="method.request.header.Authorization",
    )
    method = {"restApiId": api_id, "resourceId": root["id"], "httpMethod": "GET"}
    apigateway.put_method(
        **method, authorizationType="CUSTOM", authorizerId=authorizer["id"], apiKeyRequired=True
    )
    apigateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri("hello"))
    apigateway.create_deployment(restApiId=api_id, stageName="test")
    return api_id


def meter(apigateway: Any, api_id: str, caller: str, *, limit: int) -> None:
    plan = apigateway.create_usage_plan(
        name=caller,
        apiStages=[{"apiId": api_id, "stage": "test"}],
        quota={"limit": limit, "period": "MONTH"},
    )
    key = apigateway.create_api_key(name=caller, value=f"the key of {caller}", enabled=True)
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")


def test_handlers_integrate_and_authorize_when_a_folder_has_nothing_but_a_module(
    tmp_path: Path, folder: Path
) -> None:
    with start_stack(tmp_path / "state", *FUNCTIONS, project=folder) as stack:
        edge_url = stack.ready()["edge_url"]
        apigateway = edge_client("apigateway", edge_url)
        api_id = deploy(apigateway)
        for caller, limit in (("someone-with-two", 2), ("someone-with-nine", 9)):
            meter(apigateway, api_id, caller, limit=limit)

        def get(caller: str | None) -> httpx.Response:
            headers = {"Authorization": caller} if caller else {}
            return httpx.get(f"{edge_url}/_aws/execute-api/{api_id}/test/", headers=headers)

        assert get("someone-with-two").text == "someone-with-two by hello"
        callers = ("someone-with-two", "someone-with-two", "someone-with-nine", "nobody-known", None)
        assert [get(caller).status_code for caller in callers] == [200, 429, 200, 403, 401]


def refusal(folder: Path, *functions: str) -> tuple[int, str]:
    """The status and the one line of a start with the functions."""
    arguments = [argument for function in functions for argument in ("--function", function)]
    command = [sys.executable, "-m", "emulation", "up", "--port", "0", "--project", str(folder)]
    refused = subprocess.run(
        [*command, "--state-dir", str(folder.parent / "state"), *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert processes_writing_to(folder.parent) == []
    (line,) = refused.stderr.splitlines()
    return refused.returncode, line


@pytest.mark.parametrize(
    "written", ["handlers:hello", "hello=handlers.hello", "=handlers:hello", "hello=handlers:", "a b=c:d"]
)
def test_form_is_told_in_a_line_when_a_function_is_written_in_another(folder: Path, written: str) -> None:
    expected = f"--function {written}: write it as NAME=MODULE:HANDLER, such as hello=handlers:hello"
    assert refusal(folder, written) == (2, expected)


def test_first_holder_is_told_in_a_line_when_two_functions_have_one_name(folder: Path) -> None:
    line = "--function hello=handlers:gate: the name is taken by hello=handlers:hello, so choose another"
    assert refusal(folder, "hello=handlers:hello", "hello=handlers:gate") == (2, line)


@pytest.mark.parametrize(
    ("written", "advice"),
    [
        ("hello=handler:hello", "fails with ModuleNotFoundError: No module named 'handler'"),
        ("hello=broken:hello", "fails with NameError: name 'this' is not defined"),
        ("hello=handlers:hallo", "handlers has no function hallo: name one that takes (event, context)"),
        ("hello=handlers:NUMBER", "handlers has no function NUMBER: name one that takes (event, context)"),
        ("hello=chalk:hello", "the app has a function of that name, so choose another"),
    ],
)
def test_advice_is_a_line_when_a_function_is_not_found(folder: Path, written: str, advice: str) -> None:
    (folder / "broken.py").write_text("this.is_not()")
    if "chalk" in written:
        (folder / "app.py").write_text(APP)
    status, line = refusal(folder, written)
    assert status == 1
    assert f"--function {written}: " in line
    assert advice in line


APP = """
from chalice import Chalice
app = Chalice("probe")
@app.lambda_function()
def hello(event, context): pass
"""
