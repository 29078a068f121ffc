"""Gateway responses: the API's own, and the defaults of the types that it leaves alone.

A type that is not customised shows what DEFAULT_4XX or DEFAULT_5XX make of it, as the service tells it.
"""

import copy
import re
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, NotFound
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import Entries, Field, Patchable, Replaces, patched, patches_of
from emulation.gateway.control.state import State

_GatewayResponse: Any = models.GatewayResponse  # its status may be None
_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
# By type, with the status that it has by itself.
KINDS = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}


def _status(text: str) -> str:
    if not re.fullmatch(r"[1-5]\d\d", text):
        raise BadRequest(f"Invalid status code specified: {text}")
    return text


_FIELDS: Patchable = {
    "/statusCode": Field("status_code", _status),
    "/responseParameters": Entries("response_parameters", replaces=Replaces.EXISTING),
    "/responseTemplates": Entries("response_templates", replaces=Replaces.EXISTING),
}


def put_gateway_response(state: State, call: Call) -> Any:
    asked, kind = call.body, call.path["response_type"]
    api = state.api(call)
    api.put_gateway_response(
        kind, asked.get("statusCode"), asked.get("responseParameters"), asked.get("responseTemplates")
    )
    return _told(api, kind)


def get_gateway_response(state: State, call: Call) -> Any:
    return _told(state.api(call), call.path["response_type"])


def get_gateway_responses(state: State, call: Call) -> Any:
    """All of them: the service does not page these."""
    api = state.api(call)
    return {"item": [_told(api, kind) for kind in KINDS]}


def update_gateway_response(state: State, call: Call) -> Any:
    """The response changed, or the type's default customised; a template as in the default is not kept."""
    api, kind = state.api(call), call.path["response_type"]
    before = copy.copy(api.gateway_responses.get(kind) or _GatewayResponse(kind, None, {}, {}))
    before.response_templates = before.response_templates or _TEMPLATES
    response = patched(before, patches_of(call), _FIELDS)
    if response.response_templates == _TEMPLATES:
        response.response_templates = {}
    api.gateway_responses[kind] = response
    return _told(api, kind)


def delete_gateway_response(state: State, call: Call) -> Any:
    api, kind = state.api(call), call.path["response_type"]
    if kind not in api.gateway_responses:
        raise NotFound("Gateway response type not defined on api")
    del api.gateway_responses[kind]


def _told(api: models.RestAPI, kind: str) -> dict[str, Any]:
    own = api.gateway_responses.get(kind)
    general = "DEFAULT_5XX" if (KINDS[kind] or 0) >= 500 else "DEFAULT_4XX"
    shown = own or api.gateway_responses.get(general)
    status = (shown and shown.status_code) or KINDS[kind]
    return {
        "responseType": kind,
        "defaultResponse": own is None,
        "responseParameters": (shown and shown.response_parameters) or {},
        "responseTemplates": (shown and shown.response_templates) or _TEMPLATES,
        **({} if status is None else {"statusCode": str(status)}),
    }


OPERATIONS = {
    "DeleteGatewayResponse": delete_gateway_response,
    "GetGatewayResponse": get_gateway_response,
    "GetGatewayResponses": get_gateway_responses,
    "PutGatewayResponse": put_gateway_response,
    "UpdateGatewayResponse": update_gateway_response,
}
