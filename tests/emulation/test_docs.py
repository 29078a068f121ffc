"""The reference at `/docs`: what a browser gets, all of which stays between the browser and the edge."""

import json
import re
import shutil
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
import yaml

from emulation.docs import Docs, read_docs, shown
from emulation.settings import InvalidProject, read_project
from tests.gateway.conftest import Stack
from tests.stack_process import REPOSITORY, start_stack
from tests.waiting import until

APP = Path(__file__).parent / "app"
VIEWER = REPOSITORY / "tools/node_modules/swagger-ui-dist"
INTEGRATION = {
    "x-amazon-apigateway-integration": {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        "arn:aws:lambda:us-east-1:123456789012:function:api/invocations",
    }
}
AUTHORIZER = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": "arn:aws:lambda:us-east-1:1:f"},
}
API_KEY = {"type": "apiKey", "name": "X-API-Key", "in": "header"}
OAUTH = {
    "type": "oauth2",
    "description": "RFC 6749",
    "flows": {"clientCredentials": {"tokenUrl": "/v1/token", "scopes": {"things:read": "Reading"}}},
}
SPECIFICATION: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "https://things.test", "x-internal": False}],
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-emulation-response-headers": {"RateLimit": "context.rateLimit.limits"},
    "security": [{"authorizer": [], "metering": []}],
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "listThings",
                "security": [{"authorizer": [], "metering": [], "oauth": ["things:read"]}],
                "responses": {"200": {"description": "Tous les œufs"}},
                **INTEGRATION,
            },
            "x-amazon-apigateway-any-method": INTEGRATION,
        },
        "/v1/token": {
            "post": {"security": [], "responses": {"200": {"description": "A token"}}, **INTEGRATION},
        },
    },
    "components": {"securitySchemes": {"authorizer": AUTHORIZER, "metering": API_KEY, "oauth": OAUTH}},
}
BASE_URL = "http://127.0.0.1:4566/_aws/execute-api/abc/local"
PREFIX = "/_aws/execute-api/abc/local"
ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png", "start.js", "openapi.json")
ELSEWHERE = re.compile(r"(?:https?:)?//\w")


@pytest.fixture
def browser(stack: Stack) -> httpx.Client:
    """What talks to an edge that shows the specification."""
    stack.edge.show(Docs(VIEWER, SPECIFICATION, BASE_URL))
    return stack.http


def links(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]*)"', page)


def test_the_page_and_all_that_it_asks_for_are_served_when_a_browser_opens_it(browser: httpx.Client) -> None:
    page = browser.get("/docs")
    script = browser.get("/docs/start.js").text
    asked = [*links(page.text), *re.findall(r'url: "([^"]*)"', script)]
    assert sorted(asked) == sorted(f"/docs/{name}" for name in ASSETS)
    media_types = {link: browser.get(link).headers["Content-Type"].partition(";")[0] for link in asked}
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert media_types == {
        "/docs/swagger-ui.css": "text/css",
        "/docs/swagger-ui-bundle.js": "text/javascript",
        "/docs/favicon-32x32.png": "image/png",
        "/docs/start.js": "text/javascript",
        "/docs/openapi.json": "application/json",
    }


def test_the_viewer_is_the_installed_one_when_it_is_asked_for(browser: httpx.Client) -> None:
    for name in ASSETS[:3]:
        assert browser.get(f"/docs/{name}").content == (VIEWER / name).read_bytes()


@pytest.mark.parametrize("path", ["/docs", *(f"/docs/{name}" for name in ASSETS), "/docs/nothing"])
def test_the_browser_may_talk_to_the_edge_alone_when_it_has_an_answer(
    browser: httpx.Client, path: str
) -> None:
    answer = browser.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("img-src") == "'self' data:"
    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_of_the_page_is_elsewhere_or_inline_when_it_is_read(browser: httpx.Client) -> None:
    page, script = browser.get("/docs").text, browser.get("/docs/start.js").text
    assert not ELSEWHERE.search(page + script)
    assert "validatorUrl: null" in script
    assert not re.search(r"<script(?! src=)|<style| style=| on\w+=", page)


