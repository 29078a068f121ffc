"""What an authorizer's policy says about one method ARN.

Imitated: an explicit deny beats every allow, and what nothing allows is denied; `*` stands for any
characters, slashes too, and `?` for one. Conditions, NotAction and NotResource are not imitated: a policy
that uses them is refused as malformed rather than read as something it does not say.
"""

import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

INVOKE = "execute-api:Invoke"


class MalformedPolicy(Exception):
    """The policy document is not one that can be evaluated."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The resources, as patterns, that invoking is allowed or denied on."""

    allowed: tuple[re.Pattern[str], ...]
    denied: tuple[re.Pattern[str], ...]

    def admits(self, method_arn: str) -> bool:
        """Whether the method may be invoked."""
        if any(pattern.fullmatch(method_arn) for pattern in self.denied):
            return False
        return any(pattern.fullmatch(method_arn) for pattern in self.allowed)


def parse_policy(document: Any) -> Policy:
    """The policy, or MalformedPolicy.

    >>> policy = parse_policy({"Statement": [
    ...     {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:*/GET/*"},
    ...     {"Effect": "Deny", "Action": "*", "Resource": ["arn:*/GET/admin"]}]})
    >>> policy.admits("arn:x/GET/jobs/7"), policy.admits("arn:x/GET/admin"), policy.admits("arn:x/PUT/jobs")
    (True, False, False)
    """
    statements = document.get("Statement") if isinstance(document, dict) else None
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicy("a policy document has a Statement")
    patterns: dict[str, list[re.Pattern[str]]] = {"Allow": [], "Deny": []}
    for statement in statements:
        effect, resources = _statement(statement)
        patterns[effect] += resources
    return Policy(tuple(patterns["Allow"]), tuple(patterns["Deny"]))


def _statement(statement: Any) -> tuple[str, list[re.Pattern[str]]]:
    if not isinstance(statement, dict) or set(statement) - {"Effect", "Action", "Resource", "Sid"}:
        raise MalformedPolicy("a statement has Effect, Action, Resource, perhaps Sid, and nothing else")
    effect = statement.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy("a statement's Effect is Allow or Deny")
    actions, resources = (list(_texts(statement.get(name))) for name in ("Action", "Resource"))
    invokes = any(_pattern(action.lower()).fullmatch(INVOKE.lower()) for action in actions)
    return effect, [_pattern(resource) for resource in resources] if invokes else []


def _texts(value: Any) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(each, str) for each in values):
        raise MalformedPolicy("a statement's Action and Resource are texts or lists of texts")
    return values


@lru_cache(maxsize=4096)  # a policy names a handful of methods, the same ones for every caller
def _pattern(wildcards: str) -> re.Pattern[str]:
    """What `fnmatch` makes of it never backtracks over a path, however many wildcards there are."""
    return re.compile(fnmatch.translate(wildcards.replace("[", "[[]")))  # brackets mean nothing in policies
