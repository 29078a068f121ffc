"""Lambda authorizers: who the caller is, from the function's answer or from a cached one.

Imitated: a missing identity source or a token that the validation expression rejects is 401 without a call;
the exception `Unauthorized` is 401, any other failure 500; a policy that does not allow the method is 403. A
result is cached under the identity sources' values for the authorizer's TTL, with its context and its
`usageIdentifierKey`, and its policy is evaluated anew for each method.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from emulation.clock import monotonic
from emulation.functions import FunctionError, FunctionFailed, UnknownFunction
from emulation.gateway.api import Authorizer, AuthorizerKind
from emulation.gateway.exchange import Authorized, Call, Exchange, Invoke
from emulation.gateway.integration import function_behind
from emulation.gateway.mapping import value_of
from emulation.gateway.policy import MalformedPolicy, Policy, parse_policy
from emulation.gateway.proxy_event import authorizer_event, method_arn
from emulation.gateway.responses import Kind, Refused

# The service ends an authorizer's call after the same time as an integration's, which is 29 s.
TIMEOUT_SECONDS = 29.0
# Of a kilobyte or so each: more callers than a local stack ever has, and a bound for whoever makes tokens up.
MAX_VERDICTS = 10_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """A function's answer, understood."""

    policy: Policy
    authorized: Authorized


_CacheKey: TypeAlias = tuple[str, str, str, tuple[str, ...]]  # API, stage, authorizer, identity


class Authorizers:
    """Lets a request pass or raises Refused; remembers verdicts until their TTL ends or they are flushed.

    Used from the event loop's thread only.
    """

    def __init__(self) -> None:
        self._cache: dict[_CacheKey, tuple[float, Verdict]] = {}

    async def authorize(self, authorizer: Authorizer, exchange: Exchange, invoke: Invoke) -> Authorized:
        """What the authorizer says of the caller, if its policy allows the method."""
        identity = _identity(authorizer, exchange)
        arn = method_arn(exchange)
        key = (exchange.deployment.api_id, exchange.stage.name, authorizer.authorizer_id, identity)
        verdict = self._remembered(key, exchange.now)
        if verdict is not None:
            exchange.authorizer_call = Call(latency_ms=0, status=200)
        else:
            verdict = await _ask(authorizer, exchange, arn, invoke)
            if authorizer.ttl_seconds and identity:
                self._remember(key, exchange.now, authorizer.ttl_seconds, verdict)
        if not verdict.policy.admits(arn):
            exchange.authorized = verdict.authorized
            raise Refused(Kind.ACCESS_DENIED)
        return verdict.authorized

    def flush(self, api_id: str, stage_name: str) -> None:
        """Forgets every verdict of the stage."""
        for key in [key for key in self._cache if key[:2] == (api_id, stage_name)]:
            del self._cache[key]

    def _remembered(self, key: _CacheKey, now: float) -> Verdict | None:
        expires_at, verdict = self._cache.get(key, (now, None))
        return verdict if now < expires_at else None

    def _remember(self, key: _CacheKey, now: float, ttl_seconds: int, verdict: Verdict) -> None:
        self._cache.pop(key, None)
        self._cache[key] = (now + ttl_seconds, verdict)
        # The oldest come first, so that tokens seen once do not pile up beyond their TTL or the limit.
        while (oldest := next(iter(self._cache))) != key:
            if self._cache[oldest][0] > now and len(self._cache) <= MAX_VERDICTS:
                break
            del self._cache[oldest]


def _identity(authorizer: Authorizer, exchange: Exchange) -> tuple[str, ...]:
    values = tuple(value_of(source, exchange) for source in authorizer.identity_sources)
    present = tuple(value for value in values if value)
    if len(present) < len(values):
        raise Refused(Kind.UNAUTHORIZED)
    if authorizer.validation is not None and not authorizer.validation.covers(present[0]):
        raise Refused(Kind.UNAUTHORIZED)
    return present


async def _ask(authorizer: Authorizer, exchange: Exchange, arn: str, invoke: Invoke) -> Verdict:
    """The function's verdict; the exchange keeps what the call was like, whatever it came to."""
    began = monotonic()
    try:
        verdict = _understand(await _call(authorizer, exchange, arn, invoke))
    except Refused as refused:
        status, error = refused.kind.value.status, str(refused.__cause__ or refused.kind.name)
        exchange.authorizer_call = Call(round((monotonic() - began) * 1000), status=status, error=error)
        raise
    latency_ms = round((monotonic() - began) * 1000)
    exchange.authorizer_call = Call(latency_ms, status=200, service_status=200)
    return verdict


async def _call(authorizer: Authorizer, exchange: Exchange, arn: str, invoke: Invoke) -> object:
    name = function_behind(authorizer.uri, exchange)
    if name is None:
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
    event: object
    if authorizer.kind is AuthorizerKind.TOKEN:
        token = value_of(authorizer.identity_sources[0], exchange)
        event = {"type": "TOKEN", "methodArn": arn, "authorizationToken": token}
    else:
        event = authorizer_event(exchange, arn)
    try:
        return await invoke(name, event, TIMEOUT_SECONDS)
    except UnknownFunction as error:
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR) from error
    except FunctionError as error:
        unauthorized = isinstance(error, FunctionFailed) and error.message == "Unauthorized"
        raise Refused(Kind.UNAUTHORIZED if unauthorized else Kind.AUTHORIZER_FAILURE) from error


def _understand(answer: object) -> Verdict:
    """The verdict in a function's answer; one that is not in the published shape is a configuration error."""
    if not isinstance(answer, Mapping):
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
    principal_id, usage_key = answer.get("principalId"), answer.get("usageIdentifierKey")
    context = answer.get("context") or {}
    if not isinstance(principal_id, str) or not isinstance(context, Mapping):
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
    if usage_key is not None and not isinstance(usage_key, str):
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
    try:
        policy = parse_policy(answer.get("policyDocument"))
    except MalformedPolicy as error:
        raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR) from error
    texts = {str(name): _text(value) for name, value in context.items()}
    return Verdict(policy, Authorized(principal_id, texts, usage_key))


def _text(value: Any) -> str:
    """A context value as the function behind sees it: always text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
