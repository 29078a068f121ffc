"""`GET /_aws/usage`: what is left everywhere is what enforcement then does."""

from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack

HEADER = {"x-api-key": "k" * 24}


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(
        stack, apis.document({"/a": {"get": operation}, "/b": {"get": operation}}, **apis.KEYED)
    )


def _seen(api: apis.Api) -> Any:
    return api.stack.http.get("/_aws/usage").raise_for_status().json()


def test_what_is_left_and_when_it_resets_is_told_for_every_layer_and_the_quota(api: apis.Api) -> None:
    stages = [
        {"apiId": api.api_id, "stage": "test", "throttle": {"/a/GET": {"rateLimit": 1, "burstLimit": 2}}}
    ]
    throttle, quota = {"rateLimit": 2.5, "burstLimit": 5}, {"limit": 10, "period": "MONTH"}
    plan = api.plan(name="pro", apiStages=stages, throttle=throttle, quota=quota)
    key = apis.key_in(api.stack, plan)
    api.get("/a", headers=HEADER)
    api.get("/b", headers=HEADER)
    (seen,) = _seen(api)["plans"]
    assert seen["id"] == plan
    assert (seen["name"], seen["throttle"]) == ("pro", {"rate_limit": 2.5, "burst_limit": 5})
    assert seen["quota"] == {
        "limit": 10,
        "period": "MONTH",
        "offset": 0,
        "window_start": "2026-11-01",
        "resets_at": "2026-12-01T00:00:00Z",
    }
    (keyed,) = seen["keys"]
    assert (keyed["id"], keyed["name"], keyed["enabled"]) == (key, "k" * 24, True)
    assert keyed["quota"] == {"used": 2, "remaining": 8, "resets_at": "2026-12-01T00:00:00Z"}
    nobodys = {"api_id": None, "stage": None, "method": None}
    named = {"api_id": api.api_id, "stage": "test", "method": "/a/GET"}
    limits = [{"rate_limit": 1.0, "burst_limit": 2}, {"rate_limit": 2.5, "burst_limit": 5}]
    assert keyed["buckets"] == [
        {"layer": "method", **named, **limits[0], "remaining": 1, "full_at": "2026-11-23T05:00:01Z"},
        {"layer": "plan", **nobodys, **limits[1], "remaining": 3, "full_at": "2026-11-23T05:00:00.800000Z"},
    ]


def test_a_look_costs_nothing_and_follows_the_clock(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 1, "burstLimit": 2}))
    api.get("/a", headers=HEADER)
    left = [_seen(api)["plans"][0]["keys"][0]["buckets"][0]["remaining"] for _ in range(3)]
    api.stack.clock.advance(1)
    bucket = _seen(api)["plans"][0]["keys"][0]["buckets"][0]
    assert (left, bucket["remaining"], bucket["full_at"]) == ([1, 1, 1], 2, None)


def test_a_stages_buckets_are_told_as_their_callers_share_them(api: apis.Api) -> None:
    api.patch_stage("/*/*/throttling/rateLimit", "1")
    api.patch_stage("/*/*/throttling/burstLimit", "3")
    api.patch_stage("/~1b/GET/throttling/rateLimit", "1")
    api.patch_stage("/~1b/GET/throttling/burstLimit", "7")
    apis.key_in(api.stack, api.plan())
    api.get("/a", headers=HEADER)
    (stage,) = _seen(api)["stages"]
    left = {each["method"]: (each["remaining"], each["burst_limit"]) for each in stage["buckets"]}
    assert left == {"/a/GET": (2, 3), "/b/GET": (7, 7)}


def test_a_key_without_limits_has_none_told_and_a_disabled_one_says_so(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(), enabled=False)
    (plan,) = _seen(api)["plans"]
    (key,) = plan["keys"]
    assert (plan["throttle"], plan["quota"]) == (None, None)
    assert (key["quota"], key["buckets"], key["enabled"]) == (None, [], False)


def test_what_a_deleted_plan_counted_is_still_told(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 10, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    api.get("/a", headers=HEADER)
    control = api.stack.apigateway
    control.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[{"op": "remove", "path": "/apiStages", "value": f"{api.api_id}:test"}],
    )
    control.delete_usage_plan(usagePlanId=plan)
    seen = _seen(api)
    assert seen["plans"] == []
    assert seen["absent_plans"] == [{"id": plan, "used": {key: {"2026-11-23": 1}}}]


def test_no_keys_value_is_told(api: apis.Api) -> None:
    key_id = api.stack.apigateway.create_api_key(name="named", value="s" * 30, enabled=True)["id"]
    plan = api.plan(quota={"limit": 10, "period": "DAY"})
    api.stack.apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key_id, keyType="API_KEY")
    assert "s" * 30 not in api.stack.http.get("/_aws/usage").text
