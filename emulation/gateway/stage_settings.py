"""A stage's method settings, changed by one patch operation at a time.

A setting that nobody made is absent: a throttle that is leaves the account's.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from emulation.gateway.control.answers import BadRequest
from emulation.gateway.control.patches import ALL, Patch, truth, unescaped
from emulation.gateway.plan_rules import check_limit

_LEVELS = ("OFF", "ERROR", "INFO")


def _rate(text: str) -> float:
    check_limit("throttling/rateLimit", text)
    return float(text)


def _burst(text: str) -> int:
    check_limit("throttling/burstLimit", text)
    return int(text)


def _level(text: str) -> str:
    if text not in _LEVELS:
        raise BadRequest(f"Invalid logging level. Valid options are {','.join(_LEVELS)}")
    return text


# By the end of the path: the setting's name, and what its value is made of.
_SETTINGS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metricsEnabled", truth),
    "logging/loglevel": ("loggingLevel", _level),
    "logging/dataTrace": ("dataTraceEnabled", truth),
    "throttling/burstLimit": ("throttlingBurstLimit", _burst),
    "throttling/rateLimit": ("throttlingRateLimit", _rate),
    "caching/enabled": ("cachingEnabled", truth),
    "caching/ttlInSeconds": ("cacheTtlInSeconds", int),
    "caching/dataEncrypted": ("cacheDataEncrypted", truth),
    "caching/requireAuthorizationForCacheControl": ("requireAuthorizationForCacheControl", truth),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorizedCacheControlHeaderStrategy", str),
}
_PATH = re.compile(rf"/(?P<method>.*/[A-Z*]+)(?:/(?P<setting>{'|'.join(_SETTINGS)}))?")
Settings = Mapping[str, Mapping[str, Any]]  # by method, then by the setting's name


def apply_to_settings(settings: Settings, patch: Patch) -> dict[str, dict[str, Any]]:
    """The settings with one operation applied; `remove` takes one setting away, or all of a method's."""
    found = _PATH.fullmatch(patch.path)
    if patch.op == "remove":
        return _without(settings, patch.path, found)
    if found is None or found["setting"] is None or patch.op not in ALL:
        paths = ", ".join(f"/{{resourcePath}}/{{httpMethod}}/{each}" for each in _SETTINGS)
        told = f"[/deploymentId, /description, /accessLogSettings, {paths}, /variables/{{variable_name}}]"
        raise BadRequest(f"Invalid method setting path: {patch.path}. Must be one of: {told}")
    method, (name, parse) = method_name(found["method"]), _SETTINGS[found["setting"]]
    value = parse(patch.text())
    return {**_copied(settings), method: {**settings.get(method, {}), name: value}}


def _without(settings: Settings, path: str, found: re.Match[str] | None) -> dict[str, dict[str, Any]]:
    method = method_name(found["method"]) if found else ""
    if found is None or method not in settings:
        told = "because there is no method setting for this method "
        raise BadRequest(f"Cannot remove method setting {path.removeprefix('/')} {told}")
    kept = _copied(settings)
    if found["setting"] is None:
        del kept[method]
    else:
        kept[method].pop(_SETTINGS[found["setting"]][0], None)
    return kept


def _copied(settings: Settings) -> dict[str, dict[str, Any]]:
    return {method: dict(each) for method, each in settings.items()}


def method_name(written: str) -> str:
    """`{path}/{VERB}` as the service tells it, however a patch writes it.

    >>> method_name("~1jobs~1{id}/GET"), method_name("jobs/{id}/GET")
    ('jobs~1{id}/GET', 'jobs~1{id}/GET')
    >>> method_name("~1/GET"), method_name("*/*")
    ('~1/GET', '*/*')
    """
    path, _, verb = written.rpartition("/")
    bare = unescaped(path).strip("/")
    return f"{bare.replace('/', '~1') or '~1'}/{verb}"


def limit_key(name: str) -> str:
    """`/path/VERB`, as a method is named in limits.

    >>> limit_key("jobs~1{id}/GET"), limit_key("~1/GET"), limit_key("*/*")
    ('/jobs/{id}/GET', '//GET', '*/*')
    """
    path, _, verb = name.rpartition("/")
    return name if path == "*" else f"/{unescaped(path).strip('/')}/{verb}"
