"""An OpenAPI 3.0 document in JSON with `x-amazon-apigateway-*` extensions, put into an API.

moto's own import drops key requirements, authorizers, models, validators and gateway responses; this one
keeps them. It fills moto's models directly, so that reading the API back shows what was imported.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from moto.apigateway import models

from emulation.gateway.schemas import referred, self_contained

Document: TypeAlias = Mapping[str, Any]
_VERBS = frozenset(["get", "put", "post", "delete", "options", "head", "patch"])
_ANY = "x-amazon-apigateway-any-method"
_LOCATIONS = {"header": "header", "query": "querystring", "path": "path"}
DEFAULT_TTL_SECONDS = 300  # the service's own, for an authorizer that does not say


class InvalidDocument(Exception):
    """The document cannot be imported."""


def fill(backend: models.APIGatewayBackend, api: models.RestAPI, document: Document) -> None:
    """Adds the document to the API; a method that both have is the document's."""
    api.version = (document.get("info") or {}).get("version", api.version)
    api.api_key_source = document.get("x-amazon-apigateway-api-key-source", api.api_key_source)
    api.binaryMediaTypes = document.get("x-amazon-apigateway-binary-media-types", api.binaryMediaTypes)
    _Import(backend, api, document).run()


class _Import:
    """One document on its way into one API."""

    def __init__(self, backend: models.APIGatewayBackend, api: models.RestAPI, document: Document) -> None:
        self._backend = backend
        self._api = api
        self._document = document
        self._components: Document = document.get("components") or {}
        self._authorizers: dict[str, models.Authorizer] = {}
        self._validators: dict[str, models.RequestValidator] = {}

    def run(self) -> None:
        self._add_models()
        self._add_authorizers()
        self._add_validators()
        for name, declared in (self._document.get("x-amazon-apigateway-gateway-responses") or {}).items():
            status = declared.get("statusCode")
            told: Any = None if status is None else str(status)  # as PutGatewayResponse hands it over
            parameters, templates = declared.get("responseParameters"), declared.get("responseTemplates")
            self._api.put_gateway_response(name, told, parameters, templates)
        for path, item in (self._document.get("paths") or {}).items():
            resource = self._resource(path)
            for verb, operation in _operations(item):
                self._add_method(resource, verb, operation, item.get("parameters") or [])

    def _add_models(self) -> None:
        schemas = self._components.get("schemas") or {}
        for name, schema in schemas.items():
            text = json.dumps(self_contained(schema, schemas))
            self._api.add_model(name, schema.get("description", ""), text, "application/json")

    def _add_authorizers(self) -> None:
        for name, scheme in (self._components.get("securitySchemes") or {}).items():
            declared = scheme.get("x-amazon-apigateway-authorizer")
            if declared is None:
                continue
            source = declared.get("identitySource")
            if source is None and declared.get("type") == "token":
                source = f"method.request.header.{scheme.get('name', 'Authorization')}"
            authorizer = self._backend.create_authorizer(
                self._api.id,
                name,
                str(declared.get("type", "token")).upper(),
                authorizer_uri=declared.get("authorizerUri"),
                authorizer_credentials=declared.get("authorizerCredentials"),
                auth_type=scheme.get("x-amazon-apigateway-authtype"),
                identity_source=source,
                authorizer_result_ttl=declared.get("authorizerResultTtlInSeconds", DEFAULT_TTL_SECONDS),
            )
            # create_authorizer loses it on the way, by a misspelt keyword
            authorizer.identity_validation_expression = declared.get("identityValidationExpression")
            self._authorizers[name] = authorizer

    def _add_validators(self) -> None:
        for name, declared in (self._document.get("x-amazon-apigateway-request-validators") or {}).items():
            self._validators[name] = self._api.create_request_validator(
                name,
                declared.get("validateRequestBody", False),
                declared.get("validateRequestParameters", False),
            )

    def _resource(self, path: str) -> models.Resource:
        """The resource at the path, made with all its ancestors if need be."""
        resource = self._api.resources[self._api.root_resource_id]
        children = {(each.parent_id, each.path_part): each for each in self._api.resources.values()}
        for part in path.strip("/").split("/") if path.strip("/") else []:
            child = children.get((resource.id, part))
            resource = child or self._backend.create_resource(self._api.id, resource.id, part)
        return resource

    def _add_method(
        self, resource: models.Resource, verb: str, operation: Document, shared: list[Document]
    ) -> None:
        authorizer, key_required = self._security(operation)
        validator = operation.get(
            "x-amazon-apigateway-request-validator",
            self._document.get("x-amazon-apigateway-request-validator"),
        )
        if validator is not None and validator not in self._validators:
            raise InvalidDocument(f"Invalid OpenAPI input: no request validator is named {validator}")
        method = resource.add_method(
            verb,
            "CUSTOM" if authorizer else "NONE",
            key_required,
            request_parameters=self._parameters([*shared, *(operation.get("parameters") or [])]),
            request_models=self._request_models(operation, resource, verb),
            operation_name=operation.get("operationId"),
            authorizer_id=authorizer.id if authorizer else None,
            request_validator_id=self._validators[validator].id if validator is not None else None,
        )
        for status in operation.get("responses") or {}:
            method.create_response(str(status), {}, {})
        self._add_integration(resource, verb, operation.get("x-amazon-apigateway-integration"))

    def _security(self, operation: Document) -> tuple[models.Authorizer | None, bool]:
        """The method's authorizer, and whether it requires a key: an `x-api-key` scheme listed beside it."""
        requirements = operation.get("security", self._document.get("security")) or []
        names = [name for requirement in requirements for name in requirement]
        schemes = self._components.get("securitySchemes") or {}
        unknown = [name for name in names if name not in schemes]
        if unknown:
            raise InvalidDocument(f"Invalid OpenAPI input: no security scheme is named {unknown[0]}")
        authorizers = [self._authorizers[name] for name in names if name in self._authorizers]
        key_required = any(_is_api_key(schemes[name]) for name in names)
        return (authorizers[0] if authorizers else None), key_required

    def _parameters(self, declared: list[Document]) -> dict[str, bool]:
        parameters: dict[str, bool] = {}
        for each in map(self._resolved, declared):
            if location := _LOCATIONS.get(each["in"]):  # cookies are not parameters to the service
                parameters[f"method.request.{location}.{each['name']}"] = bool(each.get("required", False))
        return parameters

    def _request_models(self, operation: Document, resource: models.Resource, verb: str) -> dict[str, str]:
        """The model of each media type; a schema written in place becomes one named after its operation."""
        body = self._resolved(operation.get("requestBody") or {})
        schemas = self._components.get("schemas") or {}
        found: dict[str, str] = {}
        for media_type, content in (body.get("content") or {}).items():
            schema = content.get("schema")
            if schema is None:
                continue
            name = referred(schema)
            if name not in schemas:
                name = f"{verb}{resource.id}Model"
                self._api.add_model(name, "", json.dumps(self_contained(schema, schemas)), media_type)
            found[media_type] = str(name)
        return found

    def _add_integration(self, resource: models.Resource, verb: str, declared: Document | None) -> None:
        if declared is None:
            return
        kind, uri = str(declared.get("type", "")).upper(), declared.get("uri", "")
        integration = self._backend.put_integration(
            self._api.id,
            resource.id,
            verb,
            kind,
            uri,
            declared.get("httpMethod", ""),
            request_templates=declared.get("requestTemplates"),
            passthrough_behavior=str(declared.get("passthroughBehavior", "when_no_match")).upper(),
            timeout_in_millis=declared.get("timeoutInMillis"),
            request_parameters=declared.get("requestParameters"),
            content_handling=declared.get("contentHandling"),
        )
        for pattern, response in (declared.get("responses") or {}).items():
            integration.create_integration_response(
                str(response.get("statusCode", 200)),
                "" if pattern == "default" else pattern,
                dict(response.get("responseTemplates") or {}),
                response.get("responseParameters") or {},
            )

    def _resolved(self, value: Document) -> Document:
        """The value, or what its `#/components/…` reference stands for."""
        reference = value.get("$ref")
        if reference is None:
            return value
        found: Any = self._document
        for part in str(reference).removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise InvalidDocument(f"Invalid OpenAPI input: {reference} leads nowhere")
        return self._resolved(found)


def _operations(item: Document) -> Iterator[tuple[str, Document]]:
    for name, operation in item.items():
        if name in _VERBS:
            yield name.upper(), operation
        elif name == _ANY:
            yield "ANY", operation


def _is_api_key(scheme: Document) -> bool:
    in_header = scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key"
    return in_header and "x-amazon-apigateway-authorizer" not in scheme
