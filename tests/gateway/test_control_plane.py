"""The control plane: snapshots, and what applies live."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack


def _put_method(stack: Stack, api_id: str, resource_id: str, verb: str) -> None:
    """A method without any check, integrated with `hello`."""
    stack.apigateway.put_method(
        restApiId=api_id, resourceId=resource_id, httpMethod=verb, authorizationType="NONE"
    )
    stack.apigateway.put_integration(
        restApiId=api_id,
        resourceId=resource_id,
        httpMethod=verb,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=apis.function_uri("hello"),
    )


def test_an_api_made_by_hand_is_served(stack: Stack) -> None:
    control = stack.apigateway
    stack.functions["hello"] = lambda event: {"body": event["pathParameters"]["proxy"]}
    made = control.create_rest_api(name="by hand")
    resource = control.create_resource(
        restApiId=made["id"], parentId=made["rootResourceId"], pathPart="{proxy+}"
    )
    _put_method(stack, made["id"], resource["id"], "ANY")
    deployment = control.create_deployment(restApiId=made["id"])
    control.create_stage(restApiId=made["id"], stageName="live", deploymentId=deployment["id"])
    assert apis.Api(stack, made["id"], "live").get("/some/path").text == "some/path"


def test_a_method_added_later_is_served_from_the_next_deployment_on(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    _put_method(stack, api.api_id, api.resource_id("/a"), "PUT")
    before = api.request("PUT", "/a").status_code
    api.redeploy()
    assert (before, api.request("PUT", "/a").status_code) == (403, 200)


def test_a_stage_put_back_on_an_earlier_deployment_serves_that_one(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    first = stack.apigateway.get_stage(restApiId=api.api_id, stageName="test")["deploymentId"]
    body = json.dumps(apis.document({"/b": {"get": apis.operation()}})).encode()
    stack.apigateway.put_rest_api(restApiId=api.api_id, mode="overwrite", body=body)
    api.redeploy()
    now = (api.get("/a").status_code, api.get("/b").status_code)
    api.patch_stage("/deploymentId", first)
    assert (now, (api.get("/a").status_code, api.get("/b").status_code)) == ((403, 200), (200, 403))


def test_a_stage_keeps_its_settings_and_variables_when_it_is_deployed_to_again(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}), variables={"x": "1"})
    api.patch_stage("/*/*/throttling/burstLimit", "0")
    api.redeploy()
    told = stack.apigateway.get_stage(restApiId=api.api_id, stageName="test")
    assert (told["variables"], told["methodSettings"]["*/*"]["throttlingBurstLimit"]) == ({"x": "1"}, 0)
    assert api.get("/a").status_code == 429


def test_stage_variables_and_a_deleted_stage_take_effect_at_once(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    api.patch_stage("/variables/x", "2")
    api.get("/a")
    assert stack.events("hello")[0]["stageVariables"] == {"x": "2"}
    stack.apigateway.delete_stage(restApiId=api.api_id, stageName="test")
    assert api.get("/a").status_code == 403


def test_a_removed_method_setting_no_longer_throttles(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    api.patch_stage("/*/*/throttling/burstLimit", "0")
    throttled = api.get("/a").status_code
    stack.apigateway.update_stage(
        restApiId=api.api_id, stageName="test", patchOperations=[{"op": "remove", "path": "/*/*"}]
    )
    assert (throttled, api.get("/a").status_code) == (429, 200)


def test_a_method_whose_authorization_is_not_imitated_is_closed_not_open(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    stack.apigateway.update_method(
        restApiId=api.api_id,
        resourceId=api.resource_id("/a"),
        httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}],
    )
    api.redeploy()
    assert api.get("/a").status_code == 500
    assert stack.events("hello") == []


@pytest.mark.parametrize(
    "path", ["/nothing", "/quota/limit", "/apiStages/none:test/throttle/a/GET/rateLimit", "/apiStages"]
)
def test_a_patch_that_cannot_be_applied_is_refused_and_changes_nothing(stack: Stack, path: str) -> None:
    plan = stack.apigateway.create_usage_plan(name="plan", throttle={"rateLimit": 1, "burstLimit": 1})["id"]
    with pytest.raises(ClientError) as refused:
        stack.apigateway.update_usage_plan(
            usagePlanId=plan,
            patchOperations=[
                {"op": "replace", "path": "/throttle/burstLimit", "value": "9"},
                {"op": "replace", "path": path, "value": "1"},
            ],
        )
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert stack.apigateway.get_usage_plan(usagePlanId=plan)["throttle"]["burstLimit"] == 1


def test_a_method_is_as_it_was_when_one_of_its_operations_is_refused(stack: Stack) -> None:
    parameter = {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}}
    operation = apis.operation(security=apis.KEY_REQUIRED, parameters=[parameter])
    api = apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))
    named: Any = {"restApiId": api.api_id, "resourceId": api.resource_id("/a"), "httpMethod": "GET"}
    operations: Any = [
        {"op": "replace", "path": "/apiKeyRequired", "value": "false"},
        {"op": "remove", "path": "/requestParameters/method.request.querystring.q"},
        {"op": "replace", "path": "/nothing", "value": "1"},
    ]
    with pytest.raises(ClientError) as refused:
        stack.apigateway.update_method(**named, patchOperations=operations)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    method = stack.apigateway.get_method(**named)
    assert (method["apiKeyRequired"], method["requestParameters"]) == (
        True,
        {"method.request.querystring.q": True},
    )
