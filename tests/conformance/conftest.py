"""The AWS services to test: `aws` in this process on a manual clock, `aws_endpoint` in another over HTTP."""

import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from chalicelib.adapters.dynamodb_identity import RING_KEY, TOKEN_KEYS, TOKEN_RING
from emulation.aws import Aws
from emulation.clock import ManualClock
from tests.conformance.access_ports import AccessPorts, in_memory, on
from tests.conformance.in_process import connect, connect_in_process
from tests.conformance.messages import VISIBILITY_TIMEOUT_SECONDS
from tests.conformance.racing import start_racers
from tests.conformance.real_ports import make_resources
from tests.unit.world import START

NOON = 1_795_000_000.0  # a moment in November 2026, in Unix seconds

_names = count()
_days = count()


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(scope="module")
def aws(clock: ManualClock) -> Aws:
    """Made anew in each module, for moto is one a process and follows the clock of who was made last."""
    return Aws(clock)


@pytest.fixture(scope="module")
def sqs(aws: Aws) -> Any:
    return connect_in_process(aws, "sqs")


@pytest.fixture(scope="module")
def dynamodb(aws: Aws) -> Any:
    return connect_in_process(aws, "dynamodb")


@pytest.fixture(scope="session")
def aws_endpoint() -> Iterator[str]:
    """The URL of AWS services in a process of their own, where threads switch often."""
    command = [sys.executable, "-m", "tests.conformance.aws_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.terminate()


@pytest.fixture(scope="session")
def tables_endpoint(aws_endpoint: str) -> str:
    """The same, with the stack's own tables."""
    make_resources(aws_endpoint)
    return aws_endpoint


@pytest.fixture
def access_endpoint(tables_endpoint: str) -> str:
    """The same, without a ring of token keys, of which there is one."""
    dynamodb = connect("dynamodb", tables_endpoint)
    dynamodb.delete_item(TableName=TOKEN_KEYS, Key={RING_KEY: {"S": TOKEN_RING}})
    return tables_endpoint


@pytest.fixture(params=["memory", "real"])
def ports(request: pytest.FixtureRequest) -> AccessPorts:
    """The ports of identity in each implementation."""
    if request.param == "memory":
        return in_memory()
    endpoint = request.getfixturevalue("access_endpoint")
    return on(connect("dynamodb", endpoint), connect("secretsmanager", endpoint))


@pytest.fixture
def today() -> datetime:
    """A day that is later than that of any other test, so that its audit events are the latest."""
    return START + timedelta(days=next(_days))


@pytest.fixture
def racers() -> Iterator[ProcessPoolExecutor]:
    """Processes that compete; spawned, since this one may have threads."""
    with start_racers(multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"name-{next(_names)}"


@pytest.fixture
def raced_table(aws_endpoint: str, name: str) -> str:
    return create_table(connect("dynamodb", aws_endpoint), name)


@pytest.fixture
def table(dynamodb: Any, name: str) -> str:
    return create_table(dynamodb, name)


@pytest.fixture
def queue_url(sqs: Any, name: str) -> str:
    attributes = {"VisibilityTimeout": str(VISIBILITY_TIMEOUT_SECONDS)}
    return str(sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])


def create_table(dynamodb: Any, name: str) -> str:
    """A table with the key (pk, sk), a sparse index `due` on (due_day, due_at), and a stream."""
    attributes = ("pk", "sk", "due_day", "due_at")
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in attributes],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "due",
                "KeySchema": [
                    {"AttributeName": "due_day", "KeyType": "HASH"},
                    {"AttributeName": "due_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        BillingMode="PAY_PER_REQUEST",
    )
    return name
