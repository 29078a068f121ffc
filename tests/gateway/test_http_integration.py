"""The HTTP proxy integration, against a backend that tells what it was sent."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from tests.gateway import apis
from tests.gateway.backend import Backend
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites

INTERNAL = b'{"message": "Internal server error"}'


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with Backend() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.stopping.set()
        server.shutdown()
        thread.join()


def _api(stack: Stack, uri: str, *, path: str = "/a", variables: Any = None, **settings: Any) -> apis.Api:
    integration = {"type": "http_proxy", "httpMethod": "ANY", "uri": uri, **settings}
    operation = apis.operation(**{"x-amazon-apigateway-integration": integration})
    paths = {path: {"x-amazon-apigateway-any-method": operation}}
    return apis.imported(stack, apis.document(paths), variables=variables or {})


def _headers(answer: httpx.Response) -> dict[str, str]:
    return dict(answer.json()["headers"])


def test_the_request_reaches_the_backend_and_its_answer_the_client(stack: Stack, backend: Backend) -> None:
    api = _api(stack, f"{backend.url}/teapot")
    answer = api.request("POST", "/a", content="sent")
    assert answer.status_code == 418
    assert (answer.json()["method"], answer.json()["path"], answer.json()["body"]) == (
        "POST",
        "/teapot",
        "sent",
    )


def test_headers_are_passed_replaced_or_dropped_on_their_way_in(stack: Stack, backend: Backend) -> None:
    api = _api(stack, f"{backend.url}/a")
    dropped = {
        "Content-Encoding": "identity",
        "Via": "1.1 y",
        "Expect": "x",
        "TE": "gzip",
        "Max-Forwards": "1",
    }
    kept = {"Accept": "text/plain", "User-Agent": "tests", "Authorization": "Bearer t", "X-Own": "1"}
    sent = _headers(api.get("/a", headers={**dropped, **kept}))
    assert {name: sent[name.lower()] for name in kept} == kept
    assert not {name.lower() for name in dropped} & set(sent)
    assert sent["host"] == backend.url.removeprefix("http://")
    assert sent["x-amzn-apigateway-api-id"] == api.api_id
    assert sent["x-amzn-trace-id"].startswith("Root=1-")
    assert sent["x-forwarded-for"] == "127.0.0.1"


def test_accept_and_user_agent_are_the_gateways_when_the_client_sends_none(
    stack: Stack, backend: Backend
) -> None:
    api = _api(stack, f"{backend.url}/a")
    bare = httpx.Request("GET", f"{stack.url}/_aws/execute-api/{api.api_id}/test/a")
    sent = _headers(stack.http.send(bare))
    assert (sent["accept"], sent["user-agent"]) == ("application/json", f"AmazonAPIGateway_{api.api_id}")


@cites("headers.remapped")
def test_headers_are_renamed_or_dropped_on_their_way_out(stack: Stack, backend: Backend) -> None:
    answer = _api(stack, f"{backend.url}/a").get("/a")
    assert answer.headers["x-amzn-remapped-server"].startswith("BaseHTTP")
    assert answer.headers["x-amzn-remapped-content-length"] == answer.headers["content-length"]
    assert answer.headers["x-amzn-remapped-x-amzn-requestid"] == "backends"
    assert answer.headers["x-amzn-requestid"] != "backends"
    assert "x-amzn-remapped-date" in answer.headers
    assert answer.headers.get_list("x-many") == ["1", "2"]
    assert not {"via", "server", "x-amzn-trace-id"} & set(answer.headers)


def test_the_integrations_own_method_is_used_when_it_is_not_any(stack: Stack, backend: Backend) -> None:
    api = _api(stack, f"{backend.url}/a", httpMethod="PUT")
    assert api.request("POST", "/a", content="x").json()["method"] == "PUT"


def test_placeholders_and_stage_variables_are_filled(stack: Stack, backend: Backend) -> None:
    uri = "http://${stageVariables.host}/base/{id}/{who}?fixed={who}"
    mapped = {
        "integration.request.path.id": "method.request.path.proxy",
        "integration.request.path.who": "method.request.querystring.who",
    }
    variables = {"host": backend.url.removeprefix("http://")}
    api = _api(stack, uri, path="/{proxy+}", variables=variables, requestParameters=mapped)
    answer = api.get("/x/a%2Fb//y?who=%C3%A9%20/")
    assert answer.json()["path"] == "/base/x/a%2Fb//y/%C3%A9%20%2F?fixed=%C3%A9%20%2F&who=%C3%A9%20/"
    stack.apigateway.update_stage(
        restApiId=api.api_id,
        stageName="test",
        patchOperations=[{"op": "replace", "path": "/variables/host", "value": "127.0.0.1:1"}],
    )
    assert api.get("/x?who=1").status_code == 504  # without a new deployment


@pytest.mark.parametrize(
    "uri",
    [
        "{backend}/{id}",  # not filled from the path parameter of its name
        "http://${stageVariables.missing}/",
        "{backend}/a b",
        "http://127.0.0.1:99999/",
        "${stageVariables.elsewhere}",
    ],
)
def test_a_configuration_error_when_the_uri_is_no_address(stack: Stack, backend: Backend, uri: str) -> None:
    variables = {"elsewhere": "gopher://127.0.0.1/"}
    api = _api(stack, uri.replace("{backend}", backend.url), path="/{id}", variables=variables)
    answer = api.get("/7")
    assert (answer.status_code, answer.content) == (500, INTERNAL)


def test_mapped_headers_and_parameters_are_sent(stack: Stack, backend: Backend) -> None:
    sources = {
        "header.X-Literal": "'fixed'",
        "header.X-Stage": "context.stage",
        "header.X-Variable": "stageVariables.v",
        "header.X-Replaced": "method.request.header.X-Other",
        "header.X-None": "method.request.header.X-Missing",
        "header.X-Split": "method.request.querystring.split",
        "header.Host": "'elsewhere'",
        "header.Via": "'1.1 z'",
        "querystring.literal": "'a b'",
        "querystring.copy": "method.request.querystring.q",
        "querystring.all": "method.request.multivaluequerystring.q",
        "querystring.none": "method.request.querystring.missing",
    }
    mapped = {f"integration.request.{target}": source for target, source in sources.items()}
    api = _api(stack, f"{backend.url}/a?own=1", variables={"v": "1"}, requestParameters=mapped)
    asked = "/a?q=1&q=2&split=x%0D%0AX-Injected:%201"
    answer = api.get(asked, headers={"X-Other": "new", "X-Replaced": "old"})
    sent = _headers(answer)
    names = ("x-literal", "x-stage", "x-variable", "x-replaced", "host")
    assert [sent[name] for name in names] == ["fixed", "test", "1", "new", "elsewhere"]
    assert not {"x-none", "x-split", "x-injected", "via"} & set(sent)
    query = answer.json()["path"].partition("?")[2]
    client, mappings = "q=1&q=2&split=x%0D%0AX-Injected:%201", "literal=a+b&copy=2&all=1&all=2"
    assert query == f"own=1&{client}&{mappings}"


@pytest.mark.parametrize("source", ["method.request.body.a", "method.request.cookie.a", "nothing"])
def test_a_deployment_is_refused_when_a_mapping_cannot_be_imitated(stack: Stack, source: str) -> None:
    mapped = {"integration.request.header.X": source}
    with pytest.raises(ClientError, match="Invalid mapping expression specified"):
        _api(stack, "http://127.0.0.1:1/", requestParameters=mapped)


@pytest.mark.parametrize("header", ["Content-Length", "transfer-encoding"])
def test_a_configuration_error_when_a_header_is_mapped_that_frames_the_message(
    stack: Stack, backend: Backend, header: str
) -> None:
    mapped = {f"integration.request.header.{header}": "'7'"}
    answer = _api(stack, f"{backend.url}/a", requestParameters=mapped).get("/a")
    assert (answer.status_code, answer.content) == (500, INTERNAL)


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1/", "{backend}/broken"])
def test_a_failed_integration_is_answered_to_the_byte(stack: Stack, backend: Backend, uri: str) -> None:
    answer = _api(stack, uri.replace("{backend}", backend.url)).get("/a")
    assert answer.status_code == 504
    assert answer.content == b'{"message":"Network error communicating with endpoint"}'
    assert "x-amzn-errortype" not in answer.headers


def test_a_failed_integration_is_customised_by_its_type_or_else_the_default(stack: Stack) -> None:
    api = _api(stack, "http://127.0.0.1:1/")
    seen = []
    for kind, status in [("DEFAULT_5XX", "599"), ("INTEGRATION_FAILURE", "503")]:
        stack.apigateway.put_gateway_response(
            restApiId=api.api_id,
            responseType=kind,  # type: ignore[arg-type]
            statusCode=status,
        )
        api.redeploy()
        seen.append(api.get("/a").status_code)
    assert seen == [599, 503]


@cites("limits.timeout")
def test_a_backend_that_is_late_is_a_504(stack: Stack, backend: Backend) -> None:
    answer = _api(stack, f"{backend.url}/slow", timeoutInMillis=50).get("/a")
    assert (answer.status_code, answer.content) == (504, b'{"message":"Endpoint request timed out"}')
    assert "x-amzn-errortype" not in answer.headers


@cites("limits.answer")
def test_an_answer_beyond_10_mb_is_a_500(stack: Stack, backend: Backend) -> None:
    answer = _api(stack, f"{backend.url}/large").get("/a")
    assert (answer.status_code, answer.content) == (500, INTERNAL)


@pytest.mark.parametrize("kind", ["http", "aws"])
def test_integrations_that_are_no_proxies_are_answered_with_500(
    stack: Stack, backend: Backend, kind: str
) -> None:
    uri = backend.url if kind == "http" else apis.function_uri("hello")
    answer = _api(stack, uri, type=kind, httpMethod="POST").get("/a")
    assert (answer.status_code, answer.content) == (500, INTERNAL)
