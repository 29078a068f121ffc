"""Methods of resources, and the responses that they declare."""

from collections.abc import Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, Conflict
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import (
    REPLACE_OR_REMOVE,
    Entries,
    Field,
    Patchable,
    Replaces,
    patched,
    patches_of,
    truth,
)
from emulation.gateway.control.state import State, one

_Method: Any = models.Method  # abstract to a type checker
_VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
_LOCATIONS = ("path", "querystring", "header")
AUTHORIZED = ("CUSTOM", "COGNITO_USER_POOLS")  # by an authorizer
_AUTHORIZATIONS = ("NONE", "AWS_IAM", *AUTHORIZED)
_METHOD: Patchable = {
    "/apiKeyRequired": Field("api_key_required", truth),
    "/authorizationType": Field("authorization_type"),
    "/authorizerId": Field("authorizer_id", ops=REPLACE_OR_REMOVE),
    "/operationName": Field("operation_name", ops=REPLACE_OR_REMOVE),
    "/requestValidatorId": Field("request_validator_id", ops=REPLACE_OR_REMOVE),
    "/requestParameters": Entries("request_parameters", truth),
    "/requestModels": Entries("request_models"),
}
_RESPONSE: Patchable = {
    "/responseParameters": Entries("response_parameters", truth, Replaces.EXISTING),
    "/responseModels": Entries("response_models", str, Replaces.EXISTING),
}


def put_method(state: State, call: Call) -> Any:
    resource, verb = state.resource(call), call.path["http_method"]
    if verb not in _VERBS:
        raise BadRequest(f"Invalid HttpMethod specified. Valid options are {','.join(_VERBS)}")
    if verb in resource.resource_methods:
        raise Conflict("Method already exists for this resource")
    return add_method(state.api(call), resource, verb, call.body).to_json()


def add_method(
    api: models.RestAPI, resource: models.Resource, verb: str, asked: Mapping[str, Any]
) -> models.Method:
    """The resource's method of that verb, made as is asked by the names on the wire; or a Refusal."""
    method: models.Method = _Method(
        verb,
        asked["authorizationType"],
        authorizer_id=asked.get("authorizerId"),
        authorization_scopes=asked.get("authorizationScopes"),
        api_key_required=asked.get("apiKeyRequired"),
        request_parameters=asked.get("requestParameters"),
        request_models=asked.get("requestModels"),
        operation_name=asked.get("operationName"),
        request_validator_id=asked.get("requestValidatorId"),
    )
    _check_method(api, method)
    resource.resource_methods[verb] = method
    return method


def _check_method(api: models.RestAPI, method: models.Method) -> None:
    if method.authorization_type not in _AUTHORIZATIONS:
        raise BadRequest(f"Invalid authorization type. Valid options are {','.join(_AUTHORIZATIONS)}")
    if method.authorization_type in AUTHORIZED and method.authorizer_id not in api.authorizers:
        told = f"Setting the authorization type to {' or '.join(AUTHORIZED)} requires a valid authorizer."
        raise BadRequest(f"Invalid authorizer ID specified. {told}")
    if method.request_validator_id and method.request_validator_id not in api.request_validators:
        raise BadRequest("Invalid Request Validator identifier specified")
    for name in (method.request_models or {}).values():
        if name not in api.models:
            raise BadRequest(f"Invalid model identifier specified: {name}")
    _check_parameters(method.request_parameters or {})


def _check_parameters(parameters: Mapping[str, bool]) -> None:
    bare = []
    for parameter in parameters:
        location, _, name = parameter.removeprefix("method.request.").partition(".")
        if not parameter.startswith("method.request.") or location not in _LOCATIONS or not name:
            told = f"Invalid mapping expression specified: {parameter}"
            raise BadRequest(f"{told}: Validation Result: warnings : [], errors : [{told}]")
        bare.append(name)
    if len(set(bare)) < len(bare):
        raise BadRequest("Parameter names must be unique across querystring, header and path")


def get_method(state: State, call: Call) -> Any:
    return state.method(call).to_json()


def update_method(state: State, call: Call) -> Any:
    """The method changed; the deployments made so far do not see it."""
    method = patched(state.method(call), patches_of(call), _METHOD)
    _check_method(state.api(call), method)
    state.resource(call).resource_methods[method.http_method] = method
    return method.to_json()


def delete_method(state: State, call: Call) -> Any:
    del state.resource(call).resource_methods[state.method(call).http_method]


def put_method_response(state: State, call: Call) -> Any:
    method, status = state.method(call), call.path["status_code"]
    if status in method.method_responses:
        raise Conflict("Response already exists for this resource")
    parameters, named = call.body.get("responseParameters"), call.body.get("responseModels")
    _check_models(state, call, named or {})
    return method.create_response(status, named, parameters).to_json()


def _check_models(state: State, call: Call, named: Mapping[str, str]) -> None:
    for name in named.values():
        if name not in state.api(call).models:
            raise BadRequest(f"Invalid model identifier specified: {name}")


def _response(state: State, call: Call) -> models.MethodResponse:
    return one(state.method(call).method_responses, call.path["status_code"], "Response status code")


def get_method_response(state: State, call: Call) -> Any:
    return _response(state, call).to_json()


def update_method_response(state: State, call: Call) -> Any:
    response = patched(_response(state, call), patches_of(call), _RESPONSE)
    _check_models(state, call, response.response_models or {})
    state.method(call).method_responses[response.status_code] = response
    return response.to_json()


def delete_method_response(state: State, call: Call) -> Any:
    del state.method(call).method_responses[_response(state, call).status_code]


OPERATIONS = {
    "DeleteMethod": delete_method,
    "DeleteMethodResponse": delete_method_response,
    "GetMethod": get_method,
    "GetMethodResponse": get_method_response,
    "PutMethod": put_method,
    "PutMethodResponse": put_method_response,
    "UpdateMethod": update_method,
    "UpdateMethodResponse": update_method_response,
}
