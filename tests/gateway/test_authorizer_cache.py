"""What is kept of an authorizer's verdicts: under which identity, how long, and how many."""

import asyncio
from typing import Any

from emulation.gateway.api import (
    Authorizer,
    AuthorizerKind,
    Deployment,
    KeySource,
    Stage,
)
from emulation.gateway.authorizer import MAX_VERDICTS, Authorizers
from emulation.gateway.exchange import Exchange
from emulation.gateway.references import source_of, uri_template
from emulation.gateway.routing import RoutingTable
from emulation.http import Request
from tests.gateway import apis
from tests.gateway.conftest import START, Stack

TOKEN = {"Authorization": "Bearer t"}


def _api(stack: Stack, **settings: Any) -> apis.Api:
    """`/a` and `/b/{id}` behind the authorizer."""
    operation = apis.operation(security=[{"auth": []}])
    paths = {"/a": {"get": operation}, "/b/{id}": {"get": operation}}
    scheme = apis.authorizer_scheme(**settings)
    return apis.imported(stack, apis.document(paths, components={"securitySchemes": {"auth": scheme}}))


def test_sources_of_every_kind_are_identity_when_a_request_authorizer_names_them(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    sources = ("header.X-Who", "querystring.q", "multivaluequerystring.q", "path.id")
    named = [f"method.request.{each}" for each in sources] + ["stageVariables.v", "context.httpMethod"]
    settings = {"type": "request", "identitySource": ", ".join(named), "authorizerResultTtlInSeconds": 60}
    api = _api(stack, **settings)
    api.patch_stage("/variables/v", "1")
    asked = [("/b/7?q=1", "a"), ("/b/7?q=1", "a"), ("/b/8?q=1", "a"), ("/b/7?q=2", "a"), ("/b/7?q=1", "b")]
    statuses = [api.get(path, headers={"X-Who": who}).status_code for path, who in asked]
    assert (statuses, len(stack.events("authorize"))) == ([200] * 5, 4)
    api.patch_stage("/variables/v", "2")
    api.get("/b/7?q=1", headers={"X-Who": "a"})
    assert len(stack.events("authorize")) == 5


def test_a_cached_result_is_told_as_having_cost_no_time(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow(context={"integrationLatency": "forged"})
    api = _api(stack, authorizerResultTtlInSeconds=60)
    for _ in range(2):
        api.get("/a", headers=TOKEN)
    assert stack.events("hello")[1]["requestContext"]["authorizer"]["integrationLatency"] == 0


def test_every_request_is_asked_about_when_the_ttl_is_0(stack: Stack) -> None:
    stack.functions["authorize"] = lambda event: apis.allow()
    api = _api(stack)
    for _ in range(2):
        api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 2


def test_a_result_is_kept_for_its_ttl_and_its_policy_evaluated_for_each_method(stack: Stack) -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*/GET/a"}
    stack.functions["authorize"] = lambda event: {
        "principalId": "p",
        "policyDocument": {"Statement": [statement]},
    }
    api = _api(stack, authorizerResultTtlInSeconds=60)
    statuses = [api.get(path, headers=TOKEN).status_code for path in ("/a", "/b/7", "/a")]
    assert (statuses, len(stack.events("authorize"))) == ([200, 403, 200], 1)
    api.get("/a", headers={"Authorization": "another"})
    stack.clock.advance(59.9)
    api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 2
    stack.clock.advance(0.1)
    api.get("/a", headers=TOKEN)
    assert len(stack.events("authorize")) == 3


def test_the_default_ttl_is_300_seconds(stack: Stack) -> None:
    api = _api(stack)
    control = stack.apigateway
    made = control.create_authorizer(
        restApiId=api.api_id,
        name="bare",
        type="TOKEN",
        authorizerUri=apis.function_uri("authorize"),
        identitySource="method.request.header.Authorization",
        identityValidationExpression="B.*",
    )
    told = control.get_authorizer(restApiId=api.api_id, authorizerId=made["id"])
    assert (told["authorizerResultTtlInSeconds"], told["identityValidationExpression"]) == (300, "B.*")


def test_the_cached_result_keeps_its_usage_key_until_the_cache_is_flushed(stack: Stack) -> None:
    keys = iter(["first" * 5, "second" * 5])
    stack.functions["authorize"] = lambda event: apis.allow(usageIdentifierKey=next(keys))
    schemes = {
        "auth": apis.authorizer_scheme(authorizerResultTtlInSeconds=300),
        "api_key": apis.API_KEY_SCHEME,
    }
    api = apis.imported(
        stack,
        apis.document(
            {"/a": {"get": apis.operation(security=[{"auth": [], "api_key": []}])}},
            components={"securitySchemes": schemes},
            **{"x-amazon-apigateway-api-key-source": "AUTHORIZER"},
        ),
    )
    apis.key_in(stack, api.plan(), value="first" * 5)
    seen = [api.get("/a", headers=TOKEN).status_code for _ in range(2)]
    stack.apigateway.flush_stage_authorizers_cache(restApiId=api.api_id, stageName="test")
    assert [*seen, api.get("/a", headers=TOKEN).status_code] == [200, 200, 403]


def _exchange(token: str) -> Exchange:
    deployment = Deployment(
        api_id="api",
        deployment_id="deployed",
        key_source=KeySource.HEADER,
        binary_media_types=frozenset(),
        routes=RoutingTable([]),
        gateway_responses={},
        added_headers={},
    )
    return Exchange(
        request=Request("GET", "/a", "", (("authorization", token),), b"", "127.0.0.1"),
        request_id="503ba33e-5e61-409f-9c78-bea12e674e13",
        now=START,
        stage=Stage(name="test", deployment=deployment, variables={}, limits={}),
        path="/a",
    )


def test_memory_stays_bounded_when_every_token_is_another() -> None:
    authorizer = Authorizer(
        authorizer_id="a",
        kind=AuthorizerKind.TOKEN,
        uri=uri_template(apis.function_uri("authorize")),
        ttl_seconds=3600,
        identity_sources=(source_of("method.request.header.Authorization"),),
        validation=None,
    )
    asked = []

    async def invoke(name: str, event: object, timeout_seconds: float) -> object:
        asked.append(event)
        return apis.allow()

    async def ask() -> None:
        authorizers = Authorizers()
        for token in [*range(MAX_VERDICTS + 1), MAX_VERDICTS, 1, 0]:  # the first one has made room
            await authorizers.authorize(authorizer, _exchange(str(token)), invoke)

    asyncio.run(ask())
    assert len(asked) == MAX_VERDICTS + 2
