"""Models and request validators: what a request is checked against, from the next deployment on."""

import json
import re
from typing import Any

from jsonschema import Draft4Validator
from jsonschema.exceptions import SchemaError
from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, Conflict, NotFound
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import Field, Patchable, patched, patches_of, truth
from emulation.gateway.control.state import State, one, page, refuse_while_used

_MODEL_NAME = re.compile(r"[a-zA-Z0-9]+")


def create_model(state: State, call: Call) -> Any:
    api, asked = state.api(call), call.body
    name = asked["name"]
    if not name:
        raise BadRequest("Model name must be non-empty")
    if not _MODEL_NAME.fullmatch(name):
        raise BadRequest(f"Model name must be alphanumeric: {name}")
    if name in api.models:
        raise Conflict("Model name already exists for this REST API")
    schema = _schema(asked.get("schema") or "")
    return api.add_model(name, asked.get("description"), schema, asked["contentType"]).to_json()


def _schema(text: str) -> str:
    """The text, which is a JSON schema of draft 4."""
    if not text:
        raise BadRequest("Model schema must have at least 1 property or array items defined")
    try:
        schema = json.loads(text)
        if not isinstance(schema, dict):
            raise TypeError("it is not an object")
        Draft4Validator.check_schema(schema)
    except (ValueError, TypeError, RecursionError, SchemaError) as error:
        told = "Validation Result: warnings : [], errors : [Invalid model schema specified]"
        raise BadRequest(f"Invalid model specified: {told}") from error
    return text


_MODEL: Patchable = {"/description": Field("description"), "/schema": Field("schema", _schema)}


def _model(state: State, call: Call) -> models.Model:
    api = state.backend.apis.get(call.path["restapi_id"])
    name = call.path["model_name"]
    if api is None or name not in api.models:
        raise NotFound(f"Invalid model name specified: {name}")
    return api.models[name]


def get_model(state: State, call: Call) -> Any:
    return _model(state, call).to_json()


def get_models(state: State, call: Call) -> Any:
    return page(call, [each.to_json() for each in state.api(call).models.values()])


def update_model(state: State, call: Call) -> Any:
    model = patched(_model(state, call), patches_of(call), _MODEL)
    state.api(call).models[model.name] = model
    return model.to_json()


def delete_model(state: State, call: Call) -> Any:
    model, api = _model(state, call), state.api(call)
    refuse_while_used(
        api,
        f"model '{model.name}', is referenced in method request",
        lambda method: model.name in (method.request_models or {}).values(),
    )
    del api.models[model.name]


def create_request_validator(state: State, call: Call) -> Any:
    asked = call.body
    if call.path["restapi_id"] not in state.backend.apis:
        raise BadRequest("Invalid REST API identifier specified")
    validator = state.api(call).create_request_validator(
        asked.get("name"),
        bool(asked.get("validateRequestBody")),
        bool(asked.get("validateRequestParameters")),
    )
    return validator.to_dict()


def _validator_name(text: str) -> str:
    if not text:
        raise BadRequest("Request Validator name cannot be blank")
    return text


_VALIDATOR: Patchable = {
    "/name": Field("name", _validator_name),
    "/validateRequestParameters": Field("validate_request_parameters", truth),
    "/validateRequestBody": Field("validate_request_body", truth),
}


def _validator(state: State, call: Call) -> models.RequestValidator:
    api = state.backend.apis.get(call.path["restapi_id"])
    return one(
        api.request_validators if api else {},
        call.path["requestvalidator_id"],
        "Request Validator identifier",
    )


def get_request_validator(state: State, call: Call) -> Any:
    return _validator(state, call).to_dict()


def get_request_validators(state: State, call: Call) -> Any:
    return page(call, [each.to_dict() for each in state.api(call).request_validators.values()])


def update_request_validator(state: State, call: Call) -> Any:
    validator = patched(_validator(state, call), patches_of(call), _VALIDATOR)
    state.api(call).request_validators[validator.id] = validator
    return validator.to_dict()


def delete_request_validator(state: State, call: Call) -> Any:
    validator, api = _validator(state, call), state.api(call)
    refuse_while_used(
        api,
        f"validator '{validator.name}', is referenced in method",
        lambda method: bool(method.request_validator_id == validator.id),
    )
    del api.request_validators[validator.id]


OPERATIONS = {
    "CreateModel": create_model,
    "CreateRequestValidator": create_request_validator,
    "DeleteModel": delete_model,
    "DeleteRequestValidator": delete_request_validator,
    "GetModel": get_model,
    "GetModels": get_models,
    "GetRequestValidator": get_request_validator,
    "GetRequestValidators": get_request_validators,
    "UpdateModel": update_model,
    "UpdateRequestValidator": update_request_validator,
}
