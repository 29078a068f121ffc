"""One suite for the `Revocations` port, in memory and on DynamoDB. The real list is every test's."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_revocations import DynamoDbRevocations
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.system import RandomIds
from chalicelib.ports import Revocations
from tests.conformance.real_ports import client, make_resources, tables
from tests.unit.world import START

IDS = RandomIds()
LATER = START + timedelta(minutes=11)
SHORTLY = timedelta(microseconds=1)


@pytest.fixture(params=["memory", "real"])
def revocations(request: pytest.FixtureRequest) -> Revocations:
    if request.param == "memory":
        return MemoryRevocations()
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbRevocations(tables(endpoint))


def test_a_token_is_listed_at_once_and_until_its_time_when_it_is_revoked(revocations: Revocations) -> None:
    token, never = IDS.new_id("tok_"), IDS.new_id("tok_")
    assert token not in revocations.in_force(now=START)
    revocations.revoke(token, until=LATER)
    for now in (START, LATER - SHORTLY, LATER):
        assert token in revocations.in_force(now=now)
        assert never not in revocations.in_force(now=now)
    assert token not in revocations.in_force(now=LATER + SHORTLY)


def test_a_token_is_listed_once_when_it_is_revoked_again(revocations: Revocations) -> None:
    token = IDS.new_id("tok_")
    before = revocations.in_force(now=START)
    for _ in range(3):
        revocations.revoke(token, until=LATER)
    assert revocations.in_force(now=START) - before == {token}


def test_each_token_has_its_own_end_when_many_are_revoked(revocations: Revocations) -> None:
    ends = {IDS.new_id("tok_"): LATER + timedelta(seconds=n) for n in range(30)}
    for token, until in ends.items():
        revocations.revoke(token, until=until)
    for n in (0, 7, 29, 30):
        now = LATER + timedelta(seconds=n)
        listed = revocations.in_force(now=now) & ends.keys()
        assert listed == {token for token, until in ends.items() if until >= now}


def test_no_revocation_is_missed_when_a_replica_is_behind(aws_endpoint: str) -> None:
    """The emulated tables have no replicas, so what is asked of them has to do: the latest."""
    make_resources(aws_endpoint)
    dynamodb, asked = client("dynamodb", endpoint=aws_endpoint), list[Any]()
    dynamodb.meta.events.register(
        "provide-client-params.dynamodb.Query", lambda params, **_: asked.append(params["ConsistentRead"])
    )
    DynamoDbRevocations(Tables(dynamodb, backoff=lambda _: None)).in_force(now=START)
    assert asked == [True]
