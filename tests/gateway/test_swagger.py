"""Swagger 2.0 and YAML are imported as OpenAPI 3.0 in JSON is; what an import cannot do it says."""

import json
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack

X = "x-amazon-apigateway"
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"title": "old", "version": "2026-11-23"},
    "basePath": "/ignored",
    "consumes": ["application/json"],
    "securityDefinitions": {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME},
    "definitions": {
        "Job": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"$ref": "#/definitions/Kind"}},
        },
        "Kind": {"type": "string", "enum": ["a", "b"]},
    },
    "parameters": {"Trace": {"name": "X-Trace", "in": "header", "required": True, "type": "string"}},
    f"{X}-request-validators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
    f"{X}-request-validator": "all",
    "paths": {
        "/jobs": {
            "parameters": [{"$ref": "#/parameters/Trace"}],
            "post": apis.operation(
                security=[{"api_key": []}],
                parameters=[{"in": "body", "name": "Job", "schema": {"$ref": "#/definitions/Job"}}],
            ),
            "put": apis.operation(security=[{"auth": []}]),
        },
    },
}


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_a_swagger_document_is_served_with_its_key_its_authorizer_and_its_validation(
    stack: Stack, write: Any
) -> None:
    stack.functions["hello"] = lambda event: {"statusCode": 200}
    api_id = stack.apigateway.import_rest_api(body=write(SWAGGER).encode())["id"]
    stack.apigateway.create_deployment(restApiId=api_id, stageName="test")
    api = apis.Api(stack, api_id)
    apis.key_in(stack, api.plan())
    headers = {"x-api-key": "k" * 24, "X-Trace": "1"}

    def posted(body: object, **changed: str) -> int:
        return api.request("POST", "/jobs", json=body, headers={**headers, **changed}).status_code

    assert posted({"kind": "a"}) == 200
    assert posted({"kind": "c"}) == 400
    assert posted({"kind": "a"}, **{"X-Trace": ""}) == 400
    assert posted({"kind": "a"}, **{"x-api-key": "none"}) == 403
    assert api.request("PUT", "/jobs").status_code == 401
    assert stack.apigateway.get_rest_api(restApiId=api_id)["version"] == "2026-11-23"


def test_a_yaml_document_with_aliases_and_numbers_for_statuses_is_imported(stack: Stack) -> None:
    text = f"""
        openapi: 3.0.1
        info: {{title: in YAML, version: 1.0}}
        paths:
          /a: {{get: &get {{responses: {{200: {{description: ok}}}},
            {X}-integration: {{type: mock, requestTemplates: {{application/json: '{{"statusCode": 204}}'}},
              responses: {{default: {{statusCode: 204}}}}}}}}}}
          /b: {{get: *get}}
    """
    api_id = stack.apigateway.import_rest_api(body=text.encode())["id"]
    stack.apigateway.create_deployment(restApiId=api_id, stageName="test")
    assert [apis.Api(stack, api_id).get(path).status_code for path in ("/a", "/b")] == [204, 204]


BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{each}: &a{each} [{', '.join([f'*a{each - 1}'] * 10)}]\n" for each in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &a {b: *a}",
        "- " * 200_000,
        "[" * 200_000,
        "a: !!python/object:x {}",
        "a: !!binary eA==",
        "a: .inf",
        "\x00",
    ],
    ids=["bomb", "loop", "deep list", "deeper list", "object", "binary", "no number", "no text"],
)
def test_a_document_that_would_not_end_or_is_no_data_is_refused(stack: Stack, text: str) -> None:
    with pytest.raises(ClientError, match="Invalid OpenAPI input"):
        stack.apigateway.import_rest_api(body=text.encode())
    assert stack.apigateway.get_rest_apis()["items"] == []


