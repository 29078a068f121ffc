"""The account's throttle: the last layer, and one bucket for every API."""

import pytest

from emulation.gateway.token_bucket import Limit
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.gateway.specification import cites


@pytest.fixture
def account() -> Limit:
    return Limit(rate=1.0, burst=3)


def _open(stack: Stack) -> apis.Api:
    return apis.imported(stack, apis.document({"/a": {"get": apis.operation()}}))


@cites("throttle.every-layer")
def test_all_apis_share_the_accounts_bucket_when_no_other_limit_is_set(stack: Stack) -> None:
    one, other = _open(stack), _open(stack)
    statuses = [api.get("/a").status_code for api in (one, other, one, other, one)]
    assert statuses == [200, 200, 200, 429, 429]
    stack.clock.advance(1)
    assert [api.get("/a").status_code for api in (one, other)] == [200, 429]


@cites("throttle.denial-spends-nothing")
def test_a_request_that_another_layer_denies_spends_no_token_of_the_accounts(stack: Stack) -> None:
    one, other = _open(stack), _open(stack)
    one.patch_stage("/*/*/throttling/rateLimit", "0")
    one.patch_stage("/*/*/throttling/burstLimit", "0")
    assert [one.get("/a").status_code for _ in range(5)] == [429] * 5
    assert [other.get("/a").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_an_unknown_path_spends_no_token_of_the_accounts(stack: Stack) -> None:
    api = _open(stack)
    assert [api.get("/nowhere").status_code for _ in range(5)] == [403] * 5
    assert api.get("/a").status_code == 200
    assert stack.http.get("/_aws/usage").json()["account"]["remaining"] == 2
