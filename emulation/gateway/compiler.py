"""Compiles an API, as moto's models have it, into the immutable snapshot that a deployment is.

The control plane calls it while it holds its lock.
"""

import json
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
from emulation.gateway.extensions import asked_headers
from emulation.gateway.fields import is_header, status_of
from emulation.gateway.patterns import compiled
from emulation.gateway.references import RequestMapping, source_of, uri_template
from emulation.gateway.routing import ANY, RoutingTable
from emulation.gateway.schemas import self_contained, validator_of

_DEFAULT_TIMEOUT_MS = 29_000
# Headers that no mapping may set: the service answers 500 where one does, even if a function never sees them.
_UNMAPPABLE = {
    IntegrationKind.AWS_PROXY: frozenset(
        [
            *("authorization", "connection", "content-length", "expect", "proxy-authenticate", "te"),
            "transfer-encoding",
        ]
    ),
    IntegrationKind.HTTP_PROXY: frozenset(["content-length", "transfer-encoding"]),
}


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
        added_headers=asked_headers(api),
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
        uri=uri_template(authorizer.authorizer_uri or ""),
        ttl_seconds=int(authorizer.authorizer_result_ttl or 0),
        identity_sources=tuple(map(source_of, sources)),
        # one of a REQUEST authorizer has no effect in the service either
        validation=compiled(expression) if expression and kind is AuthorizerKind.TOKEN else None,
    )


def _integration(integration: models.Integration | None) -> Integration:
    supported = {kind.value for kind in IntegrationKind}
    if integration is None or integration.integration_type not in supported:
        return Integration(kind=IntegrationKind.UNSUPPORTED)
    kind = IntegrationKind(integration.integration_type)
    verb = integration.http_method or ANY
    mapped = integration.request_parameters or {}
    if kind is IntegrationKind.AWS_PROXY and verb != "POST":  # Lambda answers nothing else
        return Integration(kind=IntegrationKind.UNSUPPORTED)
    headers = {name.lower() for name in _mapped_to("header", mapped)}
    if headers & _UNMAPPABLE.get(kind, frozenset()):
        return Integration(kind=IntegrationKind.UNSUPPORTED)
    return Integration(
        kind=kind,
        uri=uri_template(integration.uri or ""),
        verb=verb,
        mapping=_mapping(mapped) if kind is IntegrationKind.HTTP_PROXY else RequestMapping(),
        timeout_seconds=int(integration.timeout_in_millis or _DEFAULT_TIMEOUT_MS) / 1000,
        passthrough=Passthrough(integration.passthrough_behaviour or "WHEN_NO_MATCH"),
        request_templates=integration.request_templates or {},
        responses=tuple(_mock_response(each) for each in (integration.integration_responses or {}).values()),
    )


def _mapping(mapped: Mapping[str, str]) -> RequestMapping:
    headers, query, path = (
        {name: source_of(source) for name, source in _mapped_to(location, mapped).items()}
        for location in ("header", "querystring", "path")
    )
    return RequestMapping(headers=headers, query=query, path=path)


def _mapped_to(location: str, mapped: Mapping[str, str]) -> dict[str, str]:
    prefix = f"integration.request.{location}."
    return {
        target.removeprefix(prefix): source for target, source in mapped.items() if target.startswith(prefix)
    }


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
        selection=compiled(response.selection_pattern) if response.selection_pattern else None,
        headers=literals,
        templates={name: text or "" for name, text in response.response_templates.items()},
    )


def _gateway_response(response: models.GatewayResponse) -> GatewayResponse:
    return GatewayResponse(
        status=status_of(response.status_code) if response.status_code else None,
        parameters=response.response_parameters or {},
        templates=response.response_templates or {},
    )
