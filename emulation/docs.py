"""The API's reference for people: its own specification in Swagger UI, at `/docs` of the edge.

The page fetches nothing from any other host, and all that it may do is what its Content-Security-Policy says.
What is served is read once, at the start, so no request can name a file.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from emulation.http import Headers, Request, Response
from emulation.settings import faults_of

PATH = "/docs"

# Swagger UI's style sheet has its images in itself, as `data:` URLs. Its requests go to the edge alone.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Headers = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-cache"),  # the next stack on this port has another API
)

_STYLE, _VIEWER, _ICON = "swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"
_DOCUMENT, _START = "openapi.json", "start.js"
_MEDIA_TYPES = {
    "": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
}
_PAGE = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference</title>
<link rel="stylesheet" href="{PATH}/{_STYLE}">
<link rel="icon" type="image/png" href="{PATH}/{_ICON}">
</head>
<body>
<div id="reference"></div>
<script src="{PATH}/{_VIEWER}"></script>
<script src="{PATH}/{_START}"></script>
</body>
</html>
"""
# A validator would be a service of Swagger's, and be sent the document. The policy refuses inline scripts.
_START_SCRIPT = f"""SwaggerUIBundle({{
  url: "{PATH}/{_DOCUMENT}",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
}});
"""

_EXTENSIONS = ("x-amazon-", "x-emulation-")
_AUTHORIZER = "x-amazon-apigateway-authorizer"
_KEY_SOURCE = "x-amazon-apigateway-api-key-source"
_BEARERS = ("http", "oauth2", "openIdConnect")


class Docs:
    """Answers `GET` of the page and of the few files that it asks for, from memory; 404 for all else."""

    def __init__(self, viewer: Path, specification: Mapping[str, Any], base_url: str) -> None:
        """Takes Swagger UI from the folder; raises InvalidProject if it is not there."""
        with faults_of(viewer, OSError):
            files = {f"/{name}": (viewer / name).read_bytes() for name in (_STYLE, _VIEWER, _ICON)}
        document = json.dumps(shown(specification, base_url), ensure_ascii=False)
        files[""] = _PAGE.encode()
        files[f"/{_START}"] = _START_SCRIPT.encode()
        files[f"/{_DOCUMENT}"] = document.encode()
        self._files = {f"{PATH}{name}": content for name, content in files.items()}

    def covers(self, request: Request) -> bool:
        """Whether it is for this page: a signed request is for a bucket of that name."""
        signed = request.header("authorization") is not None or "Signature=" in request.query
        return not signed and (request.path == PATH or request.path.startswith(f"{PATH}/"))

    def answer(self, request: Request) -> Response:
        content = self._files.get(request.path)
        if content is None:
            return Response(404, (("Content-Type", "text/plain"), *_HEADERS), b"The reference is at /docs.\n")
        if request.method != "GET":
            return Response(405, (("Allow", "GET"), *_HEADERS))
        media_type = _MEDIA_TYPES[Path(request.path).suffix]
        return Response(200, (("Content-Type", media_type), *_HEADERS), content)


def read_docs(viewer: Path, openapi: Path, base_url: str) -> Docs:
    """The reference of the description in the file; raises InvalidProject."""
    with faults_of(openapi, yaml.YAMLError):
        specification = yaml.safe_load(openapi.read_text())
        return Docs(viewer, specification, base_url)


def shown(specification: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """The specification as a client of the running API needs it, without what is the gateway's own business.

    Its server is a path, so that a request goes to where the page came from, under any name of the machine.

    >>> shown({"openapi": "3.0.3", "x-amazon-apigateway-binary-media-types": []}, "http://localhost:1/api")
    {'openapi': '3.0.3', 'servers': [{'url': '/api'}]}
    """
    prefix = urlsplit(base_url).path
    hidden = _hidden_schemes(specification)
    document: dict[str, Any] = _without_extensions(specification)
    document["servers"] = [{"url": prefix}]
    schemes = document.get("components", {}).get("securitySchemes", {})
    for name in hidden:
        del schemes[name]
    for scheme in schemes.values():
        _set_prefix(scheme.get("flows", {}), prefix)
    for asking in (document, *_operations(document)):
        if "security" in asking:
            asking["security"] = _without_schemes(asking["security"], hidden)
    for parameter in _parameters(document):
        if not parameter.get("required"):
            parameter.pop("example", None)  # it would be sent unless a person deletes it
    return document


def _hidden_schemes(specification: Mapping[str, Any]) -> set[str]:
    """The names of the schemes that tell the gateway alone what to do.

    These are an authorizer where another scheme tells clients how to get its credential, and the API key
    where the authorizer chooses it.
    """
    schemes = specification.get("components", {}).get("securitySchemes", {})
    is_told = any(scheme["type"] in _BEARERS and _AUTHORIZER not in scheme for scheme in schemes.values())
    chosen = specification.get(_KEY_SOURCE) == "AUTHORIZER"
    return {
        name
        for name, scheme in schemes.items()
        if (is_told and _AUTHORIZER in scheme)
        or (chosen and scheme["type"] == "apiKey" and scheme["name"].lower() == "x-api-key")
    }


def _without_extensions(node: Any) -> Any:
    if isinstance(node, Mapping):
        kept = (name for name in node if not str(name).startswith(_EXTENSIONS))
        return {name: _without_extensions(node[name]) for name in kept}
    return [_without_extensions(each) for each in node] if isinstance(node, list) else node


def _without_schemes(requirements: list[dict[str, Any]], hidden: set[str]) -> list[dict[str, Any]]:
    """The requirements with the schemes left out; one of which nothing is left asked a client for nothing."""
    kept = [{name: each[name] for name in each if name not in hidden} for each in requirements]
    return [after for after, before in zip(kept, requirements, strict=True) if after or not before]


def _set_prefix(flows: dict[str, dict[str, Any]], prefix: str) -> None:
    """Swagger UI takes a flow's URLs from the root of the host: it knows nothing of the server's path."""
    for flow in flows.values():
        for name in ("tokenUrl", "authorizationUrl", "refreshUrl"):
            if flow.get(name, "").startswith("/"):
                flow[name] = prefix + flow[name]


def _parameters(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    shared = document.get("components", {}).get("parameters", {}).values()
    return [*shared, *(each for holder in _operations(document) for each in holder.get("parameters", ()))]


def _operations(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    members = [member for item in document.get("paths", {}).values() for member in item.values()]
    return [member for member in members if isinstance(member, dict)]
