"""Usage plans and keys made, listed, imported and deleted, by the service's rules."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack

KEY = {"x-api-key": "k" * 24}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))


def _refusal(call: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**named)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


def _patch_stages(api: apis.Api, plan: str, op: Any, value: str) -> None:
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": op, "path": "/apiStages", "value": value}]
    )


def test_a_plan_is_deleted_with_its_keys_once_no_stage_is_attached(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    key = apis.key_in(api.stack, plan)
    told = f"because there are API Stages associated with it, including {api.api_id}:test"
    expected = (400, f"Cannot delete Usage Plan {plan} {told}")
    assert _refusal(control.delete_usage_plan, usagePlanId=plan) == expected
    assert api.get("/a", headers=KEY).status_code == 200
    _patch_stages(api, plan, "remove", f"{api.api_id}:test")
    control.delete_usage_plan(usagePlanId=plan)
    assert api.get("/a", headers=KEY).status_code == 403
    assert control.get_api_key(apiKey=key)["id"] == key
    assert _refusal(control.get_usage_plan, usagePlanId=plan) == (404, "Invalid Usage Plan ID specified")


def test_a_plan_of_a_stage_that_is_not_there_is_refused(api: apis.Api) -> None:
    control = api.stack.apigateway
    for api_id, stage in ((api.api_id, "none"), ("none", "test")):
        stages: Any = [{"apiId": api_id, "stage": stage}]
        refused = _refusal(control.create_usage_plan, name="plan", apiStages=stages)
        assert refused == (404, f"API Stage not found: {api_id}:{stage}")
    plan = api.plan(apiStages=[])
    told = f"Invalid API Stage {{api: {api.api_id}, stage: none}} specified for usageplan {plan}"
    attach: Any = {"api": api, "plan": plan, "op": "add"}
    assert _refusal(_patch_stages, **attach, value=f"{api.api_id}:none") == (404, told)
    for value in ("", api.api_id):
        assert _refusal(_patch_stages, **attach, value=value) == (400, "Invalid API Stage specified")


def test_a_stage_that_is_deleted_leaves_its_plans_and_does_not_come_back(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    apis.key_in(api.stack, plan)
    control.delete_stage(restApiId=api.api_id, stageName="test")
    assert control.get_usage_plan(usagePlanId=plan)["apiStages"] == []
    api.redeploy()
    assert api.get("/a", headers=KEY).status_code == 403
    _patch_stages(api, plan, "add", f"{api.api_id}:test")
    assert api.get("/a", headers=KEY).status_code == 200


def test_an_api_that_is_deleted_leaves_its_plans_and_is_not_served(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    control.delete_rest_api(restApiId=api.api_id)
    assert control.get_usage_plan(usagePlanId=plan)["apiStages"] == []
    assert api.get("/a", headers=KEY).status_code == 403
    control.delete_usage_plan(usagePlanId=plan)
    told = f"Invalid API identifier specified 123456789012:{api.api_id}"
    assert _refusal(control.get_rest_api, restApiId=api.api_id) == (404, told)


def test_a_key_is_in_a_plan_once(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    key = apis.key_in(api.stack, plan)
    attach: Any = {"usagePlanId": plan, "keyId": key, "keyType": "API_KEY"}
    assert _refusal(control.create_usage_plan_key, **attach)[0] == 409
    control.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    assert api.get("/a", headers=KEY).status_code == 403
    assert _refusal(control.delete_usage_plan_key, usagePlanId=plan, keyId=key)[0] == 404
    assert _refusal(control.create_usage_plan_key, **{**attach, "keyType": "OTHER"})[0] == 400
    assert _refusal(control.create_usage_plan_key, **{**attach, "keyId": "none"})[0] == 404
    assert control.create_usage_plan_key(**attach)["value"] == "k" * 24
    assert api.get("/a", headers=KEY).status_code == 200


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"value": "v" * 19}, (400, "API Key value should be at least 20 characters")),
        ({"value": "v" * 129}, (400, "API Key value exceeds maximum size of 128 characters")),
        ({"value": "k" * 24}, (409, "API Key already exists")),
        ({"name": "n" * 1025}, (400, "Invalid API Key name, can be at most 1024 characters.")),
        ({"description": "d" * 125_001}, (400, "Invalid API Key description specified.")),
    ],
)
def test_a_key_is_refused_when_it_breaks_a_rule(
    stack: Stack, settings: Any, refused: tuple[int, str]
) -> None:
    apis.key_in(stack)
    assert _refusal(stack.apigateway.create_api_key, **settings) == refused
    assert len(stack.apigateway.get_api_keys()["items"]) == 1


def test_a_key_without_a_name_or_a_value_gets_a_value(stack: Stack) -> None:
    made = stack.apigateway.create_api_key(name="", value="")
    assert len(made["value"]) == 40
    assert (made.get("name"), made["enabled"]) == (None, False)
    found = stack.apigateway.get_api_key(apiKey=made["id"], includeValue=True)
    assert found["value"] == made["value"]
    assert "value" not in stack.apigateway.get_api_key(apiKey=made["id"])


def test_keys_are_listed_by_the_beginning_of_their_names_and_in_pages(stack: Stack) -> None:
    control: Any = stack.apigateway
    plan = control.create_usage_plan(name="plan")["id"]
    for number in range(30):
        key = control.create_api_key(name=f"{'odd' if number % 2 else 'even'}-{number}")["id"]
        control.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    for read, named in ((control.get_api_keys, {}), (control.get_usage_plan_keys, {"usagePlanId": plan})):
        first = read(**named)
        second = read(**named, position=first["position"])
        assert [len(first["items"]), len(second["items"]), "position" in second] == [25, 5, False]
        assert len({each["id"] for each in first["items"] + second["items"]}) == 30
        assert len(read(**named, limit=7)["items"]) == 7
        assert len(read(**named, nameQuery="odd-")["items"]) == 15
        assert read(**named, nameQuery="ODD-")["items"] == []
    assert control.get_usage_plan_keys(usagePlanId="none")["items"] == []
    assert all("value" in each for each in control.get_api_keys(includeValues=True)["items"])


def test_a_plan_is_listed_by_its_keys_and_a_renamed_key_under_its_new_name(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    key = apis.key_in(api.stack, plan)
    api.plan("other", apiStages=[])
    assert [each["id"] for each in control.get_usage_plans(keyId=key)["items"]] == [plan]
    assert len(control.get_usage_plans()["items"]) == 2
    patch: Any = [{"op": "replace", "path": "/name", "value": "renamed"}]
    control.update_api_key(apiKey=key, patchOperations=patch)
    assert control.get_usage_plan_key(usagePlanId=plan, keyId=key)["name"] == "renamed"


def test_keys_are_imported_from_a_file_into_their_plans(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    one, other = api.plan(), api.plan("other", apiStages=[])
    known = apis.key_in(api.stack, value="known" * 5)
    lines = [
        "Enabled,Name,key,Other,UsageplanIds",
        f'true,first,{"k" * 24},ignored,"{one},{other}"',
        f"FALSE,renamed,{'known' * 5},,'{one},{other}'",
        f"true,third,{'t' * 24},,none",
        "true,short,s,,",
    ]
    imported = control.import_api_keys(body="\n".join(lines).encode(), format="csv")
    assert [each.split(":")[0] for each in imported["warnings"]] == ["Line 3", "Line 4"]
    assert api.get("/a", headers=KEY).status_code == 200
    assert api.get("/a", headers={"x-api-key": "known" * 5}).status_code == 403
    assert imported["ids"][1] == known
    told = control.get_api_key(apiKey=known)
    assert (told["name"], told["enabled"]) == ("renamed", False)
    assert len(control.get_usage_plans(keyId=known)["items"]) == 2
    assert len(control.get_api_keys()["items"]) == 2


@pytest.mark.parametrize("file", ["", "Name,Value\na,b", f"Name,Key\nfine,{'k' * 24}\nshort,s"])
def test_no_key_is_imported_when_a_line_cannot_be_and_warnings_fail(stack: Stack, file: str) -> None:
    refused = _refusal(
        stack.apigateway.import_api_keys, body=file.encode(), format="csv", failOnWarnings=True
    )
    assert refused[0] == 400
    assert stack.apigateway.get_api_keys()["items"] == []


def test_the_account_tells_its_throttle_and_keeps_its_role(stack: Stack) -> None:
    control = stack.apigateway
    assert control.get_account()["throttleSettings"] == {"rateLimit": 10_000, "burstLimit": 5_000}
    patch: Any = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::1:role/logs"}]
    assert control.update_account(patchOperations=patch)["cloudwatchRoleArn"] == "arn:aws:iam::1:role/logs"
    patch = [{"op": "remove", "path": "/features", "value": "UsagePlans"}]
    told = "Usage Plans cannot be disabled once enabled"
    assert _refusal(control.update_account, patchOperations=patch) == (400, told)


def test_apis_stages_plans_and_keys_have_tags(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    paths = [f"restapis/{api.api_id}", f"restapis/{api.api_id}/stages/test", f"usageplans/{plan}"]
    for path in [*paths, f"apikeys/{apis.key_in(api.stack, plan)}"]:
        arn = f"arn:aws:apigateway:us-east-1::/{path}"
        control.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        control.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert control.get_tags(resourceArn=arn)["tags"] == {"b": "2"}
    missing = "arn:aws:apigateway:us-east-1::/usageplans/none"
    assert _refusal(control.tag_resource, resourceArn=missing, tags={"a": "1"})[0] == 404
    assert control.get_usage_plan(usagePlanId=plan)["tags"] == {"b": "2"}
