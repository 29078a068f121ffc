"""Quotas as traffic meets them, and GetUsage and UpdateUsage as the truth about them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY = "k" * 24
DAY_SECONDS = 86_400.0


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = apis.operation(security=apis.KEY_REQUIRED)
    return apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))


def _send(api: apis.Api, requests: int, path: str = "/a") -> list[int]:
    return [api.get(path, headers={"x-api-key": KEY}).status_code for _ in range(requests)]


def _usage(api: apis.Api, plan: str, start: str, end: str) -> list[list[int]]:
    (values,) = api.stack.apigateway.get_usage(usagePlanId=plan, startDate=start, endDate=end)[
        "items"
    ].values()
    return values


def _patch(api: apis.Api, plan: str, *operations: tuple[str, str, str]) -> None:
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[{"op": op, "path": path, "value": value} for op, path, value in operations],  # type: ignore[typeddict-item]
    )


@cites("quota.refused-not-counted")
def test_a_rejected_request_is_not_counted(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan)
    assert _send(api, 4) == [200, 429, 429, 429]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[1, 0]]


def test_the_exceeded_answer_is_the_services_to_the_byte(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 0, "period": "DAY"}))
    answer = api.get("/a", headers={"x-api-key": KEY})
    assert (answer.status_code, answer.content) == (429, b'{"message":"Limit Exceeded"}')
    assert answer.headers["x-amzn-errortype"] == "LimitExceededException"


@cites("quota.day")
def test_a_day_starts_at_midnight_utc(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 1, "period": "DAY"}))
    assert _send(api, 2) == [200, 429]
    api.stack.clock.advance(19 * 3600 - 0.001)  # it is 05:00
    assert _send(api, 1) == [429]
    api.stack.clock.advance(0.001)
    assert _send(api, 2) == [200, 429]


@cites("quota.unknown-path-not-counted", "quota.backend-error-counted")
def test_an_unknown_path_is_not_counted_and_a_backend_error_is(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 9, "period": "DAY"})
    apis.key_in(api.stack, plan)
    api.stack.functions["hello"] = lambda event: "malformed"
    assert [*_send(api, 1, "/nowhere"), *_send(api, 2)] == [403, 502, 502]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[2, 7]]


@cites("usage.pairs")
def test_remaining_is_told_in_the_period_when_days_of_a_month_go_by(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 100, "period": "MONTH"})
    apis.key_in(api.stack, plan)
    for requests in (3, 2, 0, 1):
        _send(api, requests)
        api.stack.clock.advance(DAY_SECONDS)
    assert _usage(api, plan, "2026-11-22", "2026-11-27") == [
        [0, 100],
        [3, 97],
        [2, 95],
        [0, 95],
        [1, 94],
        [0, 94],
    ]
    assert _usage(api, plan, "2026-11-25", "2026-11-25") == [[0, 95]]
    assert _usage(api, plan, "2026-11-30", "2026-12-01") == [[0, 94], [0, 100]]


@cites("quota.shared-by-stages")
def test_the_quota_is_shared_by_the_plans_stages(api: apis.Api) -> None:
    api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName="second")
    stages = [{"apiId": api.api_id, "stage": stage} for stage in ("test", "second")]
    apis.key_in(api.stack, api.plan(apiStages=stages, quota={"limit": 3, "period": "DAY"}))
    assert _send(api, 2) == [200, 200]
    assert _send(apis.Api(api.stack, api.api_id, "second"), 2) == [200, 429]


@cites("usage.before-quota")
def test_counters_read_zero_and_earlier_traffic_is_never_counted_when_a_plan_gets_its_quota_later(
    api: apis.Api,
) -> None:
    plan = api.plan()
    apis.key_in(api.stack, plan)
    _send(api, 3)
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[0, 0]]
    _patch(api, plan, ("add", "/quota/limit", "2"), ("add", "/quota/period", "DAY"))
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[0, 2]]
    assert _send(api, 3) == [200, 200, 429]


@cites("quota.removed-live")
def test_access_is_restored_at_once_when_the_quota_is_removed(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 0, "period": "DAY"})
    apis.key_in(api.stack, plan)
    assert _send(api, 1) == [429]
    api.stack.apigateway.update_usage_plan(
        usagePlanId=plan, patchOperations=[{"op": "remove", "path": "/quota"}]
    )
    assert _send(api, 1) == [200]


@cites("quota.edited-live")
def test_an_edited_limit_takes_effect_at_once(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan)
    assert _send(api, 2) == [200, 429]
    _patch(api, plan, ("replace", "/quota/limit", "3"))
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[1, 2]]
    assert _send(api, 3) == [200, 200, 429]


@cites("quota.edited-counts")
def test_no_more_than_the_quota_is_admitted_when_its_period_is_edited_there_and_back(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 2, "period": "MONTH"})
    apis.key_in(api.stack, plan)
    seen = _send(api, 3)
    for period in ("DAY", "MONTH"):
        _patch(api, plan, ("replace", "/quota/period", period))
        seen += _send(api, 1)
    assert seen == [200, 200, 429, 429, 429]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[2, 0]]


def test_what_was_set_to_remain_holds_when_the_quota_is_edited_there_and_back(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 5, "period": "MONTH"})
    key = apis.key_in(api.stack, plan)
    operations: Any = [{"op": "replace", "path": "/remaining", "value": "0"}]
    api.stack.apigateway.update_usage(usagePlanId=plan, keyId=key, patchOperations=operations)
    _patch(api, plan, ("replace", "/quota/period", "DAY"))
    seen = _send(api, 1)
    _patch(api, plan, ("replace", "/quota/period", "MONTH"))
    assert [*seen, *_send(api, 1)] == [200, 429]


@cites("usage.first-day", "usage.last-day")
@pytest.mark.parametrize(("start", "end"), [("9999-12-01", "9999-12-31"), ("0001-01-01", "0001-01-02")])
def test_get_usage_is_refused_when_the_days_are_at_the_end_of_time(
    api: apis.Api, start: str, end: str
) -> None:
    plan = api.plan(quota={"limit": 5, "period": "MONTH", "offset": 3})
    apis.key_in(api.stack, plan)
    with pytest.raises(ClientError) as refused:
        api.stack.apigateway.get_usage(usagePlanId=plan, startDate=start, endDate=end)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


@cites("usage.update", "usage.update-above-limit")
@pytest.mark.parametrize("remaining", [0, 2, 5])
def test_enforcement_follows_when_what_remains_is_set_below_or_above_the_limit(
    api: apis.Api, remaining: int
) -> None:
    plan = api.plan(quota={"limit": 3, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    _send(api, 1)
    told = api.stack.apigateway.update_usage(
        usagePlanId=plan,
        keyId=key,
        patchOperations=[{"op": "replace", "path": "/remaining", "value": str(remaining)}],
    )
    assert told["items"] == {key: [[1, remaining]]}
    assert _send(api, remaining + 1) == [200] * remaining + [429]
    assert _usage(api, plan, "2026-11-23", "2026-11-24") == [[1 + remaining, 0], [0, 3]]


@cites("usage.position", "usage.one-key")
def test_usage_comes_in_pages_and_for_one_key(api: apis.Api) -> None:
    plan, control = api.plan(quota={"limit": 3, "period": "DAY"}), api.stack.apigateway
    keys = [apis.key_in(api.stack, plan, value=letter * 20) for letter in "abc"]
    first = control.get_usage(usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23", limit=2)
    second: Any = control.get_usage(
        usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23", limit=2, position=first["position"]
    )
    assert [*first["items"], *second["items"]] == keys
    assert "position" not in second
    one = control.get_usage(usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23", keyId=keys[1])
    assert one["items"] == {keys[1]: [[0, 3]]}


def test_get_usage_is_refused_when_a_date_is_not_one_or_the_plan_is_unknown(api: apis.Api) -> None:
    plan, codes = api.plan(), []
    for name, start in [(plan, "yesterday"), (plan, "2026-11-24"), ("unknown", "2026-11-23")]:
        with pytest.raises(ClientError) as refused:
            api.stack.apigateway.get_usage(usagePlanId=name, startDate=start, endDate="2026-11-23")
        codes.append(refused.value.response["Error"]["Code"])
    assert codes == ["BadRequestException", "BadRequestException", "NotFoundException"]


@cites("quota.offset-range")
@pytest.mark.parametrize(("period", "offset"), [("DAY", 1), ("WEEK", 7), ("MONTH", 28), ("WEEK", -1)])
def test_a_plan_is_refused_when_the_offset_is_out_of_its_periods_range(
    api: apis.Api, period: str, offset: int
) -> None:
    with pytest.raises(ClientError, match="Usage Plan quota offset must be") as refused:
        api.plan(quota={"limit": 1, "period": period, "offset": offset})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@cites("throttle.denial-spends-nothing")
def test_a_request_over_its_quota_spends_no_token(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 3}, quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan)
    seen = _send(api, 5)
    _patch(api, plan, ("replace", "/quota/limit", "9"))
    assert [*seen, *_send(api, 3)] == [200, 429, 429, 429, 429, 200, 200, 429]


@cites("usage.key-that-left")
def test_nothing_is_lost_when_a_key_leaves_its_plan_and_comes_back(api: apis.Api) -> None:
    plan, control = api.plan(quota={"limit": 3, "period": "DAY"}), api.stack.apigateway
    key = apis.key_in(api.stack, plan)
    assert _send(api, 2) == [200, 200]
    control.delete_usage_plan_key(usagePlanId=plan, keyId=key)
    assert _send(api, 1) == [403]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[2, 1]]
    control.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    assert _send(api, 2) == [200, 429]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[3, 0]]


@cites("usage.key-that-left")
def test_what_a_key_used_is_still_told_when_it_is_deleted(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 3, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    _send(api, 2)
    api.stack.apigateway.delete_api_key(apiKey=key)
    usage = api.stack.apigateway.get_usage(usagePlanId=plan, startDate="2026-11-22", endDate="2026-11-23")
    assert usage["items"] == {key: [[0, 3], [2, 1]]}
    other_day = api.stack.apigateway.get_usage(usagePlanId=plan, startDate="2026-11-22", endDate="2026-11-22")
    assert other_day["items"] == {}


def test_a_keys_other_plan_goes_on_counting_when_one_is_deleted(api: apis.Api) -> None:
    api.stack.apigateway.create_deployment(restApiId=api.api_id, stageName="second")
    second = [{"apiId": api.api_id, "stage": "second"}]
    plan = api.plan(quota={"limit": 3, "period": "DAY"})
    other = api.plan(name="other", apiStages=second, quota={"limit": 3, "period": "DAY"})
    apis.key_in(api.stack, plan, other)
    _send(apis.Api(api.stack, api.api_id, "second"), 2)
    _patch(api, plan, ("remove", "/apiStages", f"{api.api_id}:test"))
    api.stack.apigateway.delete_usage_plan(usagePlanId=plan)
    assert _usage(api, other, "2026-11-23", "2026-11-23") == [[2, 1]]
    assert _send(apis.Api(api.stack, api.api_id, "second"), 2) == [200, 429]


@cites("quota.clock-back")
def test_a_clock_set_a_year_ahead_and_back_locks_nobody_out_and_hands_out_nothing_twice(
    api: apis.Api,
) -> None:
    clock = api.stack.clock
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 9}, quota={"limit": 2, "period": "DAY"})
    apis.key_in(api.stack, plan)
    assert _send(api, 1) == [200]
    clock.set(clock.now() + 365 * DAY_SECONDS)
    assert _send(api, 3) == [200, 200, 429]
    clock.set(clock.now() - 365 * DAY_SECONDS)
    assert _send(api, 2) == [200, 429]
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[2, 0]]
    assert _usage(api, plan, "2027-11-23", "2027-11-23") == [[2, 0]]


@pytest.mark.parametrize("remaining", ["-1", "1.5", "many", str(2**31), str(10**30)])
def test_what_remains_is_refused_when_no_quota_could_be_it(api: apis.Api, remaining: str) -> None:
    plan = api.plan(quota={"limit": 3, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    operations: Any = [{"op": "replace", "path": "/remaining", "value": remaining}]
    with pytest.raises(ClientError) as refused:
        api.stack.apigateway.update_usage(usagePlanId=plan, keyId=key, patchOperations=operations)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert _usage(api, plan, "2026-11-23", "2026-11-23") == [[0, 3]]
