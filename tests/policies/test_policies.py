"""Each function's role allows exactly what the function does: no call fails for want of it, none is spare.

The comparison can fail: whatever is changed in a policy is named, and no call passes unknown.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from chalicelib.adapters.secrets import TOKEN_KEY
from chalicelib.web.operations import OPERATIONS
from tests.policies.deployment import CHALICE, deployed_functions
from tests.policies.functions import DECLARED, SETTINGS
from tests.policies.iam import Permission, Policy, Used, differences, granted_by, read_policy
from tests.policies.lambda_service import used_by_lambda
from tests.policies.recorded_ports import NOT_AWS, OPERATORS_ALONE, PORTS, all_ports, methods_of
from tests.policies.scenario import Scenario
from tests.policies.translation import permissions_for

DEPLOYED = deployed_functions()
OURS = "us-east-1:123456789012"
# A table or an index, a queue, a bucket or its objects, a secret or those of a folder, a log's streams.
RESOURCES = (
    rf"arn:aws:dynamodb:{OURS}:table/\w+(/index/\w+)?",
    rf"arn:aws:sqs:{OURS}:[\w-]+",
    r"arn:aws:s3:::[\w-]+(/\*)?",
    rf"arn:aws:secretsmanager:{OURS}:secret:zama-jobs/[\w-]+(-\?{{6}}|/\*)",
    rf"arn:aws:logs:{OURS}:log-group:/aws/lambda/[\w-]+:\*",
)


def policy_of(function: str) -> Policy:
    return read_policy(DEPLOYED[function].policy_file)


def used_by(played: Scenario, function: str) -> Used:
    by_lambda = used_by_lambda(function, DECLARED, name=DEPLOYED[function].name)
    return {**played.functions.recorder.used_by(function), **by_lambda}


@pytest.mark.parametrize("function", DECLARED.functions)
def test_a_policy_is_exact_when_it_is_held_against_what_its_function_calls(
    played: Scenario, function: str
) -> None:
    found = differences(policy_of(function), used_by(played, function))
    assert not found, "\n".join(found)


def test_every_call_is_understood_when_all_functions_have_run(played: Scenario) -> None:
    assert played.functions.recorder.unknown == []


def test_nothing_is_left_out_when_the_scenario_is_played(played: Scenario) -> None:
    assert played.functions.invoked == set(DECLARED.functions)
    assert played.caller.gateway.called == set(OPERATIONS)
    methods = {method for port in PORTS.values() for method in methods_of(port)}
    assert played.functions.recorder.methods == methods - OPERATORS_ALONE
    assert all_ports() == {*PORTS.values(), *NOT_AWS}


def test_token_keys_are_read_by_the_token_endpoint_alone_when_all_functions_have_run(
    played: Scenario,
) -> None:
    """Whoever breaks into another, even into the one that rotates them, cannot sign a token with them."""
    [key] = permissions_for("secretsmanager", "GetSecretValue", {"SecretId": TOKEN_KEY.format(kid="k1")})
    assert [each for each in DECLARED.functions if key in used_by(played, each)] == ["api_handler"]
    actions = {permission.action for permission in played.functions.recorder.used_by("authorize")}
    assert actions == {"dynamodb:GetItem", "dynamodb:Query"}


def test_each_function_has_a_policy_of_its_own_when_it_is_deployed() -> None:
    """None shares one by the configuration's default, so a new function cannot get another's rights."""
    files = {function: each.policy_file for function, each in DEPLOYED.items()}
    assert files == {function: CHALICE / f"policy-{function}.json" for function in DECLARED.functions}
    assert set(CHALICE.glob("policy-*.json")) == set(files.values())


@pytest.mark.parametrize("function", DECLARED.functions)
def test_wildcards_stand_for_names_alone_when_nobody_can_know_these(function: str) -> None:
    for permission in granted_by(policy_of(function)):
        assert re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", permission.action)
        assert re.fullmatch("|".join(RESOURCES), permission.resource)


def test_each_function_keeps_a_log_of_its_own_when_it_is_packaged() -> None:
    """A function without a name in the template gets one of chance, and its log group with it."""
    template = json.loads((CHALICE / "resources.json").read_text())["Resources"]
    for each in DEPLOYED.values():
        assert template[each.resource] == {"Properties": {"FunctionName": each.name}}


# The comparison itself

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
