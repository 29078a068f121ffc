"""Where the key comes from: the request's header, or the authorizer."""

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

KEY, OTHER = "k" * 24, "other" * 5
FORBIDDEN = (403, b'{"message":"Forbidden"}')


def _authorized(stack: Stack, *, source: str, ttl_seconds: int = 0) -> apis.Api:
    """`/guarded` behind an authorizer and a key, where `stack.functions["authorize"]` names the key."""
    schemes = {
        "auth": apis.authorizer_scheme(authorizerResultTtlInSeconds=ttl_seconds),
        "api_key": apis.API_KEY_SCHEME,
    }
    guarded = {"get": apis.operation(security=[{"auth": [], "api_key": []}])}
    document = apis.document(
        {"/guarded": guarded, "/bare": {"get": apis.operation(security=apis.KEY_REQUIRED)}},
        components={"securitySchemes": schemes},
        **{"x-amazon-apigateway-api-key-source": source},
    )
    return apis.imported(stack, document)


def _guarded(api: apis.Api, *, header: str = "") -> tuple[int, bytes]:
    headers = {"Authorization": "token", **({"x-api-key": header} if header else {})}
    answer = api.get("/guarded", headers=headers)
    return answer.status_code, answer.content


@pytest.mark.parametrize(
    "named",
    [
        pytest.param(None, marks=cites("keys.authorizer-names-none"), id="none"),
        pytest.param("", marks=cites("keys.authorizer-names-none"), id="blank"),
        pytest.param("unknown", marks=cites("keys.authorizer-names-unknown"), id="unknown"),
        pytest.param("disabled" * 3, marks=cites("keys.authorizer-names-disabled"), id="disabled"),
    ],
)
@cites("keys.source-authorizer")
def test_forbidden_whatever_the_header_has_when_the_authorizers_key_does_not_admit(
    stack: Stack, named: str | None
) -> None:
    api = _authorized(stack, source="AUTHORIZER")
    plan = api.plan()
    apis.key_in(stack, plan, value=KEY)
    apis.key_in(stack, plan, value="disabled" * 3, enabled=False)
    keyed = {} if named is None else {"usageIdentifierKey": named}
    stack.functions["authorize"] = lambda event: apis.allow(**keyed)
    assert [_guarded(api), _guarded(api, header=KEY)] == [FORBIDDEN] * 2
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=KEY)
    assert [_guarded(api)[0], _guarded(api, header="unknown")[0]] == [200, 200]


@cites("keys.source-authorizer-without-one")
def test_forbidden_to_all_when_the_key_source_is_an_authorizer_that_the_method_lacks(stack: Stack) -> None:
    api = _authorized(stack, source="AUTHORIZER")
    apis.key_in(stack, api.plan(), value=KEY)
    answers = [api.get("/bare", headers=headers) for headers in ({}, {"x-api-key": KEY})]
    assert [(each.status_code, each.content) for each in answers] == [FORBIDDEN] * 2


@cites("keys.source-header")
def test_only_the_header_counts_when_the_key_source_is_the_header(stack: Stack) -> None:
    api = _authorized(stack, source="HEADER")
    apis.key_in(stack, api.plan(), value=KEY)
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=KEY)
    assert (_guarded(api)[0], _guarded(api, header=KEY)[0]) == (403, 200)


@cites("keys.cached-until-ttl")
def test_the_cached_usage_key_counts_until_the_ttl_ends(stack: Stack) -> None:
    api = _authorized(stack, source="AUTHORIZER", ttl_seconds=300)
    plan = api.plan(quota={"limit": 9, "period": "DAY"})
    first, second = (apis.key_in(stack, plan, value=value) for value in (KEY, OTHER))
    values = iter([KEY, OTHER])
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=next(values))
    for seconds in (299.9, 0.1, 0):
        assert _guarded(api)[0] == 200
        stack.clock.advance(seconds)
    usage = stack.apigateway.get_usage(usagePlanId=plan, startDate="2026-11-23", endDate="2026-11-23")
    assert usage["items"] == {first: [[2, 7]], second: [[1, 8]]}


@cites("keys.cached-until-flush")
def test_the_cached_usage_key_counts_until_the_cache_is_flushed(stack: Stack) -> None:
    api = _authorized(stack, source="AUTHORIZER", ttl_seconds=300)
    apis.key_in(stack, api.plan(), value=KEY)
    values = iter([KEY, "unknown"])
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=next(values))
    seen = [_guarded(api)[0], _guarded(api)[0]]
    stack.apigateway.flush_stage_authorizers_cache(restApiId=api.api_id, stageName="test")
    assert [*seen, _guarded(api)[0]] == [200, 200, 403]
