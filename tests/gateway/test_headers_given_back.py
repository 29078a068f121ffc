"""What the gateway renames, and gives back to an API that asks for it: emulation/gateway/extensions.py."""

from typing import Any

import pytest

from tests.gateway import apis
from tests.gateway.conftest import Stack

GIVEN_BACK = {"WWW-Authenticate": "integration.response.header.WWW-Authenticate"}
CHALLENGE = 'Bearer realm="x", error="insufficient_scope"'


def _api(stack: Stack, **extensions: Any) -> apis.Api:
    stack.functions["hello"] = lambda event: {
        "statusCode": 403,
        "headers": {"www-authenticate": CHALLENGE, "server": "mine"},
    }
    return apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}, **extensions))


def test_a_header_has_its_name_when_the_api_asks_for_it(stack: Stack) -> None:
    answer = _api(stack, **{"x-emulation-response-headers": GIVEN_BACK}).get("/a")
    assert answer.headers["www-authenticate"] == CHALLENGE
    assert "x-amzn-remapped-www-authenticate" not in answer.headers
    assert answer.headers["x-amzn-remapped-server"] == "mine"


def test_a_header_is_renamed_when_the_api_does_not_ask(stack: Stack) -> None:
    answer = _api(stack).get("/a")
    assert answer.headers["x-amzn-remapped-www-authenticate"] == CHALLENGE
    assert "www-authenticate" not in answer.headers


def test_nothing_is_added_when_the_function_sends_no_such_header(stack: Stack) -> None:
    api = _api(stack, **{"x-emulation-response-headers": GIVEN_BACK})
    stack.functions["hello"] = lambda event: {"statusCode": 200}
    assert "www-authenticate" not in api.get("/a").headers


@pytest.mark.parametrize(
    "asked",
    [
        {"WWW-Authenticate": "integration.response.header.Server"},
        {"Connection": "integration.response.header.Connection"},
        {"Server": "integration.response.body.x"},
    ],
)
def test_an_import_is_refused_when_it_asks_for_another_header(stack: Stack, asked: dict[str, str]) -> None:
    with pytest.raises(stack.apigateway.exceptions.BadRequestException):
        _api(stack, **{"x-emulation-response-headers": asked})
