"""Throttles, where the tests of single modules leave something of a statement unshown."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulation.gateway.view_compiler import ACCOUNT_BURST_LIMIT
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY, OTHER = "k" * 24, "other" * 5
GENEROUS = {"rateLimit": 1, "burstLimit": 100}
STRICT = {"rateLimit": 1, "burstLimit": 2}
REFUSED_ALL = [429, 429, 429, 429]
TWO_OF_FOUR = [200, 200, 429, 429]


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    """Two methods that require a key."""
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(
        stack, apis.document({"/a": {"get": operation}, "/b": {"get": operation}}, **apis.KEYED)
    )


def _send(api: apis.Api, path: str = "/a", key: str = KEY, requests: int = 4) -> list[int]:
    return [api.get(path, headers={"x-api-key": key}).status_code for _ in range(requests)]


def _stages(api: apis.Api, throttle: dict[str, int]) -> list[dict[str, Any]]:
    return [{"apiId": api.api_id, "stage": api.stage, "throttle": {"/a/GET": throttle}}]


def _throttle_stage(api: apis.Api, method: str, throttle: dict[str, int]) -> None:
    api.patch_stage(f"/{method}/throttling/rateLimit", str(throttle["rateLimit"]))
    api.patch_stage(f"/{method}/throttling/burstLimit", str(throttle["burstLimit"]))


def _patch(api: apis.Api, plan: str, **values: str) -> None:
    """Replaces what the paths name: `throttle_rateLimit` is `/throttle/rateLimit`."""
    operations: Any = [
        {"op": "replace", "path": f"/{name.replace('_', '/')}", "value": value}
        for name, value in values.items()
    ]
    api.stack.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=operations)


@cites("throttle.every-layer")
@pytest.mark.parametrize("strictest", ["method of the plan", "plan", "stage"])
def test_the_strictest_layer_binds_when_the_others_are_generous(api: apis.Api, strictest: str) -> None:
    limits = dict.fromkeys(("method of the plan", "plan", "stage"), GENEROUS) | {strictest: STRICT}
    stages = _stages(api, limits["method of the plan"])
    apis.key_in(api.stack, api.plan(apiStages=stages, throttle=limits["plan"]))
    _throttle_stage(api, "~1a/GET", limits["stage"])
    assert _send(api) == TWO_OF_FOUR


@cites("throttle.per-key")
def test_a_method_of_a_plan_has_a_bucket_for_each_key(api: apis.Api) -> None:
    plan = api.plan(apiStages=_stages(api, STRICT))
    for value in (KEY, OTHER):
        apis.key_in(api.stack, plan, value=value)
    assert [_send(api, key=value) for value in (KEY, OTHER)] == [TWO_OF_FOUR] * 2


@cites("throttle.per-key")
def test_a_key_has_a_bucket_in_each_of_its_plans(api: apis.Api) -> None:
    api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName="second")
    second = apis.Api(api.stack, api.api_id, "second")
    other_stage = [{"apiId": api.api_id, "stage": "second"}]
    plans = api.plan(throttle=STRICT), api.plan("other", apiStages=other_stage, throttle=STRICT)
    apis.key_in(api.stack, *plans)
    assert [_send(each) for each in (api, second)] == [TWO_OF_FOUR] * 2


@cites("throttle.stage-zero", "throttle.stage-edited-live")
@pytest.mark.parametrize("method", ["*/*", "~1a/GET"])
def test_a_stages_throttle_refuses_all_at_0_0_and_admits_again_when_it_is_raised(
    api: apis.Api, method: str
) -> None:
    apis.key_in(api.stack, api.plan())
    seen = [_send(api)]
    _throttle_stage(api, method, {"rateLimit": 0, "burstLimit": 0})
    seen.append(_send(api))
    _throttle_stage(api, method, {"rateLimit": 1, "burstLimit": 2})
    api.stack.clock.advance(2)
    assert [*seen, _send(api)] == [[200] * 4, REFUSED_ALL, TWO_OF_FOUR]


@cites("throttle.stage-method")
def test_a_methods_own_stage_settings_replace_those_for_every_method(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan())
    _throttle_stage(api, "*/*", {"rateLimit": 0, "burstLimit": 0})
    _throttle_stage(api, "~1a/GET", STRICT)
    assert (_send(api), _send(api, "/b")) == (TWO_OF_FOUR, REFUSED_ALL)


@cites("throttle.stage-every-method")
def test_every_method_has_a_bucket_of_its_own_for_all_callers_when_a_stage_throttles_all(
    api: apis.Api,
) -> None:
    plan = api.plan()
    for value in (KEY, OTHER):
        apis.key_in(api.stack, plan, value=value)
    _throttle_stage(api, "*/*", STRICT)
    assert (_send(api), _send(api, "/b")) == (TWO_OF_FOUR, TWO_OF_FOUR)
    assert _send(api, key=OTHER) == REFUSED_ALL


@cites("throttle.plan-edited-live")
def test_an_edited_burst_of_a_plan_holds_at_once(api: apis.Api) -> None:
    plan = api.plan(throttle=GENEROUS)
    apis.key_in(api.stack, plan)
    seen = [_send(api)]
    _patch(api, plan, throttle_burstLimit="2")
    seen.append(_send(api))
    _patch(api, plan, throttle_burstLimit="4")
    api.stack.clock.advance(60)
    assert [*seen, _send(api)] == [[200] * 4, TWO_OF_FOUR, [200] * 4]


@cites("throttle.plan-edited-live")
def test_a_throttle_removed_from_a_plan_holds_no_longer(api: apis.Api) -> None:
    plan = api.plan(throttle=STRICT)
    apis.key_in(api.stack, plan)
    seen = _send(api)
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/throttle"}]
    )
    assert (seen, _send(api)) == (TWO_OF_FOUR, [200] * 4)


@cites("throttle.method-edited-live")
def test_an_edited_limit_of_a_plan_on_one_method_holds_at_once(api: apis.Api) -> None:
    plan = api.plan(apiStages=_stages(api, GENEROUS))
    apis.key_in(api.stack, plan)
    seen = _send(api)
    path = f"/apiStages/{api.api_id}:{api.stage}/throttle/~1a/GET/burstLimit"
    operations: Any = [{"op": "replace", "path": path, "value": "2"}]
    api.stack.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=operations)
    assert (seen, _send(api), _send(api, "/b")) == ([200] * 4, TWO_OF_FOUR, [200] * 4)


@cites("throttle.only-rate")
def test_the_burst_is_the_accounts_when_a_plan_has_only_a_rate(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 1}))
    assert _send(api) == [200] * 4
    (plan,) = api.stack.http.get("/_aws/usage").json()["plans"]
    assert plan["throttle"] == {"rate_limit": 1, "burst_limit": ACCOUNT_BURST_LIMIT}
    assert plan["keys"][0]["buckets"][0]["remaining"] == ACCOUNT_BURST_LIMIT - 4


@cites("throttle.largest-limit")
@pytest.mark.parametrize("name", ["rateLimit", "burstLimit"])
def test_a_limit_is_taken_up_to_the_largest_and_refused_beyond(api: apis.Api, name: str) -> None:
    limits = {"rateLimit": 1, "burstLimit": 1}
    api.plan(throttle=limits | {name: 2**31 - 1})
    with pytest.raises(ClientError) as refused:
        api.plan(throttle=limits | {name: 2**31})
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


@cites("throttle.clock-back")
def test_a_clock_that_steps_back_refills_nothing_and_one_a_year_off_is_not_waited_for(api: apis.Api) -> None:
    clock = api.stack.clock
    apis.key_in(api.stack, api.plan(throttle=STRICT))
    start = clock.now()
    seen = [_send(api)]
    for moment in (start - 30, start, start + 1):
        clock.set(moment)
        seen.append(_send(api, requests=2))
    clock.set(start - 365 * 86_400)
    seen.append(_send(api, requests=1))
    clock.advance(1)
    seen.append(_send(api, requests=2))
    assert seen == [TWO_OF_FOUR, [429, 429], [429, 429], [200, 429], [429], [200, 429]]