def test_every_url_that_the_viewer_follows_is_the_edges_when_the_document_is_shown(
    browser: httpx.Client,
) -> None:
    document = browser.get("/docs/openapi.json").json()
    flow = document["components"]["securitySchemes"]["oauth"]["flows"]["clientCredentials"]
    assert document["servers"] == [{"url": PREFIX}]
    assert flow["tokenUrl"] == f"{PREFIX}/v1/token"
    assert not ELSEWHERE.search(json.dumps(document))


def test_what_is_the_gateways_is_left_out_when_the_document_is_shown(browser: httpx.Client) -> None:
    text = browser.get("/docs/openapi.json").text
    document = json.loads(text)
    assert not re.search("x-amazon|x-emulation|authorizer|metering", text)
    assert list(document["components"]["securitySchemes"]) == ["oauth"]
    assert document["security"] == []
    assert document["paths"]["/v1/things"]["get"]["security"] == [{"oauth": ["things:read"]}]
    assert document["paths"]["/v1/token"]["post"]["security"] == []
    assert list(document["paths"]["/v1/things"]) == ["get"]


@pytest.mark.parametrize(
    ("left_out", "kept"),
    [
        ({"oauth"}, ["authorizer"]),
        ({"authorizer"}, ["oauth"]),
        ({"x-amazon-apigateway-api-key-source"}, ["metering", "oauth"]),
    ],
)
def test_a_scheme_is_kept_when_clients_have_no_other_way(left_out: set[str], kept: list[str]) -> None:
    schemes = {
        name: {**SPECIFICATION["components"]["securitySchemes"][name]}
        for name in ("authorizer", "metering", "oauth")
        if name not in left_out
    }
    specification: dict[str, Any] = {
        name: value for name, value in SPECIFICATION.items() if name not in {*left_out, "paths", "security"}
    }
    document = shown({**specification, "components": {"securitySchemes": schemes}}, BASE_URL)
    assert list(document["components"]["securitySchemes"]) == kept


def test_what_a_requirement_asked_besides_is_kept_when_a_scheme_is_left_out() -> None:
    requirements: list[dict[str, list[str]]] = [
        {"authorizer": [], "metering": []},
        {"oauth": ["things:read"]},
        {},
    ]
    document = shown({**SPECIFICATION, "security": requirements}, BASE_URL)
    assert document["security"] == [{"oauth": ["things:read"]}, {}]


def test_only_what_must_be_sent_is_filled_in_when_a_person_tries_an_operation() -> None:
    schema = {"type": "string", "example": "a"}
    parameters = [
        {"name": name, "in": "query", "required": required, "schema": schema, "example": "a"}
        for name, required in (("must", True), ("may", False))
    ]
    operation = {"parameters": parameters, "responses": {}}
    specification = {
        **SPECIFICATION,
        "paths": {"/v1/things": {"get": operation}},
        "components": {"parameters": {each["name"]: each for each in parameters}},
    }
    document = shown(specification, BASE_URL)
    for shown_ones in (
        document["paths"]["/v1/things"]["get"]["parameters"],
        document["components"]["parameters"].values(),
    ):
        assert [each["name"] for each in shown_ones if "example" in each] == ["must"]


def test_the_operation_answers_when_it_is_called_as_the_document_says(stack: Stack) -> None:
    specification = {**SPECIFICATION, "components": {"securitySchemes": {}}, "security": []}
    specification["paths"] = {"/v1/things": {"get": {"responses": {}, **INTEGRATION}}}
    api = stack.apigateway.import_rest_api(body=json.dumps(specification).encode())["id"]
    stack.apigateway.create_deployment(restApiId=api, stageName="local")
    stack.functions["api"] = lambda event: {"statusCode": 200, "body": event["path"]}
    stack.edge.show(Docs(VIEWER, specification, f"{stack.url}/_aws/execute-api/{api}/local"))
    server = stack.http.get("/docs/openapi.json").json()["servers"][0]["url"]
    answer = stack.http.get(urljoin(f"{stack.url}/docs", server) + "/v1/things")
    assert (answer.status_code, answer.text) == (200, "/v1/things")


