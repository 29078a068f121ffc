"""The comparison can fail: whatever is changed in a policy is named, and no call passes unknown."""

import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.policies.functions import DECLARED, SETTINGS
from tests.policies.iam import Permission, Policy, differences, granted_by
from tests.policies.scenario import Scenario
from tests.policies.test_policies import policy_of, used_by

TABLE = "arn:aws:dynamodb:us-east-1:123456789012:table"
READS_JOBS = Permission("dynamodb:GetItem", f"{TABLE}/jobs")
SCANS = {"Effect": "Allow", "Action": ["dynamodb:Scan"], "Resource": [f"{TABLE}/jobs"]}
# By the permission that the change adds; the first statement is that of `READS_JOBS`.
ADDITIONS: dict[str, Callable[[list[Any]], None]] = {
    f"dynamodb:Scan {TABLE}/jobs": lambda statements: statements.append(SCANS),
    f"dynamodb:PutItem {TABLE}/jobs": lambda statements: statements[0]["Action"].append("dynamodb:PutItem"),
    f"dynamodb:GetItem {TABLE}/clients": lambda statements: statements[0]["Resource"].append(
        f"{TABLE}/clients"
    ),
    f"dynamodb:GetItem {TABLE}/*": lambda statements: statements[0]["Resource"].append(f"{TABLE}/*"),
}


@pytest.mark.parametrize("function", DECLARED.functions)
def test_a_permission_is_named_when_it_is_taken_away(played: Scenario, function: str) -> None:
    policy, used = policy_of(function), used_by(played, function)
    for permission in granted_by(policy):
        [found] = differences(without(policy, permission), used)
        assert re.fullmatch(rf"missing: {re.escape(str(permission))} \(by .+\)", found)


@pytest.mark.parametrize("permission", ADDITIONS)
def test_a_permission_is_named_when_nothing_uses_it(played: Scenario, permission: str) -> None:
    policy: Any = readable("run_job")
    assert differences(policy, used_by(played, "run_job")) == []
    ADDITIONS[permission](policy["Statement"])
    assert differences(policy, used_by(played, "run_job")) == [f"unused: {permission}"]


def test_a_permission_is_named_when_it_stands_there_twice(played: Scenario) -> None:
    policy = readable("run_job")
    twice = {**policy, "Statement": [*policy["Statement"], policy["Statement"][0]]}
    assert differences(twice, used_by(played, "run_job")) == [f"repeated: {READS_JOBS}"]


def test_a_call_is_named_when_nobody_has_looked_up_what_it_needs(played: Scenario) -> None:
    recorder = played.functions.recorder
    with recorder.running("sweep"):
        boto3.client("dynamodb", endpoint_url=SETTINGS.aws_endpoint).scan(TableName="jobs")
    assert recorder.unknown.pop() == "sweep calls dynamodb Scan"


def readable(function: str) -> Policy:
    """The function's policy; its first statement is that of `READS_JOBS`, and of nothing else."""
    first = {"Effect": "Allow", "Action": [READS_JOBS.action], "Resource": [READS_JOBS.resource]}
    return {"Statement": [first, *without(policy_of(function), READS_JOBS)["Statement"]]}


def without(policy: Policy, permission: Permission) -> Policy:
    """The policy less this one, with a statement for each of the others."""
    rest = [each for each in granted_by(policy) if each != permission]
    return {
        "Statement": [
            {"Effect": "Allow", "Action": [each.action], "Resource": [each.resource]} for each in rest
        ]
    }
