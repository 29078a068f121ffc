"""What an API may ask to tell its callers of their limits, and that none is told unasked."""

from typing import Any

import http_sfv
import httpx
import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

HEADER = {"x-api-key": "k" * 24}
ASKED = {
    "x-emulation-response-headers": {
        "RateLimit-Policy": "context.rateLimit.policy",
        "RateLimit": "context.rateLimit.limits",
    }
}
TELLING = {
    "responseParameters": {
        "gatewayresponse.header.RateLimit-Policy": "context.rateLimit.policy",
        "gatewayresponse.header.RateLimit": "context.rateLimit.limits",
        "gatewayresponse.header.Retry-After": "context.rateLimit.retryAfter",
    }
}
RESPONSES = {"x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": TELLING, "DEFAULT_5XX": TELLING}}


def _api(stack: Stack, **settings: Any) -> apis.Api:
    paths = {"/a": {"get": apis.operation(security=apis.KEY_REQUIRED)}}
    return apis.imported(stack, apis.document(paths, **apis.KEYED, **settings))


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    return _api(stack, **ASKED, **RESPONSES)


def _get(api: apis.Api) -> httpx.Response:
    return api.get("/a", headers=HEADER)


def _told(answer: httpx.Response, name: str) -> dict[str, dict[str, int]]:
    """A structured field that is a list of items, by item, with its parameters."""
    found = http_sfv.List()
    found.parse(answer.headers[name].encode())
    return {item.value: dict(item.params) for item in found}


def test_policy_and_standing_are_told_when_the_api_asks(api: apis.Api) -> None:
    throttle, quota = {"rateLimit": 2, "burstLimit": 5}, {"limit": 1000, "period": "DAY"}
    apis.key_in(api.stack, api.plan(throttle=throttle, quota=quota))
    answer = _get(api)
    assert _told(answer, "ratelimit-policy") == {"burst": {"q": 5, "w": 3}, "quota": {"q": 1000, "w": 86_400}}
    nineteen_hours = 19 * 3600  # it is 05:00
    assert _told(answer, "ratelimit") == {"burst": {"r": 4, "t": 1}, "quota": {"r": 999, "t": nineteen_hours}}


@pytest.mark.parametrize(
    ("quota", "window", "reset"),
    [
        ({"limit": 9, "period": "WEEK"}, 7 * 86_400, 6 * 86_400 - 5 * 3600),
        ({"limit": 9, "period": "MONTH"}, 30 * 86_400, 8 * 86_400 - 5 * 3600),
        ({"limit": 9, "period": "MONTH", "offset": 24}, 31 * 86_400, 2 * 86_400 - 5 * 3600),
    ],
)
def test_the_window_is_the_calendars_when_the_quota_is_a_weeks_or_a_months(
    api: apis.Api, quota: dict[str, Any], window: int, reset: int
) -> None:
    apis.key_in(api.stack, api.plan(quota=quota))
    answer = _get(api)
    assert _told(answer, "ratelimit-policy") == {"quota": {"q": 9, "w": window}}
    assert _told(answer, "ratelimit") == {"quota": {"r": 8, "t": reset}}


def test_a_request_passes_after_the_retry_after_it_was_told_and_not_a_second_before(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 0.2, "burstLimit": 1}))
    assert _get(api).status_code == 200
    refused = _get(api)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
    assert _told(refused, "ratelimit") == {"burst": {"r": 0, "t": 5}}
    api.stack.clock.advance(4)
    assert _get(api).headers["retry-after"] == "1"
    api.stack.clock.advance(1)
    assert _get(api).status_code == 200


def test_retry_after_leads_to_the_next_window_when_the_quota_is_used_up(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 9}, quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan)
    _get(api)
    refused = _get(api)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, str(19 * 3600))
    assert _told(refused, "ratelimit") == {"quota": {"r": 0, "t": 19 * 3600}}
    api.stack.clock.advance(19 * 3600)
    assert _get(api).status_code == 200


def test_retry_after_is_the_longer_wait_when_throttle_and_quota_both_deny(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 1}, quota={"limit": 1, "period": "DAY"})
    apis.key_in(api.stack, plan)
    assert _get(api).status_code == 200
    refused = _get(api)
    assert refused.json() == {"message": "Too Many Requests"}
    assert refused.headers["retry-after"] == str(19 * 3600)


def test_no_retry_after_is_told_when_waiting_would_not_help(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 0, "burstLimit": 0}))
    refused = _get(api)
    assert (refused.status_code, "retry-after" in refused.headers) == (429, False)
    assert _told(refused, "ratelimit") == {"burst": {"r": 0}}


def test_a_methods_own_throttle_is_told_beside_the_plans(api: apis.Api) -> None:
    stages = [
        {"apiId": api.api_id, "stage": "test", "throttle": {"/a/GET": {"rateLimit": 1, "burstLimit": 2}}}
    ]
    apis.key_in(api.stack, api.plan(apiStages=stages, throttle={"rateLimit": 10, "burstLimit": 20}))
    answer = _get(api)
    assert _told(answer, "ratelimit-policy") == {"method": {"q": 2, "w": 2}, "burst": {"q": 20, "w": 2}}
    assert _told(answer, "ratelimit") == {"method": {"r": 1, "t": 1}, "burst": {"r": 19, "t": 1}}


def test_the_wait_is_told_and_no_policy_when_a_limit_that_others_share_denies(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(throttle={"rateLimit": 1, "burstLimit": 9}))
    api.patch_stage("/~1a/GET/throttling/rateLimit", "0.5")
    api.patch_stage("/~1a/GET/throttling/burstLimit", "1")
    assert _get(api).status_code == 200
    refused = _get(api)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert "ratelimit" not in refused.headers


def test_what_is_left_is_told_when_the_backend_fails(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 5, "period": "DAY"}))
    api.stack.functions["hello"] = lambda event: "malformed"
    answer = _get(api)
    assert (answer.status_code, _told(answer, "ratelimit")["quota"]["r"]) == (502, 4)


def test_the_functions_own_header_stays_when_it_answers_with_one(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan(quota={"limit": 5, "period": "DAY"}))
    api.stack.functions["hello"] = lambda event: {"headers": {"ratelimit": '"jobs";r=0;t=9'}}
    assert _get(api).headers.get_list("ratelimit") == ['"jobs";r=0;t=9']


def test_nothing_is_told_when_the_caller_has_no_limits(api: apis.Api) -> None:
    apis.key_in(api.stack, api.plan())
    answer = _get(api)
    assert answer.status_code == 200
    assert not {"ratelimit", "ratelimit-policy", "retry-after"} & set(answer.headers)


@cites("headers.none-of-limits")
def test_nothing_is_told_when_the_api_does_not_ask(stack: Stack) -> None:
    api = _api(stack)
    apis.key_in(stack, api.plan(throttle={"rateLimit": 1, "burstLimit": 1}))
    for status in (200, 429):
        answer = _get(api)
        assert answer.status_code == status
        assert not {"ratelimit", "ratelimit-policy", "retry-after"} & set(answer.headers)


@pytest.mark.parametrize("asked", [{"Bad Name": "context.requestId"}, {"X": "body"}, {"X": 1}, ["X"], "X"])
def test_an_import_is_refused_when_the_extension_asks_for_what_no_header_can_be(
    stack: Stack, asked: Any
) -> None:
    with pytest.raises(stack.apigateway.exceptions.BadRequestException):
        _api(stack, **{"x-emulation-response-headers": asked})
