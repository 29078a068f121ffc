"""REST APIs: made, imported, updated and deleted."""

import copy
from typing import Any

from moto.apigateway import models

from emulation.gateway import imports
from emulation.gateway.control.answers import BadRequest, NotImitated
from emulation.gateway.control.api_settings import (
    ENDPOINT_TYPES,
    checked_compression_size,
    checked_endpoint,
    key_source,
)
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import (
    ALL,
    REPLACE_OR_REMOVE,
    Field,
    Patch,
    Patchable,
    apply,
    patches_of,
    truth,
    unescaped,
    unsupported,
)
from emulation.gateway.control.plans import detach
from emulation.gateway.control.state import State, page
from emulation.gateway.imports import Mode

# The models that every new API has, so that a method may name them.
_FIRST_MODELS = {
    "Empty": '{"$schema":"http://json-schema.org/draft-04/schema#","title":"Empty Schema","type":"object"}',
    "Error": '{"$schema":"http://json-schema.org/draft-04/schema#","title":"Error Schema","type":"object",'
    '"properties":{"message":{"type":"string"}}}',
}
# What the data plane would have to do and does not: an API that relies on it must not seem protected.
_NOT_IMITATED = ("cloneFrom", "policy", "disableExecuteApiEndpoint")


def create_rest_api(state: State, call: Call) -> Any:
    asked = call.body
    for name in _NOT_IMITATED:
        if asked.get(name):
            raise NotImitated(f"{name} is not imitated")
    if asked.get("description") == "":
        raise BadRequest("Description cannot be an empty string")
    settings: dict[str, Any] = {
        "api_key_source": asked.get("apiKeySource"),
        "endpoint_configuration": checked_endpoint(asked.get("endpointConfiguration")),
        "minimum_compression_size": checked_compression_size(asked.get("minimumCompressionSize")),
        "tags": asked.get("tags"),
    }
    api = state.backend.create_rest_api(asked["name"], asked.get("description"), **settings)
    api.version = asked.get("version")
    api.binaryMediaTypes = asked.get("binaryMediaTypes") or []
    for name, schema in _FIRST_MODELS.items():
        api.add_model(name, f"This is a default {name.lower()} schema model", schema, "application/json")
    return api.to_dict()


def import_rest_api(state: State, call: Call) -> Any:
    _check_import_settings(call)
    return imports.create_api(state.backend, call.body).to_dict()


def put_rest_api(state: State, call: Call) -> Any:
    _check_import_settings(call)
    mode = call.asked("mode") or "merge"
    if mode not in (each.value for each in Mode):
        raise BadRequest('Enumeration value of OpenAPI import mode must be "overwrite" or "merge"')
    state.api(call)
    return imports.put_api(state.backend, call.path["restapi_id"], call.body, mode=Mode(mode)).to_dict()


def _check_import_settings(call: Call) -> None:
    """`failonwarnings` may be either: whatever an import cannot do is an error here, never a warning."""
    if (call.asked("basepath") or "ignore") != "ignore":
        raise BadRequest("Invalid import parameter: of basepath's ways only ignore is imitated")
    if (call.asked("failonwarnings") or "false").lower() not in ("true", "false"):
        raise BadRequest("Invalid import parameter: failonwarnings is true or false")


def get_rest_api(state: State, call: Call) -> Any:
    return state.api(call).to_dict()


def get_rest_apis(state: State, call: Call) -> Any:
    return page(call, [api.to_dict() for api in state.backend.apis.values()])


def update_rest_api(state: State, call: Call) -> Any:
    changed = copy.copy(state.api(call))
    for patch in patches_of(call):
        _patch(changed, patch)
    state.backend.apis[changed.id] = changed
    return changed.to_dict()


def delete_rest_api(state: State, call: Call) -> Any:
    """Deletes the API with all it has, and takes its stages out of the usage plans."""
    api = state.api(call)
    for stage in api.stages:
        detach(state, api.id, stage)
    for key in [key for key in state.deployments if key[0] == api.id]:
        del state.deployments[key]
    del state.backend.apis[api.id]


def _name(text: str) -> str:
    if not text:
        raise BadRequest("Name cannot be empty")
    return text


_FIELDS: Patchable = {
    "/name": Field("name", _name),
    "/description": Field("description", ops=REPLACE_OR_REMOVE),
    "/version": Field("version"),
    "/apiKeySource": Field("api_key_source", key_source),
    "/minimumCompressionSize": Field(
        "minimum_compression_size", lambda text: checked_compression_size(text or None)
    ),
}


def _patch(api: models.RestAPI, patch: Patch) -> None:
    group, _, name = patch.path.removeprefix("/").partition("/")
    if group == "binaryMediaTypes" and name and patch.op in ALL:
        others = [each for each in api.binaryMediaTypes if each != unescaped(name)]
        added = {"add": [unescaped(name)], "replace": [patch.text()], "remove": []}[patch.op]
        api.binaryMediaTypes = others + added
    elif patch.path.startswith("/endpointConfiguration/types") and patch.op == "replace":
        if patch.value not in ENDPOINT_TYPES:
            told = f"Valid options are {','.join(ENDPOINT_TYPES)}"
            raise BadRequest(f"Invalid EndpointTypes specified. {told}")
        api.endpoint_configuration = {**api.endpoint_configuration, "types": [patch.value]}
    elif patch.path == "/disableExecuteApiEndpoint" and not truth(patch.text()):
        api.disableExecuteApiEndpoint = False
    elif patch.path == "/policy" and not patch.value:
        api.policy = None
    elif patch.path in ("/disableExecuteApiEndpoint", "/policy"):
        raise NotImitated(f"{patch.path[1:]} is not imitated")
    elif group == "binaryMediaTypes":
        raise BadRequest(f"Invalid patch path {patch.path}")
    elif patch.path not in _FIELDS:
        raise unsupported(patch, _FIELDS)
    else:
        apply(api, patch, _FIELDS)


OPERATIONS = {
    "CreateRestApi": create_rest_api,
    "DeleteRestApi": delete_rest_api,
    "GetRestApi": get_rest_api,
    "GetRestApis": get_rest_apis,
    "ImportRestApi": import_rest_api,
    "PutRestApi": put_rest_api,
    "UpdateRestApi": update_rest_api,
}
