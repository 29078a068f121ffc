"""A stage's method settings after UpdateStage, put right.

moto gives every new setting a throttle of its own, 1,000 a second, even one that only turns logging on, and
does not remove settings. Here a throttle that nobody set is absent, which leaves the account's.
"""

from collections.abc import Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.plan_rules import check_limit

_THROTTLES = {"throttling/rateLimit": "throttlingRateLimit", "throttling/burstLimit": "throttlingBurstLimit"}


def check_method_settings(operations: list[Mapping[str, Any]]) -> None:
    """Raises InvalidPlan or ValueError unless every throttle that is set is a limit."""
    for operation in operations:
        if operation["op"] != "remove" and operation["path"].endswith(tuple(_THROTTLES)):
            check_limit(operation["path"], operation["value"])


def settle_method_settings(stage: models.Stage, known: set[str], operations: list[Mapping[str, Any]]) -> None:
    """Drops throttles that moto made up for settings not `known` before, and removes what is removed."""
    for name in set(stage.method_settings) - known:
        for setting in _THROTTLES.values():
            if not any(_sets(operation, name, setting) for operation in operations):
                stage.method_settings[name].pop(setting, None)
    for operation in operations:
        if operation["op"] == "remove":
            _remove(stage, operation["path"])


def _sets(operation: Mapping[str, Any], name: str, setting: str) -> bool:
    _, _, path = operation["path"].partition("/")
    return operation["op"] != "remove" and any(
        path == f"{name}/{suffix}" for suffix, each in _THROTTLES.items() if each == setting
    )


def _remove(stage: models.Stage, path: str) -> None:
    resource, verb, *rest = [*path.removeprefix("/").split("/", 2), ""]
    settings = stage.method_settings.get(f"{resource}/{verb}")
    if settings is None:
        return
    setting = _THROTTLES.get(rest[0])
    if setting is not None:
        settings.pop(setting, None)
    elif rest[0] == "":
        del stage.method_settings[f"{resource}/{verb}"]
