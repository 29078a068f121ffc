"""An API made, read and changed piece by piece, and what the service refuses of it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.conftest import Stack


def _refusal(call: Any, **named: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**named)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    paths = {path: {"get": apis.operation()} for path in ("/a", "/a/b", "/a/b/{id}", "/rest/{proxy+}")}
    return apis.imported(stack, apis.document(paths))


def _paths(api: apis.Api) -> set[str]:
    resources = api.stack.apigateway.get_resources(restApiId=api.api_id)["items"]
    return {each["path"] for each in resources}


def _move(api: apis.Api, path: str, field: str, value: str) -> None:
    api.stack.apigateway.update_resource(
        restApiId=api.api_id,
        resourceId=api.resource_id(path),
        patchOperations=[{"op": "replace", "path": field, "value": value}],
    )


def test_a_moved_resource_takes_what_is_below_it_along(api: apis.Api) -> None:
    _move(api, "/a/b", "/parentId", api.resource_id("/rest"))
    _move(api, "/a", "/pathPart", "c")
    assert _paths(api) == {"/", "/c", "/rest", "/rest/b", "/rest/b/{id}", "/rest/{proxy+}"}
    api.redeploy()
    assert [api.get(path).status_code for path in ("/c", "/rest/b/7", "/a")] == [200, 200, 403]


def test_a_deleted_resource_takes_what_is_below_it_along(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    control.delete_resource(restApiId=api.api_id, resourceId=api.resource_id("/a/b"))
    assert _paths(api) == {"/", "/a", "/rest", "/rest/{proxy+}"}
    root = api.resource_id("/")
    assert _refusal(control.delete_resource, restApiId=api.api_id, resourceId=root)[0] == 400
    api.redeploy()
    assert [api.get(path).status_code for path in ("/a", "/a/b", "/a/b/7")] == [200, 403, 403]


SIBLING = "A sibling ({proxy+}) of this resource already has a variable path part -- only one is allowed"


@pytest.mark.parametrize(
    ("parent", "part", "refused"),
    [
        ("/", "a", (409, "Another resource with the same parent already has this name: a")),
        ("/rest", "{id}", (400, SIBLING)),
        (
            "/rest/{proxy+}",
            "x",
            (400, "Cannot create a child of a resource with a greedy path variable: {proxy+}"),
        ),
    ],
)
def test_a_resource_is_refused_where_it_cannot_be(
    api: apis.Api, parent: str, part: str, refused: tuple[int, str]
) -> None:
    create, parent_id = api.stack.apigateway.create_resource, api.resource_id(parent)
    assert _refusal(create, restApiId=api.api_id, parentId=parent_id, pathPart=part) == refused
    for strange in ("a b", "{a", "a/b", "{a+}b", ""):
        assert _refusal(create, restApiId=api.api_id, parentId=parent_id, pathPart=strange)[0] == 400
    missing: Any = {"restApiId": api.api_id, "parentId": "none", "pathPart": "x"}
    assert _refusal(create, **missing) == (404, "Invalid Resource identifier specified")


def test_a_resource_is_not_moved_below_itself_nor_onto_another(api: apis.Api) -> None:
    below: Any = {"api": api, "path": "/a", "field": "/parentId", "value": api.resource_id("/a/b/{id}")}
    assert _refusal(_move, **below) == (400, "Resources cannot be cyclical.")
    onto: Any = {"api": api, "path": "/rest", "field": "/pathPart", "value": "a"}
    assert _refusal(_move, **onto)[0] == 409
    root: Any = {"api": api, "path": "/", "field": "/pathPart", "value": "a"}
    assert _refusal(_move, **root) == (400, "Root resource cannot update its pathPart.")


def test_a_method_is_refused_when_it_names_what_is_not_there(api: apis.Api) -> None:
    control = api.stack.apigateway
    named: Any = {"restApiId": api.api_id, "resourceId": api.resource_id("/a"), "authorizationType": "NONE"}
    told = "Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."
    cases: list[tuple[dict[str, Any], tuple[int, str]]] = [
        ({"httpMethod": "GET"}, (409, "Method already exists for this resource")),
        ({"authorizationType": "CUSTOM"}, (400, f"Invalid authorizer ID specified. {told}")),
        ({"requestValidatorId": "none"}, (400, "Invalid Request Validator identifier specified")),
        ({"requestModels": {"x/y": "None"}}, (400, "Invalid model identifier specified: None")),
    ]
    for settings, refused in cases:
        assert _refusal(control.put_method, **{**named, "httpMethod": "PUT", **settings}) == refused
    same = {"method.request.path.x": True, "method.request.header.x": True}
    told = "Parameter names must be unique across querystring, header and path"
    put: Any = {**named, "httpMethod": "PUT", "requestParameters": same}
    assert _refusal(control.put_method, **put) == (400, told)
    assert _refusal(control.put_method, **{**put, "httpMethod": "FETCH"})[0] == 400
    assert _refusal(control.put_method, **{**put, "resourceId": "none"})[0] == 404


INTEGRATIONS: list[tuple[dict[str, Any], str]] = [
    ({"timeoutInMillis": 49}, "Timeout should be between 50 ms and 29000 ms"),
    ({"timeoutInMillis": 0}, "Timeout should be between 50 ms and 29000 ms"),
    ({"passthroughBehavior": "ALWAYS"}, "Invalid passthroughBehavior"),
    ({"integrationHttpMethod": ""}, "Enumeration value for HttpMethod must be non-empty"),
    ({"type": "HTTP_PROXY", "uri": "nowhere"}, "Invalid HTTP endpoint specified for URI"),
    ({"uri": "http://x"}, "Invalid ARN specified in the request"),
    ({"uri": "arn:aws:lambda:us-east-1:1:function:f"}, "AWS ARN for integration must contain path or action"),
    ({"uri": "arn:aws:apigateway:us-east-1:s3:path/x"}, "only supports Lambda function and Firehose"),
    ({"type": "MAGIC"}, "Member must satisfy enum value set"),
]


@pytest.mark.parametrize(("settings", "told"), INTEGRATIONS)
def test_an_integration_is_refused_when_it_cannot_be(
    api: apis.Api, settings: dict[str, Any], told: str
) -> None:
    control: Any = api.stack.apigateway
    named = {"restApiId": api.api_id, "resourceId": api.resource_id("/a"), "httpMethod": "GET"}
    before = control.get_integration(**named)["uri"]
    asked = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": apis.function_uri("x"), **settings}
    status, message = _refusal(control.put_integration, **named, **asked)
    assert (status, told in message) == (400, True)
    assert control.get_integration(**named)["uri"] == before


def test_what_a_method_uses_is_not_deleted(stack: Stack) -> None:
    control: Any = stack.apigateway
    made = control.create_rest_api(name="by hand")
    api, root = {"restApiId": made["id"]}, made["rootResourceId"]
    model = control.create_model(**api, name="Thing", contentType="application/json", schema="{}")["name"]
    validator = control.create_request_validator(**api, name="all", validateRequestBody=True)["id"]
    uri = apis.function_uri("authorize")
    authorizer = control.create_authorizer(**api, name="auth", type="TOKEN", authorizerUri=uri)["id"]
    method: Any = {**api, "resourceId": root, "httpMethod": "GET"}
    control.put_method(
        **method,
        authorizationType="CUSTOM",
        authorizerId=authorizer,
        requestValidatorId=validator,
        requestModels={"application/json": model},
    )
    deletions = [
        (control.delete_model, {"modelName": model}),
        (control.delete_request_validator, {"requestValidatorId": validator}),
        (control.delete_authorizer, {"authorizerId": authorizer}),
    ]
    for delete, named in deletions:
        status, told = _refusal(delete, **api, **named)
        assert (status, told.endswith("//GET")) == (409, True)
    control.delete_method(**method)
    for delete, named in deletions:
        delete(**api, **named)
        assert _refusal(delete, **api, **named)[0] == 404


def test_models_and_authorizers_are_refused_when_they_cannot_be(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    model = {"restApiId": api.api_id, "name": "Thing", "contentType": "application/json"}
    for schema in ("", "{", "[]", '{"type": 5}'):
        assert _refusal(control.create_model, **model, schema=schema)[0] == 400
    control.create_model(**model, schema="{}")
    assert _refusal(control.create_model, **model, schema="{}")[0] == 409
    uri = apis.function_uri("authorize")
    authorizer = {"restApiId": api.api_id, "name": "auth", "type": "TOKEN", "authorizerUri": uri}
    control.create_authorizer(**authorizer)
    told = "Authorizer name must be unique. Authorizer auth already exists in this RestApi."
    assert _refusal(control.create_authorizer, **authorizer) == (400, told)
    for settings in (
        {"authorizerResultTtlInSeconds": 3601},
        {"authorizerUri": ""},
        {"type": "OTHER"},
        {"type": "REQUEST"},
        {"identityValidationExpression": "("},
    ):
        assert _refusal(control.create_authorizer, **{**authorizer, "name": "new", **settings})[0] == 400
    assert len(control.get_authorizers(restApiId=api.api_id)["items"]) == 1


def test_gateway_responses_are_all_told_with_what_the_general_ones_make_of_them(api: apis.Api) -> None:
    control: Any = api.stack.apigateway
    control.put_gateway_response(restApiId=api.api_id, responseType="DEFAULT_5XX", statusCode="599")
    listed = control.get_gateway_responses(restApiId=api.api_id)["items"]
    told = {each["responseType"]: (each.get("statusCode"), each["defaultResponse"]) for each in listed}
    assert len(told) == 21
    assert told["THROTTLED"] == ("429", True)
    assert told["INTEGRATION_FAILURE"] == ("599", True)
    assert told["DEFAULT_5XX"] == ("599", False)
    assert told["DEFAULT_4XX"] == (None, True)
    named = {"restApiId": api.api_id, "responseType": "THROTTLED"}
    assert _refusal(control.delete_gateway_response, **named)[0] == 404
    assert _refusal(control.get_gateway_response, **{**named, "responseType": "TEAPOT"})[0] == 400


def test_an_api_is_changed_and_read_back(stack: Stack) -> None:
    control: Any = stack.apigateway
    made = control.create_rest_api(name="by hand", version="1", binaryMediaTypes=["image/png"])
    patches = [
        {"op": "replace", "path": "/name", "value": "renamed"},
        {"op": "add", "path": "/binaryMediaTypes/image~1jpeg"},
        {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
        {"op": "replace", "path": "/apiKeySource", "value": "AUTHORIZER"},
        {"op": "replace", "path": "/minimumCompressionSize", "value": "10"},
    ]
    told = control.update_rest_api(restApiId=made["id"], patchOperations=patches)
    assert (told["name"], told["binaryMediaTypes"], told["apiKeySource"]) == (
        "renamed",
        ["image/jpeg"],
        "AUTHORIZER",
    )
    assert {each["name"] for each in control.get_models(restApiId=made["id"])["items"]} == {"Empty", "Error"}
    for setting in ({"policy": "{}"}, {"disableExecuteApiEndpoint": True}, {"cloneFrom": made["id"]}):
        assert _refusal(control.create_rest_api, name="new", **setting)[0] == 501
    policy = [{"op": "replace", "path": "/policy", "value": json.dumps({"Version": "2012-10-17"})}]
    assert _refusal(control.update_rest_api, restApiId=made["id"], patchOperations=policy)[0] == 501
    assert len(control.get_rest_apis()["items"]) == 1
