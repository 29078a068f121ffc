"""What an authorizer's policy says about a method."""

from typing import Any

import pytest

from emulation.gateway.policy import MalformedPolicy, parse_policy

ALLOW_ALL = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}


def _admits(*statements: dict[str, Any]) -> bool:
    return parse_policy({"Statement": list(statements)}).admits("arn:x/GET/jobs/7")


@pytest.mark.parametrize("resource", ["*", "arn:x/?ET/jobs/*", ["arn:y", "arn:x/GET/*"], "arn:x/GET/jobs/7"])
def test_a_policy_admits_what_one_of_its_resources_covers(resource: object) -> None:
    assert _admits({**ALLOW_ALL, "Resource": resource})


@pytest.mark.parametrize("action", ["execute-api:Invoke", ["s3:GetObject", "execute-api:*"], "*"])
def test_a_policy_admits_when_one_of_its_actions_is_to_invoke(action: object) -> None:
    assert _admits({**ALLOW_ALL, "Action": action})


@pytest.mark.parametrize(
    "statement",
    [
        {**ALLOW_ALL, "Resource": "arn:x/GET/jobs"},  # a pattern covers the whole ARN
        {**ALLOW_ALL, "Resource": "arn:x.GET.jobs.7"},  # a dot is a dot
        {**ALLOW_ALL, "Action": "s3:GetObject"},
    ],
)
def test_a_policy_denies_what_nothing_allows(statement: dict[str, Any]) -> None:
    assert not _admits(statement)


def test_a_policy_is_evaluated_at_once_when_its_wildcards_and_the_path_are_many() -> None:
    """A pattern that backtracks would take longer than anyone has."""
    policy = parse_policy({"Statement": [{**ALLOW_ALL, "Resource": "arn:*/*/*/*/*/*/*/*/end"}]})
    assert not policy.admits("arn:" + "/" * 8_000)
    assert policy.admits("arn:" + "/" * 8_000 + "end")


def test_brackets_mean_nothing_in_a_policy() -> None:
    assert parse_policy({"Statement": [{**ALLOW_ALL, "Resource": "arn:[a]*"}]}).admits("arn:[a]/b")


def test_an_explicit_deny_beats_an_allow() -> None:
    assert not _admits({**ALLOW_ALL, "Effect": "Deny", "Resource": "arn:x/GET/*"}, ALLOW_ALL)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"Statement": []},
        {"Statement": [{"Effect": "allow", "Action": "*", "Resource": "*"}]},
        {"Statement": [{**ALLOW_ALL, "Condition": {}}]},
        {"Statement": [{"Effect": "Allow", "NotAction": "*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "*"}]},
    ],
)
def test_a_policy_that_cannot_be_evaluated_is_malformed(document: object) -> None:
    with pytest.raises(MalformedPolicy):
        parse_policy(document)
