"""IAM policies as sets of permissions, and what is wrong between a policy and what its function uses."""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ACCOUNT = "123456789012"
REGION = "us-east-1"

Policy = Mapping[str, Any]
Used = Mapping["Permission", AbstractSet[str]]
"""What a function needs, each with the calls that need it."""


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """An action on a resource.

    Resources have wildcards only where nobody can know the names in advance, and a policy has the same.
    """

    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.action} {self.resource}"


def read_policy(path: Path) -> Policy:
    """The policy in a file."""
    policy: Policy = json.loads(path.read_text())
    return policy


def granted_by(policy: Policy) -> Iterator[Permission]:
    """Each action of each statement on each of its resources."""
    for statement in policy["Statement"]:
        assert statement.keys() == {"Effect", "Action", "Resource"}, f"not read here: {statement}"
        assert statement["Effect"] == "Allow", "what is not allowed is denied"
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield Permission(action, resource)


def differences(policy: Policy, used: Used) -> list[str]:
    """What the policy lacks, and what it has for nothing or twice; empty when it is exact.

    Permissions are compared as they are written: one that is wider than what is used is another one.
    """
    granted = sorted(granted_by(policy))
    return [
        *(
            f"missing: {needed} (by {', '.join(sorted(calls))})"
            for needed, calls in sorted(used.items())
            if needed not in granted
        ),
        *(f"unused: {each}" for each in granted if each not in used),
        *(f"repeated: {each}" for each in sorted(set(granted)) if granted.count(each) > 1),
    ]
