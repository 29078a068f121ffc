"""An API imported from OpenAPI: what was imported is there, and what is refused leaves no trace."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack

DOCUMENT = apis.document(
    {
        "/v1/jobs/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "post": apis.operation(
                operationId="change",
                security=[{"auth": [], "api_key": []}],
                parameters=[{"$ref": "#/components/parameters/Trace"}],
                requestBody={"$ref": "#/components/requestBodies/Change"},
            ),
            "get": apis.operation(security=[]),
        },
        "/rest/{proxy+}": {"x-amazon-apigateway-any-method": apis.operation()},
    },
    security=[{"api_key": []}],
    components={
        "securitySchemes": {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME},
        "parameters": {"Trace": {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}},
        "requestBodies": {
            "Change": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}}
        },
        "schemas": {"Change": {"type": "object"}},
    },
    **{
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 430}},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
    },
)


def _get_method(api: apis.Api, path: str, verb: str) -> Any:
    return api.stack.apigateway.get_method(
        restApiId=api.api_id, resourceId=api.resource_id(path), httpMethod=verb
    )


def test_reading_an_imported_api_back_shows_what_was_imported(stack: Stack) -> None:
    api, control = apis.imported(stack, DOCUMENT), stack.apigateway
    told: Any = control.get_rest_api(restApiId=api.api_id)
    assert (told["name"], told["apiKeySource"], told["binaryMediaTypes"]) == (
        "tested",
        "AUTHORIZER",
        ["image/png"],
    )
    paths = {each["path"] for each in control.get_resources(restApiId=api.api_id)["items"]}
    assert paths == {"/", "/v1", "/v1/jobs", "/v1/jobs/{id}", "/rest", "/rest/{proxy+}"}
    (authorizer,) = control.get_authorizers(restApiId=api.api_id)["items"]
    assert (authorizer["type"], authorizer["identitySource"]) == (
        "TOKEN",
        "method.request.header.Authorization",
    )
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    (validator,) = control.get_request_validators(restApiId=api.api_id)["items"]
    assert control.get_gateway_response(restApiId=api.api_id, responseType="THROTTLED")["statusCode"] == "430"
    method = _get_method(api, "/v1/jobs/{id}", "POST")
    assert (method["authorizationType"], method["authorizerId"]) == ("CUSTOM", authorizer["id"])
    assert (method["apiKeyRequired"], method["operationName"]) == (True, "change")
    assert (method["requestValidatorId"], method["requestModels"]) == (
        validator["id"],
        {"application/json": "Change"},
    )
    assert method["requestParameters"] == {
        "method.request.path.id": True,
        "method.request.header.X-Trace": False,
    }
    assert method["methodIntegration"]["uri"] == apis.function_uri("hello")


def test_an_operation_without_security_of_its_own_takes_the_documents(stack: Stack) -> None:
    api = apis.imported(stack, DOCUMENT)
    assert _get_method(api, "/rest/{proxy+}", "ANY")["apiKeyRequired"] is True
    assert _get_method(api, "/v1/jobs/{id}", "GET")["apiKeyRequired"] is False


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        b"[]",
        b'{"openapi": "3.1.0", "info": {"title": "new"}}',
        b'{"swagger": "1.2", "info": {"title": "old"}}',
        b'{"openapi": "3.0.3", "info": {}}',
        json.dumps(apis.document({"/a": {"get": apis.operation(security=[{"unknown": []}])}})).encode(),
        json.dumps(apis.document({"/a": {"get": {"parameters": [{"$ref": "#/components/none"}]}}})).encode(),
    ],
)
def test_a_document_that_cannot_be_imported_is_refused_and_leaves_nothing(stack: Stack, body: bytes) -> None:
    with pytest.raises(ClientError) as refused:
        stack.apigateway.import_rest_api(body=body)
    assert refused.value.response["Error"]["Code"] == "BadRequestException"
    assert stack.apigateway.get_rest_apis()["items"] == []


def test_putting_a_document_merges_with_or_overwrites_what_is_there(stack: Stack) -> None:
    api = apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))
    put = stack.apigateway.put_rest_api
    seen = []
    for mode in ("merge", "overwrite"):
        body = json.dumps(apis.document({"/b": {"get": apis.operation()}})).encode()
        put(restApiId=api.api_id, mode=mode, body=body)
        api.redeploy()
        seen.append((api.get("/a").status_code, api.get("/b").status_code))
    assert seen == [(200, 200), (403, 200)]


INVALID_DOCUMENTS = [
    apis.document({"/new": {"get": apis.operation(security=[{"unknown": []}])}}),
    apis.document({"/new": {"get": apis.operation()}, "/b ad": {"get": apis.operation()}}),
    apis.document({"/new": {"get": {"parameters": [{"$ref": "#/components/parameters/Loop"}]}}})
    | {"components": {"parameters": {"Loop": {"$ref": "#/components/parameters/Loop"}}}},
    apis.document({"/v1/jobs/{id}": {"get": apis.operation()}})
    | {"x-amazon-apigateway-gateway-responses": {"THROTTLED": 5}},
]


@pytest.mark.parametrize("mode", ["merge", "overwrite"])
@pytest.mark.parametrize("invalid", INVALID_DOCUMENTS)
def test_an_api_is_as_it_was_when_an_invalid_document_is_put(stack: Stack, mode: Any, invalid: Any) -> None:
    api, control = apis.imported(stack, DOCUMENT), stack.apigateway

    def told() -> list[Any]:
        reads = (control.get_resources, control.get_models, control.get_authorizers)
        methods = [_get_method(api, "/v1/jobs/{id}", verb)["methodIntegration"] for verb in ("GET", "POST")]
        return [*(read(restApiId=api.api_id)["items"] for read in reads), *methods]

    before = told()
    with pytest.raises(ClientError) as refused:
        control.put_rest_api(restApiId=api.api_id, mode=mode, body=json.dumps(invalid).encode())
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert told() == before


@pytest.mark.parametrize("status", ["100", "600"])
def test_an_api_is_not_deployed_when_its_own_responses_could_not_be_sent(stack: Stack, status: str) -> None:
    responses = {"THROTTLED": {"statusCode": status}}
    body = apis.document(
        {"/a": {"get": apis.operation()}}, **{"x-amazon-apigateway-gateway-responses": responses}
    )
    api_id = stack.apigateway.import_rest_api(body=json.dumps(body).encode())["id"]
    with pytest.raises(ClientError) as refused:
        stack.apigateway.create_deployment(restApiId=api_id, stageName="test")
    assert refused.value.response["Error"]["Code"] == "BadRequestException"


@pytest.mark.parametrize(
    ("paths", "where"),
    [
        (["/a"], "paths"),
        ({"/a": None}, "/a"),
        ({"/a": {"get": None}}, "GET /a"),
        ({"/a": {"get": []}}, "GET /a"),
    ],
)
def test_the_place_is_named_when_a_part_of_the_document_is_no_object(
    stack: Stack, paths: Any, where: str
) -> None:
    with pytest.raises(ClientError, match=f"Invalid OpenAPI input: {where} is not an object"):
        apis.imported(stack, apis.document(paths))
