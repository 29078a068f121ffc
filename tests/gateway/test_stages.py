"""Stages made and changed by hand: their settings hold at once."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack


def _refusal(call: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**named)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    return apis.imported(stack, apis.document({path: {"get": apis.operation()} for path in ("/a", "/a/b")}))


@pytest.mark.parametrize("path", ["/a~1b/GET", "/~1a~1b/GET", "/a/b/GET"])
def test_a_methods_setting_holds_at_once_however_its_path_is_written(api: apis.Api, path: str) -> None:
    for limit in ("rateLimit", "burstLimit"):
        api.patch_stage(f"{path}/throttling/{limit}", "0")
    assert [api.get(each).status_code for each in ("/a/b", "/a")] == [429, 200]
    told = api.stack.apigateway.get_stage(restApiId=api.api_id, stageName="test")["methodSettings"]
    assert set(told) == {"a~1b/GET"}
    remove: Any = [{"op": "remove", "path": path}]
    update: Any = {"restApiId": api.api_id, "stageName": "test", "patchOperations": remove}
    api.stack.apigateway.update_stage(**update)
    assert api.get("/a/b").status_code == 200
    assert _refusal(api.stack.apigateway.update_stage, **update)[0] == 400


def test_a_stage_is_refused_when_it_cannot_be(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    (deployment,) = control.get_deployments(restApiId=api.api_id)["items"]
    stage = {"restApiId": api.api_id, "stageName": "new", "deploymentId": deployment["id"]}
    assert _refusal(control.create_stage, **{**stage, "deploymentId": "none"})[0] == 404
    assert _refusal(control.create_stage, **{**stage, "stageName": "a b"})[0] == 400
    assert _refusal(control.create_stage, **{**stage, "stageName": "test"})[0] == 409
    assert _refusal(control.create_stage, **stage, variables={"a b": "1"})[0] == 400
    assert _refusal(control.create_stage, **stage, cacheClusterEnabled=True)[0] == 501
    control.create_stage(**stage, variables={"x": "1"})
    assert apis.Api(api.stack, api.api_id, "new").get("/a").status_code == 200
    assert api.stack.events("hello")[0]["stageVariables"] == {"x": "1"}


def test_a_stages_log_is_set_and_removed_as_a_whole(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    api.patch_stage("/accessLogSettings/destinationArn", "arn:aws:logs:us-east-1:123456789012:log-group:x")
    api.patch_stage("/accessLogSettings/format", "$context.requestId")
    named = {"restApiId": api.api_id, "stageName": "test"}
    assert control.get_stage(**named)["accessLogSettings"]["format"] == "$context.requestId"
    for op, path, value in (
        ("replace", "/accessLogSettings/format", ""),
        ("replace", "/accessLogSettings", "x"),
        ("remove", "/accessLogSettings/format", ""),
    ):
        patch = [{"op": op, "path": path, "value": value}]
        assert _refusal(control.update_stage, **named, patchOperations=patch)[0] == 400
    control.update_stage(**named, patchOperations=[{"op": "remove", "path": "/accessLogSettings"}])
    assert "accessLogSettings" not in control.get_stage(**named)
