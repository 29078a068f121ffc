"""API keys: who is admitted, and what takes effect when."""

from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
HEADER = {"x-api-key": KEY}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """`/required` requires a key, `/optional` does not."""
    paths = {
        "/required": {"get": apis.operation(security=apis.KEY_REQUIRED)},
        "/optional": {"get": apis.operation()},
    }
    return apis.imported(stack, apis.document(paths, **apis.KEYED))


def _statuses(api: apis.Api, *keys: str) -> list[int]:
    return [api.get("/required", headers={"x-api-key": key} if key else {}).status_code for key in keys]


def test_forbidden_when_the_key_is_missing_unknown_disabled_or_in_no_plan_of_the_stage(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(), value="disabled" * 3, enabled=False)
    apis.key_in(api.stack, value="planless" * 3)
    apis.key_in(api.stack, api.plan("elsewhere", apiStages=[]), value="elsewhere" * 3)
    assert _statuses(api, "", "unknown", "disabled" * 3, "planless" * 3, "elsewhere" * 3) == [403] * 5


def test_the_forbidden_answer_is_the_services_to_the_byte(api: apis.Api) -> None:
    answer = api.get("/required")
    assert answer.content == b'{"message":"Forbidden"}'
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"


@cites("keys.legacy-stage-keys")
def test_not_admitted_when_the_key_has_only_legacy_stage_keys(api: apis.Api) -> None:
    stage_keys: Any = [{"restApiId": api.api_id, "stageName": api.stage}]
    api.stack.apigateway.create_api_key(name="legacy", value=KEY, enabled=True, stageKeys=stage_keys)
    assert _statuses(api, KEY) == [403]


@cites("keys.enabled-live", "keys.attached-live", "keys.deleted-live")
def test_a_key_takes_effect_at_once_when_enabled_disabled_attached_detached_or_deleted(api: apis.Api) -> None:
    control, plan = api.stack.apigateway, api.plan()
    key = apis.key_in(api.stack, plan, value=KEY)
    seen = _statuses(api, KEY)
    for enabled in ("false", "true"):
        control.update_api_key(
            apiKey=key, patchOperations=[{"op": "replace", "path": "/enabled", "value": enabled}]
        )
        seen += _statuses(api, KEY)
    control.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    seen += _statuses(api, KEY)
    control.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    seen += _statuses(api, KEY)
    control.delete_api_key(apiKey=key)
    seen += _statuses(api, KEY)
    assert seen == [200, 403, 200, 403, 200, 403]
    assert control.get_usage_plan_keys(usagePlanId=plan)["items"] == []


@cites("keys.requirement-deployed")
def test_the_requirement_changes_only_at_the_next_deployment(api: apis.Api) -> None:
    api.stack.apigateway.update_method(
        restApiId=api.api_id,
        resourceId=api.resource_id("/required"),
        httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/apiKeyRequired", "value": "false"}],
    )
    before = api.get("/required").status_code
    api.redeploy()
    assert (before, api.get("/required").status_code) == (403, 200)


@pytest.mark.parametrize(
    ("presented", "known", "fields"),
    [([KEY], [], {"apiKey"}), ([KEY], [KEY], {"apiKey", "apiKeyId"}), ([], [], set())],
)
def test_an_optional_method_tells_the_function_what_is_known_of_the_key(
    api: apis.Api, presented: list[str], known: list[str], fields: set[str]
) -> None:
    for value in known:
        apis.key_in(api.stack, value=value)
    headers = [("x-api-key", value) for value in presented]
    assert api.get("/optional", headers=headers).status_code == 200
    identity = api.stack.events("hello")[0]["requestContext"]["identity"]
    assert {name for name in identity if name.startswith("apiKey")} == fields


def test_an_optional_method_is_limited_when_the_quota_is_exhausted_even_if_the_key_is_disabled(
    api: apis.Api,
) -> None:
    plan = api.plan(quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan, value=KEY, enabled=False)
    answers = [api.get("/optional", headers=HEADER) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 429]
    assert answers[1].json() == {"message": "Limit Exceeded"}


class TestKeySourceAuthorizer:
    """With `apiKeySource` AUTHORIZER only the authorizer's `usageIdentifierKey` counts."""

    @pytest.fixture
    def api(self, stack: Stack) -> apis.Api:
        stack.functions["authorize"] = lambda event: apis.allow(
            usageIdentifierKey=event["authorizationToken"]
        )
        paths = {
            "/guarded": {"get": apis.operation(security=[{"auth": [], "api_key": []}])},
            "/unguarded": {"get": apis.operation(security=apis.KEY_REQUIRED)},
        }
        schemes = {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}
        source = {"x-amazon-apigateway-api-key-source": "AUTHORIZER"}
        return apis.imported(stack, apis.document(paths, components={"securitySchemes": schemes}, **source))

    @cites("keys.source-authorizer")
    def test_the_authorizers_key_admits_and_is_told_to_the_function(self, api: apis.Api) -> None:
        key = apis.key_in(api.stack, api.plan(), value=KEY)
        assert api.get("/guarded", headers={"Authorization": KEY}).status_code == 200
        identity = api.stack.events("hello")[0]["requestContext"]["identity"]
        assert (identity["apiKey"], identity["apiKeyId"]) == (KEY, key)

    @cites("keys.source-authorizer")
    def test_the_header_is_ignored(self, api: apis.Api) -> None:
        apis.key_in(api.stack, api.plan(), value=KEY)
        assert api.get("/guarded", headers={"Authorization": "wrong", **HEADER}).status_code == 403

    def test_forbidden_when_the_authorizers_key_is_disabled(self, api: apis.Api) -> None:
        apis.key_in(api.stack, api.plan(), value=KEY, enabled=False)
        assert api.get("/guarded", headers={"Authorization": KEY}).status_code == 403

    def test_forbidden_when_the_method_has_no_authorizer_even_with_a_valid_header(
        self, api: apis.Api
    ) -> None:
        apis.key_in(api.stack, api.plan(), value=KEY)
        assert api.get("/unguarded", headers=HEADER).status_code == 403

    def test_forbidden_when_the_authorizer_names_no_key(self, api: apis.Api) -> None:
        answer: dict[str, Any] = apis.allow()
        api.stack.functions["authorize"] = lambda event: answer
        assert api.get("/guarded", headers={"Authorization": "token", **HEADER}).status_code == 403