AUTHORIZERS = {"one": apis.authorizer_scheme(), "other": apis.authorizer_scheme()}
REFUSED = {
    "two authorizers at once": apis.document(
        {"/a": {"get": apis.operation(security=[{"one": [], "other": []}])}},
        components={"securitySchemes": AUTHORIZERS},
    ),
    "one authorizer or another": apis.document(
        {"/a": {"get": apis.operation(security=[{"one": []}, {"other": []}])}},
        components={"securitySchemes": AUTHORIZERS},
    ),
    "an authtype without its authorizer": apis.document(
        {"/a": {"get": apis.operation()}},
        components={"securitySchemes": {"x": {"type": "apiKey", f"{X}-authtype": "custom"}}},
    ),
    "a resource policy": apis.document({}, **{f"{X}-policy": {"Version": "2012-10-17", "Statement": []}}),
    "a source of keys that is none": apis.document({}, **{f"{X}-api-key-source": "QUERY"}),
    "a gateway response that is none": apis.document({}, **{f"{X}-gateway-responses": {"TEAPOT": {}}}),
    "a size that is none": apis.document({}, **{f"{X}-minimum-compression-size": -1}),
    "two variables below one path": apis.document({"/{a}": {}, "/{b}": {}}),
    "a disabled endpoint": apis.document(
        {}, **{f"{X}-endpoint-configuration": {"disableExecuteApiEndpoint": True}}
    ),
    "an integration of no type": apis.document({"/a": {"get": {f"{X}-integration": {"type": "magic"}}}}),
    "a VPC link": apis.document(
        {"/a": {"get": {f"{X}-integration": {"type": "http_proxy", "connectionType": "VPC_LINK"}}}}
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_an_import_is_refused_when_it_asks_for(stack: Stack, reason: str) -> None:
    with pytest.raises(ClientError):
        stack.apigateway.import_rest_api(body=json.dumps(REFUSED[reason]).encode())
    assert stack.apigateway.get_rest_apis()["items"] == []


@pytest.mark.parametrize("setting", [{"basepath": "prepend"}, {"basepath": "split"}, {"failonwarnings": "x"}])
def test_an_import_is_refused_when_its_setting_is_not_imitated(stack: Stack, setting: Any) -> None:
    body = json.dumps(apis.document({})).encode()
    with pytest.raises(ClientError, match="Invalid import parameter"):
        stack.apigateway.import_rest_api(body=body, parameters=setting)
    assert stack.apigateway.import_rest_api(body=body, failOnWarnings=True, parameters={"basepath": "ignore"})


def test_extensions_without_effect_are_kept_and_unknown_ones_ignored(stack: Stack) -> None:
    extensions = {
        f"{X}-minimum-compression-size": 1024,
        f"{X}-endpoint-configuration": {"types": ["REGIONAL"]},
        f"{X}-documentation": {"version": "1"},
        "x-something-else": 5,
    }
    api_id = stack.apigateway.import_rest_api(body=json.dumps(apis.document({}, **extensions)).encode())["id"]
    told = stack.apigateway.get_rest_api(restApiId=api_id)
    assert told["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert told["minimumCompressionSize"] == 1024


def test_a_scheme_for_iam_closes_its_methods(stack: Stack) -> None:
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header", f"{X}-authtype": "awsSigv4"}
    operation = apis.operation(security=[{"iam": []}])
    document = apis.document({"/a": {"get": operation}}, components={"securitySchemes": {"iam": scheme}})
    assert apis.imported(stack, document).get("/a").status_code >= 400
    assert stack.events("hello") == []


def test_a_document_put_again_keeps_the_ids_of_authorizers_and_validators(stack: Stack) -> None:
    api_id = stack.apigateway.import_rest_api(body=json.dumps(SWAGGER).encode())["id"]

    def ids() -> list[str]:
        authorizers = stack.apigateway.get_authorizers(restApiId=api_id)["items"]
        validators = stack.apigateway.get_request_validators(restApiId=api_id)["items"]
        return [each["id"] for each in [*authorizers, *validators]]

    before = ids()
    stack.apigateway.put_rest_api(restApiId=api_id, body=json.dumps(SWAGGER).encode())
    assert ids() == before
    with pytest.raises(ClientError, match="import mode"):
        stack.apigateway.put_rest_api(restApiId=api_id, mode="other", body=b"{}")  # type: ignore[arg-type]
