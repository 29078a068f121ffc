"""Every operation of the service: it works here, or it says that it does not."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import Shape

from tests.gateway import apis
from tests.gateway.conftest import SESSION, Stack
from tests.gateway.outcomes import NOT_IMITATED, OUTCOMES, WORKS

MODEL: Any = SESSION.client("apigateway").meta.service_model


def test_every_operation_of_the_service_is_in_the_table() -> None:
    assert sorted(OUTCOMES) == sorted(MODEL.operation_names)


def _made_up(shape: Shape | None) -> Any:
    """The least that the SDK lets pass."""
    if shape is None:
        return {}
    kind: Any = shape
    if shape.type_name == "structure":
        return {name: _made_up(kind.members[name]) for name in kind.required_members}
    if shape.type_name == "string":
        return kind.enum[0] if kind.enum else "x"
    return {"map": {}, "list": [], "integer": 1, "boolean": True, "blob": b"{}"}[shape.type_name]


def _ask(stack: Stack, operation: str) -> tuple[int, str]:
    """The status, and the code of the error."""
    call = getattr(stack.apigateway, xform_name(operation))
    try:
        answer = call(**_made_up(MODEL.operation_model(operation).input_shape))
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Message"] not in ("", "Unknown")
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer.get("Error", {}).get("Code", "")


@pytest.mark.parametrize("operation", NOT_IMITATED)
def test_an_operation_that_is_not_imitated_says_so(stack: Stack, operation: str) -> None:
    assert _ask(stack, operation) == (501, "NotImplementedException")


@pytest.mark.parametrize("operation", WORKS)
def test_an_operation_does_not_fail_when_it_is_asked_about_what_is_not_there(
    stack: Stack, operation: str
) -> None:
    status, _ = _ask(stack, operation)
    assert status < 500


def test_a_path_that_no_operation_has_is_answered_as_the_service_does(stack: Stack) -> None:
    answer = stack.http.get("/restapis/x/nothing")
    assert (answer.status_code, answer.json()) == (403, {"message": "Missing Authentication Token"})


def test_the_other_version_of_the_service_says_that_it_is_not_imitated(stack: Stack) -> None:
    other: Any = SESSION.client("apigatewayv2", endpoint_url=stack.url)
    with pytest.raises(ClientError) as refused:
        other.create_api(Name="http", ProtocolType="HTTP")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@dataclass(frozen=True, slots=True)
class Everything:
    """One of each, and what is told of all of them."""

    stack: Stack
    named: dict[str, Any]

    def told(self) -> str:
        control: Any = self.stack.apigateway
        api = {"restApiId": self.named["restApiId"]}
        reads = (
            control.get_rest_apis(),
            control.get_resources(**api, embed=["methods"]),
            *(getattr(control, f"get_{each}")(**api) for each in ("models", "authorizers", "stages")),
            *(getattr(control, f"get_{each}")(**api) for each in ("deployments", "request_validators")),
            control.get_gateway_responses(**api),
            control.get_usage_plans(),
            control.get_api_keys(includeValues=True),
            control.get_usage_plan_keys(usagePlanId=self.named["usagePlanId"]),
            control.get_account(),
        )
        texts = [{**read, "ResponseMetadata": None} for read in reads]
        return json.dumps(texts, default=str, sort_keys=True)


@pytest.fixture
def everything(stack: Stack) -> Everything:
    control: Any = stack.apigateway
    schemes = {"auth": apis.authorizer_scheme(), "api_key": apis.API_KEY_SCHEME}
    body = apis.document(
        {"/a": {"get": apis.operation(security=[{"auth": [], "api_key": []}])}},
        components={"securitySchemes": schemes, "schemas": {"Thing": {"type": "object"}}},
        **{"x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True}}},
    )
    api = apis.imported(stack, body)
    named = {"restApiId": api.api_id, "resourceId": api.resource_id("/a"), "httpMethod": "GET"}
    control.put_integration_response(**named, statusCode="200")
    plan = api.plan(throttle={"rateLimit": 5, "burstLimit": 5}, quota={"limit": 5, "period": "DAY"})
    first = {"restApiId": api.api_id}
    return Everything(
        stack,
        {
            **named,
            "statusCode": "200",
            "modelName": "Thing",
            "authorizerId": control.get_authorizers(**first)["items"][0]["id"],
            "requestValidatorId": control.get_request_validators(**first)["items"][0]["id"],
            "deploymentId": control.get_deployments(**first)["items"][0]["id"],
            "stageName": "test",
            "responseType": "THROTTLED",
            "usagePlanId": plan,
            "apiKey": apis.key_in(stack, plan),
        },
    )


def _replace(path: str, value: str) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": value}


# By operation: one that can be applied, and one that cannot because of its value or its path's last part.
PATCHES = {
    "UpdateRestApi": (_replace("/name", "new"), _replace("/minimumCompressionSize", "-1")),
    "UpdateResource": (_replace("/pathPart", "new"), _replace("/parentId", "nobody")),
    "UpdateMethod": (_replace("/apiKeyRequired", "false"), _replace("/authorizerId", "nobody")),
    "UpdateMethodResponse": (
        {"op": "add", "path": "/responseParameters/method.response.header.X", "value": "true"},
        {"op": "remove", "path": "/responseParameters/method.response.header.None"},
    ),
    "UpdateIntegration": (_replace("/uri", apis.function_uri("x")), _replace("/timeoutInMillis", "49")),
    "UpdateIntegrationResponse": (
        _replace("/selectionPattern", "x"),
        {"op": "remove", "path": "/responseTemplates/application~1json"},
    ),
    "UpdateModel": (_replace("/description", "new"), _replace("/schema", "{")),
    "UpdateRequestValidator": (_replace("/validateRequestBody", "false"), _replace("/name", "")),
    "UpdateAuthorizer": (_replace("/name", "new"), _replace("/authorizerResultTtlInSeconds", "3601")),
    "UpdateGatewayResponse": (_replace("/statusCode", "430"), _replace("/statusCode", "now")),
    "UpdateDeployment": (_replace("/description", "new"), _replace("/stageName", "new")),
    "UpdateStage": (_replace("/variables/x", "1"), _replace("/deploymentId", "nobody")),
    "UpdateUsagePlan": (_replace("/name", "new"), _replace("/quota/period", "YEAR")),
    "UpdateApiKey": (_replace("/name", "new"), _replace("/description", "d" * 125_001)),
    "UpdateAccount": (_replace("/cloudwatchRoleArn", "arn:x"), {"op": "remove", "path": "/features"}),
}


def test_every_update_is_tried() -> None:
    assert set(PATCHES) == {each for each in WORKS if each.startswith("Update")} - {"UpdateUsage"}


BAD_PATCHES: list[Any] = [
    _replace("/nothing", "1"),
    _replace("", "1"),
    {"op": "move", "path": "/name", "from": "/description"},
    {"op": "wrong", "path": "/name", "value": "1"},
    {"op": "replace", "value": "1"},
]


@pytest.mark.parametrize("operation", PATCHES)
def test_nothing_has_changed_when_one_of_an_updates_patches_is_refused(
    everything: Everything, operation: str
) -> None:
    good, bad = PATCHES[operation]
    members = MODEL.operation_model(operation).input_shape.members
    named = {name: value for name, value in everything.named.items() if name in members}
    update = getattr(everything.stack.apigateway, xform_name(operation))
    before = everything.told()
    for patch in [bad, *BAD_PATCHES]:
        with pytest.raises(ClientError) as refused:
            update(**named, patchOperations=[good, patch])
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 404)
        assert everything.told() == before
    update(**named, patchOperations=[good])
    assert everything.told() != before


MALFORMED = ["{", "[]", '"text"', "[" * 100_000]
MALFORMED_PATCHES = [
    5,
    [5],
    [{"op": "replace", "path": 5, "value": "x"}],
    [{"op": "replace", "path": "/name", "value": {}}],
]
WITH_BODY = [
    name
    for name in WORKS
    if name.startswith(("Create", "Put", "Update", "Tag", "Import")) and name != "UpdateUsage"
]


def _malformed(operation: str) -> list[str]:
    """Bodies that are not JSON objects, and those with a member of another type than is published."""
    if operation.startswith("Update"):
        return MALFORMED + [json.dumps({"patchOperations": each}) for each in MALFORMED_PATCHES]
    shape = MODEL.operation_model(operation).input_shape
    least = {name: value for name, value in _made_up(shape).items() if not isinstance(value, bytes)}
    own = {
        member.serialization.get("name", name): member.type_name
        for name, member in shape.members.items()
        if not member.serialization.get("location") and member.type_name != "blob"
    }
    return MALFORMED + [
        json.dumps({**least, name: [] if type_name == "structure" else {"x": [5]}})
        for name, type_name in own.items()
    ]


@pytest.mark.parametrize("operation", WITH_BODY)
def test_nothing_has_changed_when_a_body_is_malformed(everything: Everything, operation: str) -> None:
    model = MODEL.operation_model(operation)
    uri = model.http["requestUri"]
    for name, member in model.input_shape.members.items():
        value = everything.named.get(name) or everything.named["resourceId"]
        uri = uri.replace(f"{{{member.serialization.get('name', name)}}}", value)
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=test/1/us-east-1/apigateway/aws4_request"}
    before = everything.told()
    for body in _malformed(operation):
        answer = everything.stack.http.request(model.http["method"], uri, content=body, headers=signed)
        assert (answer.status_code, bool(answer.json()["message"])) == (400, True), body
    assert everything.told() == before
