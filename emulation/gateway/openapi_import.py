"""An OpenAPI 3.0 document with `x-amazon-apigateway-*` extensions, put into an API.

It fills moto's models directly, so that reading the API back shows what was imported. An extension that is
not known is ignored, as the service does; one that would protect the API and cannot here is refused.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest
from emulation.gateway.control.api_settings import checked_compression_size, checked_endpoint, key_source
from emulation.gateway.control.gateway_responses import KINDS
from emulation.gateway.control.integrations import integrate
from emulation.gateway.control.methods import add_method
from emulation.gateway.control.resources import add_resource
from emulation.gateway.extensions import ask_for_headers
from emulation.gateway.import_security import add_authorizers, security_of
from emulation.gateway.schemas import referred, self_contained

Document: TypeAlias = Mapping[str, Any]
_VERBS = frozenset(["get", "put", "post", "delete", "options", "head", "patch"])
_X = "x-amazon-apigateway"
_LOCATIONS = {"header": "header", "query": "querystring", "path": "path"}


def fill(api: models.RestAPI, document: Document) -> None:
    """Adds the document to the API; a method that both have is the document's."""
    if document.get(f"{_X}-policy"):
        raise BadRequest(f"Invalid OpenAPI input: {_X}-policy is not imitated")
    api.version = (document.get("info") or {}).get("version", api.version)
    api.api_key_source = key_source(document.get(f"{_X}-api-key-source", api.api_key_source))
    binary = document.get(f"{_X}-binary-media-types") or []
    api.binaryMediaTypes = list(dict.fromkeys([*api.binaryMediaTypes, *map(str, binary)]))
    size = document.get(f"{_X}-minimum-compression-size", api.minimum_compression_size)
    api.minimum_compression_size = checked_compression_size(size)
    _set_endpoint(api, document)
    ask_for_headers(api, document)
    _Import(api, document).run()


def _set_endpoint(api: models.RestAPI, document: Document) -> None:
    """OpenAPI 3.0 has the configuration in a server, Swagger 2.0 in the document."""
    name = f"{_X}-endpoint-configuration"
    for place in [document, *(document.get("servers") or [])]:
        declared = place.get(name) or {}
        if declared.get("disableExecuteApiEndpoint"):
            raise BadRequest(f"Invalid OpenAPI input: disableExecuteApiEndpoint in {name} is not imitated")
        if declared:
            api.endpoint_configuration = {**api.endpoint_configuration, **(checked_endpoint(declared) or {})}


