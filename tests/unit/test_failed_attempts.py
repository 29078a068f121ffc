"""Who offers wrong secrets soon can offer no more; good ones count apart, and typos not at all."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest

from chalicelib.adapters.memory_access import MemoryTallies
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.tallies import (
    FAILURES_OF_ADDRESS,
    FAILURES_OF_CLIENT,
    SUCCESSES_OF_CLIENT,
    WINDOW,
    Counted,
    counted_success,
)
from chalicelib.web.http import Response
from tests.unit.access import ACMES, ACMES_OTHER, ADDRESS, SECRET, WRONG_SECRET, Access, offer
from tests.unit.test_token_endpoints import assert_refused

UNKNOWN = "cli_" + "9" * 26
ENDPOINTS = ("ask", "revoke")
ELSEWHERE = "192.0.2.2"
# As many as it takes to use up what a client has.
ADDRESSES = [f"198.51.100.{n}" for n in range(FAILURES_OF_CLIENT // FAILURES_OF_ADDRESS)]


@pytest.fixture
def access() -> Access:
    return Access()


def fail(
    access: Access,
    times: int = FAILURES_OF_ADDRESS,
    *,
    client_id: str = ACMES,
    address: str = ADDRESS,
    endpoint: str = "ask",
) -> None:
    """As many wrong secrets, each refused as such."""
    for _ in range(times):
        refusal = offer(access, WRONG_SECRET, client_id=client_id, address=address, endpoint=endpoint)
        assert_refused(refusal, 401, "invalid_client")


def assert_throttled(answer: Response, *, seconds: int) -> None:
    assert (answer.status, json.loads(answer.body)["code"]) == (429, "too_many_attempts")
    assert answer.headers["Retry-After"] == str(seconds)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_an_address_has_ten_wrong_secrets_a_minute_and_then_nobody_gets_in_from_there(
    access: Access, endpoint: str
) -> None:
    access.clock.advance(timedelta(seconds=18))
    fail(access, endpoint=endpoint)
    for secret in (SECRET, WRONG_SECRET):
        assert_throttled(offer(access, secret, endpoint=endpoint), seconds=42)
    access.clock.advance(timedelta(seconds=41, milliseconds=999))
    assert_throttled(offer(access, endpoint=endpoint), seconds=1)
    access.clock.advance(timedelta(milliseconds=1))
    assert offer(access, endpoint=endpoint).status == 200


def test_the_endpoints_share_their_counts(access: Access) -> None:
    fail(access, 5, endpoint="ask")
    fail(access, 5, endpoint="revoke")
    for endpoint in ENDPOINTS:
        assert_throttled(offer(access, endpoint=endpoint), seconds=60)


def test_good_secrets_are_never_counted(access: Access) -> None:
    fail(access, FAILURES_OF_ADDRESS - 1)
    for _ in range(FAILURES_OF_CLIENT + 1):
        assert offer(access).status == 200
    fail(access, 1)
    assert_throttled(offer(access), seconds=60)


def test_the_count_is_the_addresss_when_each_secret_is_offered_for_another_client(access: Access) -> None:
    for n in range(FAILURES_OF_ADDRESS):
        fail(access, 1, client_id=f"cli_{n:026d}")
    assert_throttled(offer(access), seconds=60)
    assert offer(access, address=ELSEWHERE).status == 200


def test_a_client_is_shut_out_when_ten_addresses_are_and_no_other_client_is(access: Access) -> None:
    for address in ADDRESSES:
        assert offer(access).status == 200
        fail(access, address=address)
    assert_throttled(offer(access), seconds=60)
    assert offer(access, client_id=ACMES_OTHER).status == 200
    assert_throttled(offer(access, client_id=ACMES_OTHER, address=ADDRESSES[0]), seconds=60)
    access.clock.advance(timedelta(minutes=1))
    assert offer(access).status == 200


def test_an_unknown_client_is_counted_as_a_known_one(access: Access) -> None:
    for address in ADDRESSES:
        fail(access, client_id=UNKNOWN, address=address)
    assert_throttled(offer(access, client_id=UNKNOWN), seconds=60)


@pytest.mark.parametrize(
    ("address", "other", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:0DB8:0001:0002:0::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "no address", True),
    ],
)
def test_whoever_has_one_network_has_one_count(
    access: Access, address: str, other: str, *, is_same: bool
) -> None:
    fail(access, address=address)
    assert offer(access, address=other).status == (429 if is_same else 200)


class Meeting(MemoryTallies):
    """Nobody is counted before all of them have seen the count."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = Barrier(parties, timeout=10)

    def spent(self, counted: Sequence[Counted], *, now: datetime) -> bool:
        is_spent = super().spent(counted, now=now)
        self._barrier.wait()
        return is_spent


def test_each_is_counted_when_more_are_wrong_at_once_than_are_allowed(access: Access) -> None:
    count = 2 * FAILURES_OF_ADDRESS
    failures = access.tallies = Meeting(count)
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: offer(access, WRONG_SECRET), range(count)))
    assert {answer.status for answer in answers} == {401}
    exactly = Counted(f"address#{ADDRESS}", count), Counted(f"address#{ADDRESS}", count + 1)
    now = access.clock.now()
    assert [MemoryTallies.spent(failures, [each], now=now) for each in exactly] == [True, False]


class Down(MemoryTallies):
    """Cannot be written; nor read, unless it `reads`."""

    def __init__(self, *, reads: bool) -> None:
        super().__init__()
        self._reads = reads

    def spent(self, counted: Sequence[Counted], *, now: datetime) -> bool:
        if not self._reads:
            raise Unavailable("no answer")
        return super().spent(counted, now=now)

    def add(self, counted: Sequence[Counted], *, now: datetime) -> None:
        raise Unavailable("no answer")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nobody_gets_in_when_failures_cannot_be_read(access: Access, endpoint: str) -> None:
    access.tallies = Down(reads=False)
    for secret in (SECRET, WRONG_SECRET):
        assert offer(access, secret, endpoint=endpoint).status == 503


def test_a_wrong_secret_is_not_judged_when_its_failure_cannot_be_counted(access: Access) -> None:
    access.tallies = Down(reads=True)
    assert offer(access, WRONG_SECRET).status == 503
    assert offer(access, client_id=UNKNOWN).status == 503


def test_a_client_has_its_share_of_tokens_a_minute_and_no_more_when_it_asks_again_and_again(
    access: Access,
) -> None:
    proven = (counted_success(ACMES),)
    for _ in range(SUCCESSES_OF_CLIENT - 1):
        access.tallies.add(proven, now=access.clock.now())
    assert offer(access, SECRET).status == 200
    refused = offer(access, SECRET)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "60")
    assert offer(access, SECRET, client_id=ACMES_OTHER).status == 200
    access.clock.advance(WINDOW)
    assert offer(access, SECRET).status == 200
