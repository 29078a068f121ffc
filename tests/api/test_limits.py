"""What a client sees of its limits: on every answer where the gateway knows them, in the draft's syntax."""

import http_sfv
import httpx
import pytest

from tests.api.calls import Call, calls
from tests.api.conftest import SPECIFICATION, SPENT, THROTTLED, Api
from tests.api.contract import Contract
from tests.api.provocations import send, with_a_bad_token

METERED = {
    call.operation_id: call
    for call in reversed(list(calls(Contract(SPECIFICATION))))
    if call.scope is not None
}


@pytest.mark.parametrize("call", METERED.values(), ids=METERED)
def test_each_answer_tells_what_is_left_when_the_caller_is_known(api: Api, call: Call) -> None:
    first, second = send(api, call), send(api, call)
    for answer in (first, second):
        policies, limits = fields(answer, "RateLimit-Policy"), fields(answer, "RateLimit")
        assert policies.keys() == limits.keys() == {"burst", "quota"}
        assert all(limits[name]["r"] <= policies[name]["q"] for name in limits)
        assert all(limits[name]["t"] <= policies[name]["w"] for name in limits)
    spent = fields(first, "RateLimit")["quota"]["r"] - fields(second, "RateLimit")["quota"]["r"]
    assert spent == 1


@pytest.mark.parametrize("tenant", [THROTTLED, SPENT])
@pytest.mark.parametrize("call", METERED.values(), ids=METERED)
def test_waiting_as_long_as_told_is_enough_when_a_limit_is_reached(api: Api, call: Call, tenant: str) -> None:
    headers = api.bearer(tenant)
    send(api, call, headers=headers)
    refused = send(api, call, headers=headers)
    assert refused.status_code == 429
    wait = int(refused.headers["Retry-After"])
    assert wait >= max(limit["t"] for limit in fields(refused, "RateLimit").values() if limit["r"] == 0)
    api.stack.clock.advance(wait)
    assert send(api, call, headers=api.bearer(tenant)).status_code != 429


def test_nothing_is_told_when_the_caller_is_not_known(api: Api) -> None:
    for answer in (api.http.get("/v1/health"), with_a_bad_token(api, METERED["listJobs"])):
        assert not {"ratelimit", "ratelimit-policy", "x-ratelimit-limit"} & set(answer.headers)


def fields(answer: httpx.Response, name: str) -> dict[str, dict[str, int]]:
    """A RateLimit field's parameters by the name of the policy."""
    found = http_sfv.List()
    found.parse(answer.headers[name].encode())
    return {item.value: dict(item.params) for item in found}
