"""Throttle layers: every layer binds, and a request that one of them denies spends nothing anywhere."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
HEADER = {"x-api-key": KEY}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """Two methods that require a key."""
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(
        stack, apis.document({"/a": {"get": operation}, "/b": {"get": operation}}, **apis.KEYED)
    )


def _burst(api: apis.Api, path: str, requests: int, key: str = KEY) -> Counter[int]:
    """What that many requests at once are answered."""

    async def together() -> list[httpx.Response]:
        url = f"{api.stack.url}/_aws/execute-api/{api.api_id}/{api.stage}{path}"
        async with httpx.AsyncClient(timeout=10, verify=False, trust_env=False) as client:
            return await asyncio.gather(
                *(client.get(url, headers={"x-api-key": key}) for _ in range(requests))
            )

    return Counter(answer.status_code for answer in asyncio.run(together()))


@cites("throttle.burst", "throttle.token")
def test_exactly_the_burst_is_admitted_when_50_requests_come_at_once(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 2, "burstLimit": 7}))
    assert _burst(api, "/a", 50) == {200: 7, 429: 43}


@cites("throttle.rate")
def test_the_rate_is_earned_when_the_clock_advances(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 2, "burstLimit": 3}))
    assert _burst(api, "/a", 5) == {200: 3, 429: 2}
    api.stack.clock.advance(0.5)
    assert _burst(api, "/a", 5) == {200: 1, 429: 4}
    api.stack.clock.advance(3600)
    assert _burst(api, "/a", 5) == {200: 3, 429: 2}


def test_the_throttled_answer_is_the_services_to_the_byte(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 0, "burstLimit": 0}))
    answer = api.get("/a", headers=HEADER)
    assert (answer.status_code, answer.content) == (429, b'{"message":"Too Many Requests"}')
    assert answer.headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert "retry-after" not in answer.headers


@cites("throttle.per-key")
def test_keys_of_one_plan_have_buckets_of_their_own(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 2})
    apis.key_in(api.stack, plan)
    apis.key_in(api.stack, plan, value="other" * 5)
    assert _burst(api, "/a", 4) == {200: 2, 429: 2}
    assert _burst(api, "/a", 4, "other" * 5) == {200: 2, 429: 2}


@cites("throttle.shared-by-stages")
def test_the_plans_bucket_is_shared_by_its_stages(api: apis.Api) -> None:
    api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName="second")
    second = apis.Api(api.stack, api.api_id, "second")
    stages = [{"apiId": api.api_id, "stage": stage} for stage in ("test", "second")]
    apis.key_in(api.stack, api.plan(apiStages=stages, throttle={"rateLimit": 1, "burstLimit": 3}))
    assert _burst(api, "/a", 2) == {200: 2}
    assert _burst(second, "/a", 2) == {200: 1, 429: 1}


@cites("throttle.looser-method")
def test_a_looser_limit_on_a_method_does_not_escape_the_plans_own(api: apis.Api) -> None:
    stages = [
        {"apiId": api.api_id, "stage": "test", "throttle": {"/a/GET": {"rateLimit": 100, "burstLimit": 100}}}
    ]
    apis.key_in(api.stack, api.plan(apiStages=stages, throttle={"rateLimit": 1, "burstLimit": 3}))
    assert _burst(api, "/a", 10) == {200: 3, 429: 7}


@cites("throttle.denial-spends-nothing")
def test_a_request_that_one_layer_denies_spends_no_token_of_another(api: apis.Api) -> None:
    stages = [
        {"apiId": api.api_id, "stage": "test", "throttle": {"/a/GET": {"rateLimit": 1, "burstLimit": 1}}}
    ]
    apis.key_in(api.stack, api.plan(apiStages=stages, throttle={"rateLimit": 1, "burstLimit": 3}))
    assert _burst(api, "/a", 10) == {200: 1, 429: 9}
    assert _burst(api, "/b", 10) == {200: 2, 429: 8}


@cites("throttle.every-layer")
def test_the_stages_limit_holds_for_all_callers_of_a_method_together(api: apis.Api) -> None:
    plan = api.plan()
    apis.key_in(api.stack, plan)
    apis.key_in(api.stack, plan, value="other" * 5)
    api.patch_stage("/~1a/GET/throttling/rateLimit", "1")
    api.patch_stage("/~1a/GET/throttling/burstLimit", "3")
    assert _burst(api, "/a", 2) == {200: 2}
    assert _burst(api, "/a", 2, "other" * 5) == {200: 1, 429: 1}
    assert _burst(api, "/b", 4) == {200: 4}


@cites("throttle.stage-zero", "throttle.stage-edited-live")
def test_everything_is_rejected_when_the_stage_throttles_at_0_0_without_redeploying(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan())
    assert _burst(api, "/a", 2) == {200: 2}
    api.patch_stage("/*/*/throttling/rateLimit", "0")
    api.patch_stage("/*/*/throttling/burstLimit", "0")
    assert _burst(api, "/a", 2) == {429: 2}


def test_a_stage_setting_that_is_not_a_throttle_throttles_nothing(api: apis.Api) -> None:
    api.patch_stage("/*/*/metrics/enabled", "true")
    settings = api.stack.apigateway.get_stage(restApiId=api.api_id, stageName="test")["methodSettings"]
    assert "throttlingRateLimit" not in settings["*/*"]


@cites("throttle.plan-edited-live")
def test_an_edited_plan_limit_takes_effect_at_once_with_its_fractions(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 1})
    apis.key_in(api.stack, plan)
    assert _burst(api, "/a", 2) == {200: 1, 429: 1}
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "replace", "path": "/throttle/rateLimit", "value": "0.5"}]
    )
    api.stack.clock.advance(1)
    assert _burst(api, "/a", 1) == {429: 1}
    api.stack.clock.advance(1)
    assert _burst(api, "/a", 1) == {200: 1}


@cites("throttle.method-edited-live")
def test_a_limit_on_one_method_can_be_added_and_removed(api: apis.Api) -> None:
    plan = api.plan()
    apis.key_in(api.stack, plan)
    path = f"/apiStages/{api.api_id}:test/throttle/~1a/GET"
    update = api.stack.apigateway.update_usage_plan
    update(
        usagePlanId=plan,
        patchOperations=[
            {"op": "add", "path": f"{path}/rateLimit", "value": "1"},
            {"op": "add", "path": f"{path}/burstLimit", "value": "1"},
        ],
    )
    assert _burst(api, "/a", 3) == {200: 1, 429: 2}
    update(usagePlanId=plan, patchOperations=[{"op": "remove", "path": path}])
    assert _burst(api, "/a", 3) == {200: 3}


@cites("throttle.no-quota")
def test_a_throttled_request_consumes_no_quota(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 1}, quota={"limit": 10, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    assert _burst(api, "/a", 5) == {200: 1, 429: 4}
    usage = api.stack.apigateway.get_usage(usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23")
    assert usage["items"] == {key: [[1, 9]]}


@cites("throttle.plan-zero")
@pytest.mark.parametrize("throttle", [{"rateLimit": 0, "burstLimit": 5}, {"rateLimit": 5, "burstLimit": 0}])
def test_everything_is_rejected_when_half_of_a_plans_limit_is_0(
    api: apis.Api, throttle: dict[str, int]
) -> None:
    apis.key_in(api.stack, api.plan(throttle=throttle))
    assert _burst(api, "/a", 3) == {429: 3}


@cites("throttle.only-burst")
def test_the_other_half_is_the_accounts_when_only_one_is_set(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"burstLimit": 2}))
    assert _burst(api, "/a", 3) == {200: 2, 429: 1}
    api.stack.clock.advance(0.0002)  # the account's rate is 10,000 a second
    assert _burst(api, "/a", 3) == {200: 2, 429: 1}
