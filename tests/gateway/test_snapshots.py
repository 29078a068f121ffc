"""What waits for the next deployment, and what holds at once."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack

KEY = {"x-api-key": "k" * 24}
SCHEMA = {"type": "object", "required": ["name"]}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """POST /a answers whoever calls it with any body; there are things that it could use."""
    stack.functions["authorize"] = lambda event: {}
    body = apis.document(
        {"/a": {"post": apis.operation()}},
        components={"securitySchemes": {"auth": apis.authorizer_scheme()}, "schemas": {"Named": SCHEMA}},
        **{"x-amazon-apigateway-request-validators": {"body": {"validateRequestBody": True}}},
    )
    return apis.imported(stack, body)


def _method(api: apis.Api) -> Any:
    return {"restApiId": api.api_id, "resourceId": api.resource_id("/a"), "httpMethod": "POST"}


def _update_method(api: apis.Api, *patches: tuple[str, str, str]) -> None:
    operations: Any = [{"op": op, "path": path, "value": value} for op, path, value in patches]
    api.stack.apigateway.update_method(**_method(api), patchOperations=operations)


def _require_key(api: apis.Api) -> None:
    _update_method(api, ("replace", "/apiKeyRequired", "true"))


def _authorize(api: apis.Api) -> None:
    (authorizer,) = api.stack.apigateway.get_authorizers(restApiId=api.api_id)["items"]
    _update_method(
        api,
        ("replace", "/authorizationType", "CUSTOM"),
        ("replace", "/authorizerId", authorizer["id"]),
    )


def _validate(api: apis.Api) -> None:
    (validator,) = api.stack.apigateway.get_request_validators(restApiId=api.api_id)["items"]
    _update_method(
        api,
        ("add", "/requestModels/application~1json", "Named"),
        ("replace", "/requestValidatorId", validator["id"]),
    )


def _integrate_another(api: apis.Api) -> None:
    api.stack.apigateway.update_integration(
        **_method(api),
        patchOperations=[{"op": "replace", "path": "/uri", "value": apis.function_uri("nobody")}],
    )


def _mock(api: apis.Api) -> None:
    api.stack.apigateway.put_integration(
        **_method(api), type="MOCK", requestTemplates={"application/json": '{"statusCode": 204}'}
    )
    api.stack.apigateway.put_integration_response(**_method(api), statusCode="204")


def _delete_method(api: apis.Api) -> None:
    made = api.stack.apigateway.create_resource(
        restApiId=api.api_id,
        parentId=api.resource_id("/"),
        pathPart="b",
    )
    named: Any = {"restApiId": api.api_id, "resourceId": made["id"], "httpMethod": "GET"}
    api.stack.apigateway.put_method(**named, authorizationType="NONE")
    api.stack.apigateway.put_integration(**named, type="MOCK")
    api.stack.apigateway.delete_method(**_method(api))


def _move(api: apis.Api) -> None:
    api.stack.apigateway.update_resource(
        restApiId=api.api_id,
        resourceId=api.resource_id("/a"),
        patchOperations=[{"op": "replace", "path": "/pathPart", "value": "elsewhere"}],
    )


REDEPLOYED: list[tuple[Callable[[apis.Api], None], int]] = [
    (_require_key, 403),
    (_authorize, 401),
    (_validate, 400),
    (_integrate_another, 500),
    (_mock, 204),
    (_delete_method, 403),
    (_move, 403),
]


@pytest.mark.parametrize(("change", "status"), REDEPLOYED)
def test_a_change_shows_at_the_next_deployment(
    api: apis.Api, change: Callable[[apis.Api], None], status: int
) -> None:
    change(api)
    before = api.request("POST", "/a", json={}).status_code
    api.redeploy()
    assert (before, api.request("POST", "/a", json={}).status_code) == (200, status)


def test_a_models_and_an_authorizers_change_shows_at_the_next_deployment(api: apis.Api) -> None:
    control = api.stack.apigateway
    _validate(api)
    api.redeploy()
    control.update_model(
        restApiId=api.api_id,
        modelName="Named",
        patchOperations=[{"op": "replace", "path": "/schema", "value": json.dumps({"type": "object"})}],
    )
    before = api.request("POST", "/a", json={}).status_code
    api.redeploy()
    assert (before, api.request("POST", "/a", json={}).status_code) == (400, 200)


def test_a_gateway_response_shows_at_the_next_deployment_and_so_does_its_end(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    named = {"restApiId": api.api_id, "responseType": "MISSING_AUTHENTICATION_TOKEN"}
    seen = [api.get("/none").status_code]
    control.put_gateway_response(**named, statusCode="404")
    seen.append(api.get("/none").status_code)
    api.redeploy()
    seen.append(api.get("/none").status_code)
    control.update_gateway_response(
        **named, patchOperations=[{"op": "replace", "path": "/statusCode", "value": "410"}]
    )
    api.redeploy()
    seen.append(api.get("/none").status_code)
    control.delete_gateway_response(**named)
    seen.append(api.get("/none").status_code)
    api.redeploy()
    assert [*seen, api.get("/none").status_code] == [403, 403, 404, 410, 410, 403]


def test_the_source_of_keys_shows_at_the_next_deployment(api: apis.Api) -> None:
    _require_key(api)
    api.redeploy()
    apis.key_in(api.stack, api.plan())
    api.stack.apigateway.update_rest_api(
        restApiId=api.api_id,
        patchOperations=[{"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"}],
    )
    before = api.request("POST", "/a", headers=KEY).status_code
    api.redeploy()
    assert (before, api.request("POST", "/a", headers=KEY).status_code) == (200, 403)


def test_a_key_disabled_enabled_and_deleted_is_so_at_once(api: apis.Api) -> None:
    _require_key(api)
    api.redeploy()
    control, key = api.stack.apigateway, apis.key_in(api.stack, api.plan())
    seen = []
    for enabled in ("false", "true"):
        patch: Any = [{"op": "replace", "path": "/enabled", "value": enabled}]
        assert control.update_api_key(apiKey=key, patchOperations=patch)["enabled"] is (enabled == "true")
        seen.append(api.request("POST", "/a", headers=KEY).status_code)
    control.delete_api_key(apiKey=key)
    assert [*seen, api.request("POST", "/a", headers=KEY).status_code] == [403, 200, 403]


def test_a_key_is_not_admitted_by_its_legacy_stage_keys(api: apis.Api) -> None:
    _require_key(api)
    api.redeploy()
    stage: Any = {"restApiId": api.api_id, "stageName": api.stage}
    made = api.stack.apigateway.create_api_key(value="k" * 24, enabled=True, stageKeys=[stage])
    assert made["stageKeys"] == [f"{api.api_id}/{api.stage}"]
    assert api.request("POST", "/a", headers=KEY).status_code == 403


def test_a_deployment_without_a_stage_is_served_by_none_until_a_stage_is_on_it(api: apis.Api) -> None:
    _require_key(api)
    control = api.stack.apigateway
    first = control.get_stage(restApiId=api.api_id, stageName="test")["deploymentId"]
    second = control.create_deployment(restApiId=api.api_id, description="keys")["id"]
    seen = []
    for deployment_id in (first, second, first):
        api.patch_stage("/deploymentId", deployment_id)
        seen.append(api.request("POST", "/a").status_code)
    assert seen == [200, 403, 200]
    listed = control.get_deployments(restApiId=api.api_id)["items"]
    assert [each["id"] for each in listed] == [first, second]


def test_a_deployment_can_be_deleted_when_no_stage_is_on_it(api: apis.Api) -> None:
    control = api.stack.apigateway
    first = control.get_stage(restApiId=api.api_id, stageName="test")["deploymentId"]
    with pytest.raises(
        ClientError, match="Active stages pointing to this deployment must be moved or deleted"
    ):
        control.delete_deployment(restApiId=api.api_id, deploymentId=first)
    assert api.request("POST", "/a").status_code == 200
    api.redeploy()
    control.delete_deployment(restApiId=api.api_id, deploymentId=first)
    with pytest.raises(ClientError, match="Invalid Deployment identifier specified"):
        api.patch_stage("/deploymentId", first)
    assert api.request("POST", "/a").status_code == 200


def test_an_api_is_not_deployed_when_a_method_has_no_integration(api: apis.Api) -> None:
    api.stack.apigateway.delete_integration(**_method(api))
    with pytest.raises(ClientError, match="No integration defined for method"):
        api.redeploy()
    assert api.request("POST", "/a").status_code == 200


@pytest.mark.parametrize(
    "settings", [{"canarySettings": {"percentTraffic": 10}}, {"cacheClusterEnabled": True}]
)
def test_a_deployment_says_so_when_a_setting_is_not_imitated(api: apis.Api, settings: Any) -> None:
    with pytest.raises(ClientError) as refused:
        api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName="canary", **settings)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"
    assert len(api.stack.apigateway.get_stages(restApiId=api.api_id)["item"]) == 1
