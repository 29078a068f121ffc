"""Compiles an API, as moto's models have it, into the immutable snapshot that a deployment is.

The control plane calls it while it holds its lock.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from jsonschema.protocols import Validator
from moto.apigateway import models

from emulation.gateway.api import (
    Authorization,
    Authorizer,
    AuthorizerKind,
    Deployment,
    GatewayResponse,
    Integration,
    IntegrationKind,
    KeySource,
    Method,
    MockResponse,
    Parameter,
    Passthrough,
)
from emulation.gateway.fields import is_header, status_of
from emulation.gateway.routing import RoutingTable
from emulation.gateway.schemas import self_contained, validator_of

_FUNCTION_URI = re.compile(
    r"arn:aws:apigateway:[^:]+:lambda:path/[^/]+/functions/arn:aws:lambda:.*:function:([^:/]+)"
)
_DEFAULT_TIMEOUT_MS = 29_000


def compile_deployment(api: models.RestAPI, deployment_id: str) -> Deployment:
    """A snapshot of the API as it is now."""
    authorizers = {
        each.id: _authorizer(each) for each in api.authorizers.values() if each.type != "COGNITO_USER_POOLS"
    }
    routes = [
        (resource.get_path(), verb, _method(api, resource, method, authorizers))
        for resource in api.resources.values()
        for verb, method in resource.resource_methods.items()
    ]
    return Deployment(
        api_id=api.id,
        deployment_id=deployment_id,
        key_source=KeySource(api.api_key_source),
        binary_media_types=frozenset(each.lower() for each in api.binaryMediaTypes),
        routes=RoutingTable(routes),
        gateway_responses={name: _gateway_response(each) for name, each in api.gateway_responses.items()},
    )


def _method(
    api: models.RestAPI,
    resource: models.Resource,
    method: models.Method,
    authorizers: Mapping[str | None, Authorizer],
) -> Method:
    validator = api.request_validators.get(method.request_validator_id or "")
    validates_parameters = validator is not None and bool(validator.validate_request_parameters)
    validates_body = validator is not None and bool(validator.validate_request_body)
    required = [name for name, needed in (method.request_parameters or {}).items() if _true(needed)]
    return Method(
        verb=method.http_method,
        resource_id=resource.id,
        resource_path=resource.get_path(),
        authorization=_authorization(method.authorization_type),
        authorizer=authorizers.get(method.authorizer_id),
        api_key_required=_true(method.api_key_required),
        required_parameters=tuple(map(_parameter, required)) if validates_parameters else (),
        body_validators=_body_validators(api, method.request_models or {}) if validates_body else {},
        integration=_integration(method.method_integration),
    )


def _authorization(declared: str | None) -> Authorization:
    known = {None: Authorization.NONE, "NONE": Authorization.NONE, "CUSTOM": Authorization.CUSTOM}
    return known.get(declared, Authorization.UNSUPPORTED)


def _true(value: Any) -> bool:
    return str(value).lower() == "true"


def _parameter(name: str) -> Parameter:
    location, _, bare = name.removeprefix("method.request.").partition(".")
    return Parameter(location, bare)


def _body_validators(api: models.RestAPI, request_models: Mapping[str, str]) -> dict[str, Validator]:
    schemas = {name: json.loads(model.schema) for name, model in api.models.items() if model.schema}
    return {
        media_type.lower(): validator_of(self_contained(schemas[name], schemas))
        for media_type, name in request_models.items()
        if name in schemas
    }


def _authorizer(authorizer: models.Authorizer) -> Authorizer:
    expression = authorizer.identity_validation_expression
    sources = tuple(each.strip() for each in (authorizer.identity_source or "").split(",") if each.strip())
    kind = AuthorizerKind(authorizer.type)
    if kind is AuthorizerKind.TOKEN and not sources:
        sources = ("method.request.header.Authorization",)
    return Authorizer(
        authorizer_id=str(authorizer.id),
        kind=kind,
        function=_function(authorizer.authorizer_uri),
        ttl_seconds=int(authorizer.authorizer_result_ttl or 0),
        identity_sources=sources,
        # one of a REQUEST authorizer has no effect in the service either
        validation=re.compile(expression) if expression and kind is AuthorizerKind.TOKEN else None,
    )


def _function(uri: str | None) -> str | None:
    found = _FUNCTION_URI.match(uri or "")
    return found[1] if found else None


def _integration(integration: models.Integration | None) -> Integration:
    supported = {kind.value for kind in IntegrationKind}
    if integration is None or integration.integration_type not in supported:
        return Integration(kind=IntegrationKind.UNSUPPORTED)
    return Integration(
        kind=IntegrationKind(integration.integration_type),
        function=_function(integration.uri),
        timeout_seconds=int(integration.timeout_in_millis or _DEFAULT_TIMEOUT_MS) / 1000,
        passthrough=Passthrough(integration.passthrough_behaviour or "WHEN_NO_MATCH"),
        request_templates=integration.request_templates or {},
        responses=tuple(_mock_response(each) for each in (integration.integration_responses or {}).values()),
    )


def _mock_response(response: models.IntegrationResponse) -> MockResponse:
    literals = {
        name.removeprefix("method.response.header."): source[1:-1]
        for name, source in (response.response_parameters or {}).items()
        if len(source) >= 2 and source[0] == source[-1] == "'"
    }
    if not all(is_header(*literal) for literal in literals.items()):
        raise ValueError(f"{literals} are not all headers")
    return MockResponse(
        status=status_of(response.status_code),
        selection=re.compile(response.selection_pattern) if response.selection_pattern else None,
        headers=literals,
        templates={name: text or "" for name, text in response.response_templates.items()},
    )


def _gateway_response(response: models.GatewayResponse) -> GatewayResponse:
    return GatewayResponse(
        status=status_of(response.status_code) if response.status_code else None,
        parameters=response.response_parameters or {},
        templates=response.response_templates or {},
    )