class _Import:
    """One document on its way into one API."""

    def __init__(self, api: models.RestAPI, document: Document) -> None:
        self._api = api
        self._document = document
        self._components: Document = document.get("components") or {}
        self._schemes = {
            name: self._resolved(scheme)
            for name, scheme in (self._components.get("securitySchemes") or {}).items()
        }
        self._authorizers: dict[str, models.Authorizer] = {}
        self._validators: dict[str, models.RequestValidator] = {}
        self._children = {(each.parent_id, each.path_part): each for each in api.resources.values()}

    def run(self) -> None:
        self._add_models()
        self._authorizers = add_authorizers(self._api, self._schemes)
        self._add_validators()
        self._add_gateway_responses()
        for path, item in _members(self._document.get("paths") or {}, "paths").items():
            resource = self._resource(path)
            for verb, operation in _operations(_members(item, path)):
                _members(operation, f"{verb} {path}")
                self._add_method(resource, verb, operation, item.get("parameters") or [])

    def _add_models(self) -> None:
        schemas = self._components.get("schemas") or {}
        for name, schema in schemas.items():
            text = json.dumps(self_contained(schema, schemas))
            self._api.add_model(name, schema.get("description", ""), text, "application/json")

    def _add_validators(self) -> None:
        """A validator that the API has by that name is changed, and keeps its id."""
        known = {each.name: each for each in self._api.request_validators.values()}
        for name, declared in (self._document.get(f"{_X}-request-validators") or {}).items():
            validator = known.get(name) or self._api.create_request_validator(name, None, None)
            validator.validate_request_body = bool(declared.get("validateRequestBody"))
            validator.validate_request_parameters = bool(declared.get("validateRequestParameters"))
            self._validators[name] = validator

    def _add_gateway_responses(self) -> None:
        for kind, declared in (self._document.get(f"{_X}-gateway-responses") or {}).items():
            if kind not in KINDS:
                raise BadRequest(f"Invalid OpenAPI input: there is no gateway response {kind}")
            status = declared.get("statusCode")
            told: Any = None if status is None else str(status)  # as PutGatewayResponse hands it over
            parameters, templates = declared.get("responseParameters"), declared.get("responseTemplates")
            self._api.put_gateway_response(kind, told, parameters, templates)

    def _resource(self, path: str) -> models.Resource:
        """The resource at the path, made with all its ancestors if need be."""
        resource = self._api.resources[self._api.root_resource_id]
        for part in path.strip("/").split("/") if path.strip("/") else []:
            place = resource.id, part
            child = self._children.get(place) or add_resource(self._api, resource, part)
            resource = self._children[place] = child
        return resource

    def _add_method(
        self, resource: models.Resource, verb: str, operation: Document, shared: list[Document]
    ) -> None:
        security = security_of(
            operation,
            self._document.get("security"),
            schemes=self._schemes,
            authorizers=self._authorizers,
        )
        asked = {
            "authorizationType": security.authorization_type,
            "authorizerId": security.authorizer_id,
            "apiKeyRequired": security.api_key_required,
            "requestParameters": self._parameters([*shared, *(operation.get("parameters") or [])]),
            "requestModels": self._request_models(operation, resource, verb),
            "operationName": operation.get("operationId"),
            "requestValidatorId": self._validator_id(operation),
        }
        method = add_method(self._api, resource, verb, asked)
        for status in operation.get("responses") or {}:
            method.create_response(str(status), {}, {})
        integration = operation.get(f"{_X}-integration")
        if integration is not None:
            _add_integration(method, self._resolved(integration), resource.id)

    def _validator_id(self, operation: Document) -> str | None:
        extension = f"{_X}-request-validator"
        name = operation.get(extension, self._document.get(extension))
        if name is None:
            return None
        if name not in self._validators:
            raise BadRequest(f"Invalid OpenAPI input: no request validator is named {name}")
        return str(self._validators[name].id)

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

    def _resolved(self, value: Document) -> Document:
        """The value, or what its `#/components/…` reference stands for."""
        reference = value.get("$ref")
        if reference is None:
            return value
        found: Any = self._document
        for part in str(reference).removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping):
            raise BadRequest(f"Invalid OpenAPI input: {reference} leads nowhere")
        return self._resolved(found)


def _members(value: Any, where: str) -> Document:
    if not isinstance(value, Mapping):
        raise BadRequest(f"Invalid OpenAPI input: {where} is not an object")
    return value


def _operations(item: Document) -> Iterator[tuple[str, Document]]:
    for name, operation in item.items():
        if name in _VERBS:
            yield name.upper(), operation
        elif name == f"{_X}-any-method":
            yield "ANY", operation


def _add_integration(method: models.Method, declared: Document, resource_id: str) -> None:
    """The names are those on the wire, in any case where they are values of an enumeration."""
    behaviour = str(declared.get("passthroughBehavior") or "when_no_match").upper()
    asked = {**declared, "type": str(declared.get("type", "")).upper(), "passthroughBehavior": behaviour}
    integration = integrate(method, asked, cache_namespace=resource_id)
    for pattern, response in (declared.get("responses") or {}).items():
        integration.create_integration_response(
            str(response.get("statusCode", 200)),
            "" if pattern == "default" else pattern,
            dict(response.get("responseTemplates") or {}),
            response.get("responseParameters") or {},
        )
