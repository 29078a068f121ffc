"""Integrations of methods, and what they make of an answer."""

import re
from collections.abc import Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, NotFound, NotImitated
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import (
    REPLACE_OR_REMOVE,
    Entries,
    Field,
    Patchable,
    Replaces,
    patched,
    patches_of,
)
from emulation.gateway.control.state import State, one

TIMEOUTS_MS = range(50, 29_001)
_Integration: Any = models.Integration  # it takes more than its annotations say
_KINDS = ("HTTP", "HTTP_PROXY", "AWS", "AWS_PROXY", "MOCK")
_SERVICE_URI = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:(?P<service>[\w.-]+):(path|action)/")
# What the data plane cannot do, by the setting that asks for it.
_NOT_IMITATED = {"connectionType": "VPC_LINK", "responseTransferMode": "STREAM"}
_PASSTHROUGHS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_INTEGRATION: Patchable = {
    "/uri": Field("uri"),
    "/httpMethod": Field("http_method"),
    "/timeoutInMillis": Field("timeout_in_millis", int),
    "/passthroughBehavior": Field("passthrough_behaviour"),
    "/contentHandling": Field("content_handling", ops=REPLACE_OR_REMOVE),
    "/credentials": Field("credentials", ops=REPLACE_OR_REMOVE),
    "/requestTemplates": Entries("request_templates"),
    "/requestParameters": Entries("request_parameters"),
}
_RESPONSE: Patchable = {
    "/selectionPattern": Field("selection_pattern", ops=REPLACE_OR_REMOVE),
    "/contentHandling": Field("content_handling", ops=REPLACE_OR_REMOVE),
    "/responseTemplates": Entries("response_templates", replaces=Replaces.EXISTING),
    "/responseParameters": Entries("response_parameters", replaces=Replaces.EXISTING),
}


def put_integration(state: State, call: Call) -> Any:
    return integrate(state.method(call), call.body, cache_namespace=call.path["resource_id"]).to_json()


def integrate(method: models.Method, asked: Mapping[str, Any], *, cache_namespace: str) -> models.Integration:
    """The method with the integration that is asked for, by its names on the wire; or a Refusal."""
    for name, value in _NOT_IMITATED.items():
        if asked.get(name) == value:
            raise NotImitated(f"{name} {value} is not imitated")
    timeout_ms = asked.get("timeoutInMillis")
    integration: models.Integration = _Integration(
        asked["type"],
        asked.get("uri"),
        asked.get("httpMethod"),
        request_templates=asked.get("requestTemplates"),
        passthrough_behavior=asked.get("passthroughBehavior") or "WHEN_NO_MATCH",
        cache_key_parameters=asked.get("cacheKeyParameters"),
        tls_config=asked.get("tlsConfig"),
        cache_namespace=asked.get("cacheNamespace") or cache_namespace,
        timeout_in_millis=TIMEOUTS_MS[-1] if timeout_ms is None else int(timeout_ms),
        request_parameters=asked.get("requestParameters"),
        content_handling=asked.get("contentHandling"),
        credentials=asked.get("credentials"),
        connection_type=asked.get("connectionType"),
    )
    _check(integration)
    method.method_integration = integration
    return integration


def _check(integration: models.Integration) -> None:
    kind, uri = integration.integration_type, integration.uri or ""
    if int(integration.timeout_in_millis or 0) not in TIMEOUTS_MS:
        raise BadRequest(f"Timeout should be between {TIMEOUTS_MS[0]} ms and {TIMEOUTS_MS[-1]} ms")
    if integration.passthrough_behaviour not in _PASSTHROUGHS:
        raise BadRequest(f"Invalid passthroughBehavior. Valid options are {','.join(_PASSTHROUGHS)}")
    if kind not in _KINDS:
        raise BadRequest(f"Invalid integration type. Valid options are {','.join(_KINDS)}")
    if kind != "MOCK" and not integration.http_method:
        raise BadRequest("Enumeration value for HttpMethod must be non-empty")
    if kind in ("HTTP", "HTTP_PROXY") and not re.match(r"[a-z][a-z0-9+.-]*://[^/]", _without_variables(uri)):
        raise BadRequest("Invalid HTTP endpoint specified for URI")
    if kind in ("AWS", "AWS_PROXY"):
        _check_service(kind, uri)


def _check_service(kind: str, uri: str) -> None:
    found = _SERVICE_URI.match(uri)
    if not uri.startswith("arn:"):
        raise BadRequest("Invalid ARN specified in the request")
    if found is None:
        raise BadRequest("AWS ARN for integration must contain path or action")
    if kind == "AWS_PROXY" and found["service"] not in ("lambda", "firehose"):
        told = "currently only supports Lambda function and Firehose stream invocations."
        raise BadRequest(f"Integrations of type 'AWS_PROXY' {told}")


def _without_variables(uri: str) -> str:
    """The address with something in the place of each stage variable; one may be the whole address.

    >>> _without_variables("https://${stageVariables.host}/a"), _without_variables("${stageVariables.url}")
    ('https://x/a', 'https://x')
    """
    replaced = re.sub(r"\$\{stageVariables\.\w+\}", "x", uri)
    return f"https://{replaced}" if uri.startswith("${") else replaced


def _integration(state: State, call: Call) -> models.Integration:
    integration = state.method(call).method_integration
    if integration is None:
        raise NotFound("Invalid Integration identifier specified")
    return integration


def get_integration(state: State, call: Call) -> Any:
    return _integration(state, call).to_json()


def update_integration(state: State, call: Call) -> Any:
    integration = patched(_integration(state, call), patches_of(call), _INTEGRATION)
    _check(integration)
    state.method(call).method_integration = integration
    return integration.to_json()


def delete_integration(state: State, call: Call) -> Any:
    _integration(state, call)
    state.method(call).method_integration = None


def put_integration_response(state: State, call: Call) -> Any:
    asked = call.body
    response = _integration(state, call).create_integration_response(
        call.path["status_code"],
        asked.get("selectionPattern"),
        dict(asked.get("responseTemplates") or {}),
        asked.get("responseParameters"),
        asked.get("contentHandling"),
    )
    return response.to_json()


def _responses(state: State, call: Call) -> dict[str, models.IntegrationResponse]:
    return _integration(state, call).integration_responses or {}


def _response(state: State, call: Call) -> models.IntegrationResponse:
    return one(_responses(state, call), call.path["status_code"], "Response status code")


def get_integration_response(state: State, call: Call) -> Any:
    return _response(state, call).to_json()


def update_integration_response(state: State, call: Call) -> Any:
    response = patched(_response(state, call), patches_of(call), _RESPONSE)
    _responses(state, call)[str(response.status_code)] = response
    return response.to_json()


def delete_integration_response(state: State, call: Call) -> Any:
    del _responses(state, call)[str(_response(state, call).status_code)]


OPERATIONS = {
    "DeleteIntegration": delete_integration,
    "DeleteIntegrationResponse": delete_integration_response,
    "GetIntegration": get_integration,
    "GetIntegrationResponse": get_integration_response,
    "PutIntegration": put_integration,
    "PutIntegrationResponse": put_integration_response,
    "UpdateIntegration": update_integration,
    "UpdateIntegrationResponse": update_integration_response,
}
