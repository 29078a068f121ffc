"""API keys, where the tests of single modules leave something of a statement unshown."""

from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
FORBIDDEN = (403, b'{"message":"Forbidden"}', "ForbiddenException")


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """`/required` requires a key, `/optional` does not."""
    paths = {
        "/required": {"get": apis.operation(security=apis.KEY_REQUIRED)},
        "/optional": {"get": apis.operation()},
    }
    return apis.imported(stack, apis.document(paths, **apis.KEYED))


def _status(api: apis.Api, key: str = KEY, path: str = "/required") -> int:
    return api.get(path, headers={"x-api-key": key}).status_code


def _second_stage(api: apis.Api, name: str = "second") -> apis.Api:
    api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName=name)
    return apis.Api(api.stack, api.api_id, name)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param("", marks=cites("keys.missing"), id="missing"),
        pytest.param("unknown", marks=cites("keys.unknown"), id="unknown"),
        pytest.param("disabled" * 3, marks=cites("keys.disabled"), id="disabled"),
        pytest.param("planless" * 3, marks=cites("keys.in-no-plan"), id="in no plan"),
        pytest.param("elsewhere" * 3, marks=cites("keys.plan-without-stage"), id="in another stage's plan"),
    ],
)
def test_forbidden_to_the_byte_when_the_key_does_not_admit(api: apis.Api, key: str) -> None:
    second = [{"apiId": api.api_id, "stage": _second_stage(api).stage}]
    apis.key_in(api.stack, api.plan(), value="disabled" * 3, enabled=False)
    apis.key_in(api.stack, value="planless" * 3)
    apis.key_in(api.stack, api.plan("elsewhere", apiStages=second), value="elsewhere" * 3)
    answer = api.get("/required", headers={"x-api-key": key} if key else {})
    assert (answer.status_code, answer.content, answer.headers["x-amzn-errortype"]) == FORBIDDEN
    assert api.stack.events("hello") == []


@cites("keys.attached-live")
def test_a_stage_counts_at_once_when_it_is_attached_to_or_detached_from_the_keys_plan(api: apis.Api) -> None:
    second = _second_stage(api)
    plan = api.plan()
    apis.key_in(api.stack, plan)
    seen = [_status(second)]
    for op in ("add", "remove"):
        operations: Any = [{"op": op, "path": "/apiStages", "value": f"{api.api_id}:second"}]
        api.stack.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=operations)
        seen.append(_status(second))
    assert seen == [403, 200, 403]


@cites("keys.requirement-deployed")
@pytest.mark.parametrize(
    ("path", "required", "before", "after"),
    [("/required", "false", 403, 200), ("/optional", "true", 200, 403)],
)
def test_a_changed_requirement_holds_on_the_stage_that_is_deployed_to(
    api: apis.Api, path: str, required: str, before: int, after: int
) -> None:
    second = _second_stage(api)
    api.stack.apigateway.update_method(
        restApiId=api.api_id,
        resourceId=api.resource_id(path),
        httpMethod="GET",
        patchOperations=[{"op": "replace", "path": "/apiKeyRequired", "value": required}],
    )
    assert [each.get(path).status_code for each in (api, second)] == [before, before]
    second.redeploy()
    assert [each.get(path).status_code for each in (api, second)] == [before, after]
    api.redeploy()
    assert [each.get(path).status_code for each in (api, second)] == [after, after]


def _key_fields(api: apis.Api) -> dict[str, str]:
    """The fields about keys in the identity that the function was last told."""
    identity = api.stack.events("hello")[-1]["requestContext"]["identity"]
    return {name: value for name, value in identity.items() if name.startswith("apiKey")}


@cites("keys.optional-unknown")
def test_the_identity_has_the_value_alone_when_an_optional_key_is_unknown(api: apis.Api) -> None:
    assert _status(api, path="/optional") == 200
    assert _key_fields(api) == {"apiKey": KEY}


@cites("keys.optional-unassigned")
@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("in_other_plan", [True, False])
def test_the_identity_has_value_and_id_when_an_optional_key_is_known_and_has_no_plan_of_the_stage(
    api: apis.Api, *, enabled: bool, in_other_plan: bool
) -> None:
    plans = [api.plan(apiStages=[], quota={"limit": 0, "period": "DAY"})] if in_other_plan else []
    key = apis.key_in(api.stack, *plans, value=KEY, enabled=enabled)
    assert _status(api, path="/optional") == 200
    assert _key_fields(api) == {"apiKey": KEY, "apiKeyId": key}


@cites("keys.optional-absent")
def test_the_identity_has_no_key_when_none_is_sent_to_a_method_that_requires_none(api: apis.Api) -> None:
    assert api.get("/optional").status_code == 200
    assert _key_fields(api) == {}


@pytest.mark.parametrize(
    "enabled",
    [
        pytest.param(True, marks=cites("keys.optional-metered"), id="enabled"),
        pytest.param(False, marks=cites("keys.optional-disabled"), id="disabled"),
    ],
)
def test_an_optional_key_is_counted_and_limited_by_its_plan(api: apis.Api, *, enabled: bool) -> None:
    plan = api.plan(quota={"limit": 2, "period": "DAY"})
    key = apis.key_in(api.stack, plan, enabled=enabled)
    assert [_status(api, path="/optional") for _ in range(3)] == [200, 200, 429]
    usage = api.stack.apigateway.get_usage(usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23")
    assert usage["items"] == {key: [[2, 0]]}
    assert api.get("/optional").status_code == 200  # whoever sends none is not limited


@cites("keys.several-plans")
def test_a_key_in_ten_plans_has_a_quota_in_each(stack: Stack) -> None:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    api = apis.imported(stack, apis.document({"/required": {"get": operation}}, **apis.KEYED))
    stages = [_second_stage(api, f"stage{number}") for number in range(10)]
    plans = [
        api.plan(
            each.stage,
            apiStages=[{"apiId": api.api_id, "stage": each.stage}],
            quota={"limit": 1, "period": "DAY"},
        )
        for each in stages
    ]
    apis.key_in(stack, *plans)
    assert [_status(each) for each in stages] == [200] * 10
    assert [_status(each) for each in stages] == [429] * 10


@cites("keys.one-plan-a-stage")
def test_the_first_plan_goes_on_counting_when_a_second_one_of_the_stage_is_refused(api: apis.Api) -> None:
    first, second = (api.plan(name, quota={"limit": 2, "period": "DAY"}) for name in ("first", "second"))
    key = apis.key_in(api.stack, first)
    with pytest.raises(api.stack.apigateway.exceptions.ConflictException):
        api.stack.apigateway.create_usage_plan_key(usagePlanId=second, keyId=key, keyType="API_KEY")
    assert [_status(api) for _ in range(3)] == [200, 200, 429]
    assert api.stack.apigateway.get_usage_plan_keys(usagePlanId=second)["items"] == []


@cites("keys.legacy-stage-keys")
def test_legacy_stage_keys_admit_nothing_until_the_key_is_in_a_plan(api: apis.Api) -> None:
    stage_keys: Any = [{"restApiId": api.api_id, "stageName": api.stage}]
    created = api.stack.apigateway.create_api_key(
        name="legacy", value=KEY, enabled=True, stageKeys=stage_keys
    )
    before = _status(api)
    api.stack.apigateway.create_usage_plan_key(usagePlanId=api.plan(), keyId=created["id"], keyType="API_KEY")
    assert (before, _status(api)) == (403, 200)
