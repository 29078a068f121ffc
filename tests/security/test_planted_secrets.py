"""Secrets are in no log, answer, request, table, queue or object, in any form, whatever went wrong."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from chalicelib.web import operations
from chalicelib.web.logs import logger
from tests.policies.conftest import forget
from tests.policies.functions import SETTINGS
from tests.policies.gateway import Call, event_of
from tests.security.hearing import (
    ANSWERS,
    LOG,
    OBJECTS,
    QUEUES,
    REQUESTS,
    SINKS,
    TABLES,
    HeardFunctions,
)
from tests.security.leaks import Sinks, planted
from tests.security.story import GIVEN_AS_DATA, MISPLACED, Story


@pytest.fixture(scope="module")
def told() -> Iterator[Story]:
    """The story, when it is over."""
    forget()
    with pytest.MonkeyPatch.context() as patch:
        story = Story(HeardFunctions(patch))
        story.play()
        yield story
    forget()


@pytest.fixture(scope="module")
def sinks(told: Story) -> Sinks:
    return told.functions.left_behind()


def test_no_secret_is_anywhere_when_the_story_is_over(told: Story, sinks: Sinks) -> None:
    found = sinks.leaks(told.secrets())
    assert not found, "\n".join(found)


def test_the_story_has_all_kinds_of_secrets_and_sinks_when_it_is_over(told: Story, sinks: Sinks) -> None:
    """Without them, nothing could be found."""
    kinds = Counter(secret.name for secret in told.secrets())
    for name in (
        "access token",
        "client assertion",
        "DPoP proof",
        "token key",
        "signer's key",
        "a link's signature",
    ):
        assert kinds[name] >= 2, name
    for sink in SINKS:
        assert len(sinks.written[sink]) > 500, sink
    # They came as far as they may, so that the search would have seen them beyond.
    assert MISPLACED.encode() in sinks.written[ANSWERS]
    assert GIVEN_AS_DATA.encode() in sinks.written[TABLES]
    assert sinks.written[LOG].count(b'"unexpected error"') >= 8
    assert sinks.written[LOG].count(b'"failed"') >= 6
    assert b"traceparent" in sinks.written[QUEUES]


def _tell_in_an_answer(functions: HeardFunctions, text: str) -> None:
    """Of a path, which `instance` repeats."""
    call = Call(operation=operations.GET_PROBLEM, path={"code": text})
    functions.invoke("api_handler", event_of(call, {}))


def _ask_of_aws(functions: HeardFunctions, text: str) -> None:
    with functions.ours():
        functions.adapters.tenants.get(text)


LEAKS: Mapping[str, Callable[[HeardFunctions, str], object]] = {
    LOG: lambda _, text: logger.warning(text),
    ANSWERS: _tell_in_an_answer,
    REQUESTS: _ask_of_aws,
    TABLES: lambda _, text: _aws("dynamodb").put_item(
        TableName="single_use_ids", Item={"used_id": {"S": text}}
    ),
    QUEUES: lambda _, text: _aws("sqs").send_message(
        QueueUrl=_aws("sqs").get_queue_url(QueueName="jobs-run")["QueueUrl"], MessageBody=text
    ),
    OBJECTS: lambda _, text: _aws("s3").put_object(
        Bucket="job-results", Key="k", Body=b"", Metadata={"m": text}
    ),
}


@pytest.mark.parametrize("sink", SINKS)
def test_a_leak_is_found_where_it_is_when_there_is_one(told: Story, sinks: Sinks, sink: str) -> None:
    """The ears are no deafer than the search."""
    leak = planted(sink)
    assert sinks.leaks([leak]) == []
    LEAKS[sink](told.functions, leak.content.decode())
    found = told.functions.left_behind().leaks([leak])
    assert found
    assert all(f"planted in {sink} (raw)" in each for each in found)


def _aws(service: str) -> Any:
    return boto3.client(service, endpoint_url=SETTINGS.aws_endpoint)
