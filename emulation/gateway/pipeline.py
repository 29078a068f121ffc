"""The data plane: a request's checks in the order of the real service, and then its integration.

Route, authorizer, API key, throttle, quota, validation, media type, integration. A check refuses by raising
Refused; what refused is then answered as the API's gateway responses say. Whatever the answer, it names the
request.
"""

import logging
from collections.abc import Callable
from typing import TextIO

from emulation.clock import Clock, monotonic, request_id
from emulation.functions import UnknownFunction
from emulation.gateway import access_log, integration, usage, validation
from emulation.gateway.api import Authorization, IntegrationKind, KeySource, View
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.exchange import Caller, Exchange, Invoke, apigw_id
from emulation.gateway.responses import Kind, Refused, forbidden, render
from emulation.gateway.usage import Admission, Ledger
from emulation.http import Request, Response

PAYLOAD_LIMIT_BYTES = 10 * 1024 * 1024
_LOG = logging.getLogger(__name__)
_REFUSALS = {Admission.THROTTLED: Kind.THROTTLED, Admission.QUOTA_EXCEEDED: Kind.QUOTA_EXCEEDED}


async def nothing_attached(name: str, event: object, timeout_seconds: float) -> object:
    """Stands in until the functions run."""
    raise UnknownFunction(name)


class Gateway:
    """Answers requests to deployed APIs, in the event loop's thread."""

    def __init__(
        self,
        *,
        clock: Clock,
        view: Callable[[], View],
        ledger: Ledger,
        authorizers: Authorizers,
        log: TextIO | None,
    ) -> None:
        self.invoke: Invoke = nothing_attached
        self._clock = clock
        self._view = view
        self._ledger = ledger
        self._authorizers = authorizers
        self._log = log

    async def answer(self, request: Request, *, api_id: str, stage_name: str, path: str) -> Response:
        """The response to a request for `path` (after the stage) of a deployed stage."""
        began = monotonic()
        view = self._view()
        stage = view.stages.get((api_id, stage_name))
        identified = request_id()
        if stage is None:
            return _identified(forbidden(), identified)
        exchange = Exchange(
            request=request, request_id=identified, now=self._clock.now(), stage=stage, path=path
        )
        refused: Refused | None = None
        try:
            response = await self._pass(exchange, view)
        except Refused as refusal:
            refused = refusal
        except Exception:  # the outermost catch-all of the data plane
            _LOG.exception("request %s failed inside the gateway", identified)
            refused = Refused(Kind.API_CONFIGURATION_ERROR)
        if refused is not None:
            response = render(refused, exchange)
        if self._log is not None:
            latency_ms = (monotonic() - began) * 1000
            access_log.write_line(
                self._log, exchange, status=response.status, refused=refused, latency_ms=latency_ms
            )
        return _identified(response, identified)

    async def _pass(self, exchange: Exchange, view: View) -> Response:
        """The integration's response, if every check lets the request pass."""
        if (
            len(exchange.request.body) > PAYLOAD_LIMIT_BYTES
        ):  # it is refused while it is read, before any check
            raise Refused(Kind.REQUEST_TOO_LARGE)
        exchange.route = exchange.deployment.routes.match(exchange.path, exchange.request.method)
        if exchange.route is None:
            raise Refused(Kind.MISSING_AUTHENTICATION_TOKEN)
        await self._authorize(exchange)
        exchange.caller = identify(exchange, view)
        self._admit(exchange)
        await validation.validate(exchange)
        return await self._integrate(exchange)

    async def _authorize(self, exchange: Exchange) -> None:
        method = exchange.method
        if method.authorization is Authorization.UNSUPPORTED:
            raise Refused(Kind.API_CONFIGURATION_ERROR)
        if method.authorization is Authorization.CUSTOM:
            if method.authorizer is None:
                raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
            exchange.authorized = await self._authorizers.authorize(method.authorizer, exchange, self.invoke)

    def _admit(self, exchange: Exchange) -> None:
        throttles = usage.layers(exchange.stage, exchange.method, exchange.caller)
        admission = self._ledger.admit(throttles, exchange.caller, self._clock.now())
        if admission is not Admission.ADMITTED:
            raise Refused(_REFUSALS[admission])

    async def _integrate(self, exchange: Exchange) -> Response:
        match exchange.method.integration.kind:
            case IntegrationKind.AWS_PROXY:
                return await integration.call_function(exchange, self.invoke)
            case IntegrationKind.MOCK:
                return integration.mock(exchange)
            case IntegrationKind.UNSUPPORTED:
                raise Refused(Kind.API_CONFIGURATION_ERROR)


def identify(exchange: Exchange, view: View) -> Caller:
    """The caller by its API key; Refused if the method requires a key that this one is not.

    A method that requires none is metered all the same when the key is in a plan of this stage, even a
    disabled one.
    """
    value = _presented_key(exchange)
    key = view.keys.get(value) if value else None
    plan = (
        view.plans_by_key.get((key.key_id, exchange.deployment.api_id, exchange.stage.name)) if key else None
    )
    if exchange.method.api_key_required and (key is None or not key.enabled or plan is None):
        raise Refused(Kind.INVALID_API_KEY)
    return Caller(value, key, plan)


def _presented_key(exchange: Exchange) -> str | None:
    if exchange.deployment.key_source is KeySource.AUTHORIZER:
        return exchange.authorized.usage_identifier_key if exchange.authorized else None
    return exchange.headers.get("x-api-key")


def _identified(response: Response, request_id: str) -> Response:
    identity = (("x-amzn-RequestId", request_id), ("x-amz-apigw-id", apigw_id(request_id)))
    return Response(response.status, (*identity, *response.headers), response.body)