@pytest.mark.parametrize(
    "path",
    [
        "/docs/",
        "/docs/index.html",
        "/docs/package.json",
        "/docs//etc/passwd",
        "/docs/../pyproject.toml",
        "/docs/..%2f..%2fpackage.json",
        "/docs/%2e%2e/package.json",
    ],
)
def test_nothing_else_is_served_when_its_path_is_asked_for(stack: Stack, path: str) -> None:
    stack.edge.show(Docs(VIEWER, SPECIFICATION, BASE_URL))
    with closing(HTTPConnection(urlsplit(stack.url).netloc)) as connection:
        connection.request("GET", path)  # as it is: httpx would follow the dots itself
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (404, b"The reference is at /docs.\n")


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/docs", "/docs/openapi.json"])
def test_only_get_is_allowed_when_the_page_is_asked_for(
    browser: httpx.Client, method: str, path: str
) -> None:
    answer = browser.request(method, path)
    assert (answer.status_code, answer.headers["Allow"], answer.content) == (405, "GET", b"")


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/s3/aws4_request"}, ""),
        ({}, "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0"),
        ({}, "?AWSAccessKeyId=test&Signature=0&Expires=1795410060"),
    ],
)
def test_a_bucket_of_that_name_is_reached_when_the_request_is_signed(
    browser: httpx.Client, headers: dict[str, str], query: str
) -> None:
    answer = browser.get(f"/docs/openapi.json{query}", headers=headers)
    assert answer.headers["Content-Type"].endswith("/xml")
    assert "Content-Security-Policy" not in answer.headers


def test_there_is_no_page_when_the_project_names_no_viewer(stack: Stack, tmp_path: Path) -> None:
    assert read_project(tmp_path).swagger_ui is None
    assert stack.http.get("/docs").status_code == 404
    assert stack.http.get("/docs/openapi.json").status_code == 404


def test_the_folder_is_named_when_the_viewer_is_not_installed(tmp_path: Path) -> None:
    openapi = tmp_path / "openapi.yml"
    openapi.write_text("openapi: 3.0.3")
    with pytest.raises(InvalidProject, match=r"nowhere: FileNotFoundError"):
        read_docs(tmp_path / "nowhere", openapi, BASE_URL)


def test_a_tool_of_this_project_is_the_viewer_when_its_stack_starts() -> None:
    assert read_project(REPOSITORY).swagger_ui == VIEWER


def test_no_url_that_the_viewer_follows_is_elsewhere_when_it_shows_this_projects_api() -> None:
    document = shown(yaml.safe_load((REPOSITORY / "openapi.yml").read_text()), BASE_URL)
    flows = [scheme.get("flows", {}) for scheme in document["components"]["securitySchemes"].values()]
    followed = [server["url"] for server in document["servers"]]
    followed += [flow["tokenUrl"] for each in flows for flow in each.values()]
    assert all(not urlsplit(url).netloc and url.startswith(PREFIX) for url in followed)
    assert not re.search("x-amazon|x-emulation", json.dumps(document))


def test_the_page_is_told_and_served_when_a_stack_starts(tmp_path: Path) -> None:
    project = shutil.copytree(APP, tmp_path / "app")
    described = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(
        described.replace("[tool.emulation]", f'[tool.emulation]\nswagger_ui = "{VIEWER}"', 1)
    )
    with start_stack(tmp_path / ".local", project=project) as started:
        url = started.ready()["docs_url"]
        until(
            lambda: url in started.printed.read_text(), within_seconds=10, what="the page's address in print"
        )
        page, document = httpx.get(url), httpx.get(f"{url}/openapi.json").json()
        greeting = httpx.get(urljoin(url, document["servers"][0]["url"] + "/hello/world"))
    assert page.text.startswith("<!DOCTYPE html>")
    assert greeting.json() == {"hello": "world"}
