"""ImportRestApi and PutRestApi: all of a document, or nothing of it."""

import copy
from enum import Enum, auto

from moto.apigateway import models

from emulation.gateway.openapi_import import Document, InvalidDocument, fill


class Mode(Enum):
    MERGE = auto()  # what the document does not name stays
    OVERWRITE = auto()


def create_api(backend: models.APIGatewayBackend, document: Document) -> models.RestAPI:
    """A new API from the document."""
    info = document.get("info") or {}
    if not str(document.get("openapi", "")).startswith("3.0") or not info.get("title"):
        raise InvalidDocument("Invalid OpenAPI input: an OpenAPI 3.0 document with a title is needed")
    api = backend.create_rest_api(name=info["title"], description=info.get("description", ""))
    try:
        fill(backend, api, document)
    except Exception:
        backend.delete_rest_api(api.id)
        raise
    return api


def put_api(
    backend: models.APIGatewayBackend, api_id: str, document: Document, *, mode: Mode
) -> models.RestAPI:
    """The API with the document put into it, or as it was if the document cannot be imported."""
    before = backend.get_rest_api(api_id)
    api = backend.apis[api_id] = copy.deepcopy(before)  # the backend makes an API's parts by the API's id
    try:
        if mode is Mode.OVERWRITE:
            _empty(api)
        fill(backend, api, document)
    except Exception:
        backend.apis[api_id] = before
        raise
    return api


def _empty(api: models.RestAPI) -> None:
    """Removes what an import in mode `overwrite` replaces. Stages and deployments stay."""
    for each in (api.models, api.authorizers, api.request_validators, api.gateway_responses):
        each.clear()
    root = api.resources[api.root_resource_id]
    root.resource_methods.clear()
    api.resources = {root.id: root}
