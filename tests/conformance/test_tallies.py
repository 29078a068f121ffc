"""One suite for the ports `Tallies` and `SingleUse`, in memory and on DynamoDB."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from chalicelib.adapters.dynamodb_revocations import REVOCATIONS
from chalicelib.adapters.dynamodb_tallies import SINGLE_USE_IDS, TALLIES
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.key_ring import SKEW
from chalicelib.domain.tallies import WINDOW, Counted
from chalicelib.ports import Tallies
from tests.conformance.access_ports import AccessPorts, RawClient, losing, on
from tests.conformance.in_process import connect
from tests.conformance.racing import PROCESSES, THREADS, Call, race
from tests.conformance.real_ports import client
from tests.unit.world import START

IDS = RandomIds()
SHORTLY = timedelta(microseconds=1)
UNTIL = START + timedelta(minutes=2)
THREADS_HERE = 8
ADDED_EACH = 5
RACED_IDS = 20


@pytest.fixture
def subject() -> str:
    return IDS.new_id("cli_")


def failures_of(failures: Tallies, subject: str) -> int:
    """How many are counted: the highest limit that is spent."""
    spent = (limit for limit in range(1, 1_000) if not failures.spent((Counted(subject, limit),), now=START))
    return next(spent) - 1


def at_once(act: Callable[[], bool]) -> int:
    """How often it was so, for threads that start together."""
    start = Barrier(THREADS_HERE, timeout=30)

    def run(_: int) -> bool:
        start.wait()
        return act()

    with ThreadPoolExecutor(THREADS_HERE) as pool:
        return sum(pool.map(run, range(THREADS_HERE)))


def test_a_limit_is_spent_by_exactly_as_many_failures(ports: AccessPorts, subject: str) -> None:
    three = (Counted(subject, 3),)
    for _ in range(3):
        assert not ports.tallies.spent(three, now=START)
        ports.tallies.add(three, now=START)
    assert ports.tallies.spent(three, now=START)
    assert not ports.tallies.spent((Counted(subject, 4),), now=START)
    assert not ports.tallies.spent((Counted(IDS.new_id("cli_"), 1),), now=START)


def test_one_subject_that_is_spent_is_enough(ports: AccessPorts, subject: str) -> None:
    address, named = Counted(f"address#{subject}", 2), Counted(f"client#{subject}", 100)
    for _ in range(2):
        ports.tallies.add((address, named), now=START)
    assert ports.tallies.spent((address, named), now=START)
    assert not ports.tallies.spent((named,), now=START)
    assert not ports.tallies.spent((), now=START)
    assert failures_of(ports.tallies, named.subject) == 2


def test_each_minute_begins_with_none(ports: AccessPorts, subject: str) -> None:
    once = (Counted(subject, 1),)
    ports.tallies.add(once, now=START + WINDOW - SHORTLY)
    assert ports.tallies.spent(once, now=START)
    for now in (START - SHORTLY, START + WINDOW):
        assert not ports.tallies.spent(once, now=now)


def test_every_failure_is_counted_when_threads_add_at_once(ports: AccessPorts, subject: str) -> None:
    def add() -> bool:
        for _ in range(ADDED_EACH):
            ports.tallies.add((Counted(subject, 1),), now=START)
        return True

    at_once(add)
    assert failures_of(ports.tallies, subject) == THREADS_HERE * ADDED_EACH


def test_every_failure_is_counted_when_processes_add_at_once(
    tables_endpoint: str, racers: ProcessPoolExecutor, subject: str
) -> None:
    race(racers, add_failures, tables_endpoint, subject)
    counted = on(connect("dynamodb", tables_endpoint), None).tallies
    assert failures_of(counted, subject) == PROCESSES * THREADS * ADDED_EACH


def add_failures(call: Call, _me: int, subject: str) -> Iterable[None]:
    failures = on(RawClient(call), None).tallies
    for _ in range(ADDED_EACH):
        failures.add((Counted(subject, 1),), now=START)
    return ()


def test_an_id_is_good_once_and_again_when_its_time_is_over(ports: AccessPorts, subject: str) -> None:
    claims = [
        ports.single_use.claim(subject, until=UNTIL, now=now)
        for now in (START, START, UNTIL - SHORTLY, UNTIL)
    ]
    assert claims == [True, False, False, False]
    later = UNTIL + SHORTLY
    assert ports.single_use.claim(subject, until=later + WINDOW, now=later)
    assert not ports.single_use.claim(subject, until=later + WINDOW, now=later)


@pytest.mark.parametrize("wide", [1, 5_000])
def test_ids_are_told_apart_by_their_last_character(ports: AccessPorts, subject: str, wide: int) -> None:
    ids = [f"{subject}{'é' * wide}{last}" for last in "ab"]
    assert [ports.single_use.claim(each, until=UNTIL, now=START) for each in (*ids, *ids)] == [
        True,
        True,
        False,
        False,
    ]


def test_one_has_the_id_when_threads_claim_it_at_once(ports: AccessPorts, subject: str) -> None:
    assert at_once(lambda: ports.single_use.claim(subject, until=UNTIL, now=START)) == 1
    over = UNTIL + SHORTLY
    assert at_once(lambda: ports.single_use.claim(subject, until=over + WINDOW, now=over)) == 1


def test_one_has_each_id_when_processes_claim_it_at_once(
    tables_endpoint: str, racers: ProcessPoolExecutor, subject: str
) -> None:
    won = race(racers, claim_ids, tables_endpoint, subject)
    assert sorted(won) == list(range(RACED_IDS))


def claim_ids(call: Call, me: int, subject: str) -> Iterable[int]:
    single_use = on(RawClient(call), None).single_use
    for step in range(RACED_IDS):
        number = (me + step) % RACED_IDS if me % 2 else step
        if single_use.claim(f"{subject}{number}", until=UNTIL, now=START):
            yield number


def test_a_failure_is_counted_once_or_twice_when_the_answer_is_lost(
    tables_endpoint: str, subject: str
) -> None:
    unlucky = on(losing(client("dynamodb", endpoint=tables_endpoint)), None)
    unlucky.tallies.add((Counted(subject, 1),), now=START)
    assert failures_of(unlucky.tallies, subject) in {1, 2}


def test_an_id_counts_as_used_when_the_answer_to_its_claim_is_lost(
    tables_endpoint: str, subject: str
) -> None:
    unlucky = on(losing(client("dynamodb", endpoint=tables_endpoint)), None)
    assert not unlucky.single_use.claim(subject, until=UNTIL, now=START)
    assert unlucky.single_use.claim(f"{subject}+", until=UNTIL, now=START)


def test_rows_are_deleted_after_nobody_needs_them_by_any_clock(tables_endpoint: str, subject: str) -> None:
    dynamodb = connect("dynamodb", tables_endpoint)
    ports = on(dynamodb, None)
    now, until = START + timedelta(seconds=59, microseconds=999_999), UNTIL + SHORTLY
    ports.tallies.add((Counted(subject, 1),), now=now)
    ports.single_use.claim(subject, until=until, now=now)
    ports.revocations.revoke(subject, until=until)
    used_id = hashlib.sha256(subject.encode()).hexdigest()
    for table, name, needed_until in (
        (TALLIES, subject, START + WINDOW),
        (SINGLE_USE_IDS, used_id, until),
        (REVOCATIONS, subject, until),
    ):
        told = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        [row] = [row for row in dynamodb.scan(TableName=table)["Items"] if name in str(row)]
        assert int(row[told["AttributeName"]]["N"]) >= (needed_until + SKEW).timestamp()
