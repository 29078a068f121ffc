"""Usage plans: stages attached and detached, limits that are none, and one plan a key and stage."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))


def _status(api: apis.Api) -> int:
    return api.get("/a", headers={"x-api-key": KEY}).status_code


def _patch(api: apis.Api, plan: str, op: Any, path: str, value: str) -> None:
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": op, "path": path, "value": value}]
    )


def _attach(api: apis.Api, plan: str, op: str = "add") -> None:
    _patch(api, plan, op, "/apiStages", f"{api.api_id}:{api.stage}")


@cites("keys.attached-live")
def test_a_stage_is_attached_and_detached_by_patch(api: apis.Api) -> None:
    plan = api.plan(apiStages=[])
    apis.key_in(api.stack, plan)
    seen = [_status(api)]
    for op in ("add", "remove"):
        _attach(api, plan, op)
        seen.append(_status(api))
    assert seen == [403, 200, 403]


def test_a_stage_keeps_its_throttles_when_it_is_attached_again(api: apis.Api) -> None:
    throttle = {"/a/GET": {"rateLimit": 1.0, "burstLimit": 0}}
    plan = api.plan(apiStages=[{"apiId": api.api_id, "stage": api.stage, "throttle": throttle}])
    apis.key_in(api.stack, plan)
    _attach(api, plan)
    (stage,) = api.stack.apigateway.get_usage_plan(usagePlanId=plan)["apiStages"]
    assert (stage["throttle"], _status(api)) == (throttle, 429)


@pytest.mark.parametrize(("op", "value"), [("replace", "api:stage"), ("add", "api"), ("add", ":stage")])
def test_a_stage_is_not_attached_by_another_operation_or_without_its_name(
    api: apis.Api, op: str, value: str
) -> None:
    plan = api.plan()
    with pytest.raises(ClientError) as refused:
        _patch(api, plan, op, "/apiStages", value)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert len(api.stack.apigateway.get_usage_plan(usagePlanId=plan)["apiStages"]) == 1


def _refusal(call: Any, *arguments: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(*arguments, **named)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@cites("keys.one-plan-a-stage")
def test_a_key_is_refused_when_another_of_its_plans_has_the_stage(api: apis.Api) -> None:
    first, second = (api.plan(name, quota={"limit": 1, "period": "DAY"}) for name in ("first", "second"))
    key = apis.key_in(api.stack, first)
    attach = api.stack.apigateway.create_usage_plan_key
    assert _refusal(attach, usagePlanId=second, keyId=key, keyType="API_KEY") == (409, "ConflictException")
    assert [_status(api), _status(api)] == [200, 429]


@cites("keys.one-plan-a-stage")
def test_a_stage_is_refused_when_a_key_of_the_plan_has_another_plan_of_it(api: apis.Api) -> None:
    elsewhere = api.plan("elsewhere", apiStages=[])
    apis.key_in(api.stack, api.plan(), elsewhere)
    assert _refusal(_attach, api, elsewhere) == (409, "ConflictException")
    assert api.stack.apigateway.get_usage_plan(usagePlanId=elsewhere)["apiStages"] == []


@cites("keys.eleventh-plan")
def test_a_key_is_refused_when_it_is_in_10_plans(api: apis.Api) -> None:
    plans = [api.plan(f"plan{number}", apiStages=[]) for number in range(11)]
    key = apis.key_in(api.stack, *plans[:10])
    attach = api.stack.apigateway.create_usage_plan_key
    assert _refusal(attach, usagePlanId=plans[10], keyId=key, keyType="API_KEY")[0] == 409


NO_LIMITS = [float("nan"), float("inf"), -0.5, 1e300]


@cites("throttle.largest-limit")
@pytest.mark.parametrize("rate", NO_LIMITS)
def test_a_plan_is_refused_when_a_rate_is_not_a_limit(api: apis.Api, rate: float) -> None:
    throttle = {"rateLimit": rate, "burstLimit": 1}
    stage = {"apiId": api.api_id, "stage": api.stage, "throttle": {"/a/GET": throttle}}
    bad_request = (400, "BadRequestException")
    assert _refusal(api.plan, throttle=throttle) == bad_request
    assert _refusal(api.plan, apiStages=[stage]) == bad_request
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 1})
    assert _refusal(_patch, api, plan, "replace", "/throttle/rateLimit", str(rate)) == bad_request
    path = f"/apiStages/{api.api_id}:{api.stage}/throttle/~1a/GET/rateLimit"
    assert _refusal(_patch, api, plan, "replace", path, str(rate)) == bad_request
    assert api.stack.apigateway.get_usage_plan(usagePlanId=plan)["throttle"]["rateLimit"] == 1


@cites("throttle.largest-limit")
@pytest.mark.parametrize("limit", ["rateLimit", "burstLimit"])
@pytest.mark.parametrize("value", ["nan", "-1"])
def test_a_stage_setting_is_refused_when_it_is_not_a_limit(api: apis.Api, limit: str, value: str) -> None:
    apis.key_in(api.stack, api.plan())
    refused = _refusal(api.patch_stage, f"/*/*/throttling/{limit}", value)
    assert (refused, _status(api)) == ((400, "BadRequestException"), 200)


def test_a_plan_is_refused_when_a_stage_of_it_has_no_name(api: apis.Api) -> None:
    assert _refusal(api.plan, apiStages=[{"apiId": api.api_id}])[0] == 400
