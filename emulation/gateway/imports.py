"""ImportRestApi and PutRestApi: all of a document, or nothing of it."""

import copy
from enum import Enum

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest
from emulation.gateway.openapi_import import Document, fill
from emulation.gateway.swagger import as_openapi


class Mode(Enum):
    MERGE = "merge"  # what the document does not name stays
    OVERWRITE = "overwrite"


def create_api(backend: models.APIGatewayBackend, document: Document) -> models.RestAPI:
    """A new API from the document."""
    document = _understood(document)
    info = document["info"]
    api = backend.create_rest_api(name=info["title"], description=info.get("description", ""))
    try:
        fill(api, document)
    except Exception:
        del backend.apis[api.id]
        raise
    return api


def put_api(
    backend: models.APIGatewayBackend, api_id: str, document: Document, *, mode: Mode
) -> models.RestAPI:
    """The API with the document put into it, or as it was if the document cannot be imported."""
    document = _understood(document)
    before = backend.apis[api_id]
    api = backend.apis[api_id] = copy.deepcopy(before)  # a resource finds its path by the API's id
    try:
        if mode is Mode.OVERWRITE:
            _empty(api)
        fill(api, document)
    except Exception:
        backend.apis[api_id] = before
        raise
    return api


def _understood(document: Document) -> Document:
    """The document as OpenAPI 3.0. The service does not know 3.1 either."""
    if document.get("swagger") == "2.0":
        document = as_openapi(document)
    if not str(document.get("openapi", "")).startswith("3.0"):
        raise BadRequest("Invalid OpenAPI input: a document of OpenAPI 3.0 or Swagger 2.0 is needed")
    if not (document.get("info") or {}).get("title"):
        raise BadRequest("Invalid OpenAPI input: the document has no title")
    return document


def _empty(api: models.RestAPI) -> None:
    """Removes what an import in mode `overwrite` replaces. Stages and deployments stay."""
    for each in (api.models, api.authorizers, api.request_validators, api.gateway_responses):
        each.clear()
    api.binaryMediaTypes = []
    root = api.resources[api.root_resource_id]
    root.resource_methods.clear()
    api.resources = {root.id: root}
