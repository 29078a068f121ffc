"""The data plane: a request's checks in the order of the real service, and then its integration.

Route, authorizer, API key, throttle, quota, validation, media type, integration. A check refuses by raising
Refused; what refused is then answered as the API's gateway responses say. Whatever the answer, it names the
request.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TextIO

from emulation.clock import Clock, monotonic, request_id
from emulation.functions import UnknownFunction
from emulation.gateway import access_log, http_integration, integration, rate_limits, usage, validation
from emulation.gateway.api import Authorization, IntegrationKind, KeySource, View
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.exchange import Call, Caller, Exchange, Invoke, apigw_id
from emulation.gateway.extensions import with_headers
from emulation.gateway.responses import Kind, Refused, forbidden, render
from emulation.gateway.token_bucket import Limit
from emulation.gateway.usage import Admission, Ledger
from emulation.http import Request, Response
from emulation.http_client import HttpClient

PAYLOAD_LIMIT_BYTES = 10 * 1024 * 1024
# The quota "total combined size of request line and header values".
HEAD_LIMIT_BYTES = 10_240
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
        account: Limit,
    ) -> None:
        self.invoke: Invoke = nothing_attached
        self._clock = clock
        self._view = view
        self._ledger = ledger
        self._authorizers = authorizers
        self._log = log
        self._account = account
        self._http = HttpClient()

    async def answer(self, request: Request, *, api_id: str, stage_name: str, path: str) -> Response:
        """The response to a request for `path` (after the stage) of a deployed stage."""
        began = monotonic()
        stage = self._view().stages.get((api_id, stage_name))
        identified = request_id()
        if stage is None:
            return _identified(forbidden(), identified)
        exchange = Exchange(
            request=request, request_id=identified, now=self._clock.now(), stage=stage, path=path
        )
        refused: Refused | None = None
        try:
            response = await self._pass(exchange)
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
                self._log, exchange, response=response, refused=refused, latency_ms=latency_ms
            )
        return _identified(response, identified)

    async def close(self) -> None:
        """Closes the connections to backends."""
        await self._http.close()

    async def _pass(self, exchange: Exchange) -> Response:
        """The integration's response, if every check lets the request pass."""
        if _is_too_large(exchange):
            exchange.path = exchange.path[:HEAD_LIMIT_BYTES]  # so much of it may be told
            raise Refused(Kind.REQUEST_TOO_LARGE)
        exchange.route = exchange.deployment.routes.match(exchange.path, exchange.request.method)
        if exchange.route is None:
            raise Refused(Kind.MISSING_AUTHENTICATION_TOKEN)
        await self._authorize(exchange)
        self._admit(exchange)
        await validation.validate(exchange)
        response = await self._integrate(exchange)
        return with_headers(response, exchange) if exchange.deployment.added_headers else response

    async def _authorize(self, exchange: Exchange) -> None:
        method = exchange.method
        if method.authorization is Authorization.UNSUPPORTED:
            raise Refused(Kind.API_CONFIGURATION_ERROR)
        if method.authorization is Authorization.CUSTOM:
            exchange.caller = presented(exchange, self._view())  # the authorizer is told of it
            if method.authorizer is None:
                raise Refused(Kind.AUTHORIZER_CONFIGURATION_ERROR)
            exchange.authorized = await self._authorizers.authorize(method.authorizer, exchange, self.invoke)

    def _admit(self, exchange: Exchange) -> None:
        """By the keys, plans and limits of this moment: they may have changed while the authorizer ran.

        A method that requires no key is metered all the same when the key is in a plan of this stage, even a
        disabled one.
        """
        view, now = self._view(), self._clock.now()
        stage = view.stages.get((exchange.deployment.api_id, exchange.stage.name), exchange.stage)
        caller = exchange.caller = presented(exchange, view)
        if exchange.method.api_key_required and not caller.is_admissible:
            raise Refused(Kind.INVALID_API_KEY)
        throttles = usage.layers_in(view, stage, exchange.method, caller, self._account)
        verdict = self._ledger.admit(throttles, caller, now)
        method = (exchange.deployment.api_id, stage.name, exchange.method.limit_key)
        exchange.rate_limits = partial(rate_limits.told, self._ledger, caller, method, verdict, self._clock)
        if verdict.admission is not Admission.ADMITTED:
            raise Refused(_REFUSALS[verdict.admission])

    async def _integrate(self, exchange: Exchange) -> Response:
        """The integration's answer; the exchange keeps what the call was like, whatever it came to."""
        began = monotonic()
        try:
            response = await self._call(exchange)
        except Refused as refused:
            error = str(refused.__cause__ or refused.message)
            exchange.integration_call = Call(round((monotonic() - began) * 1000), error=error)
            raise
        is_function = exchange.method.integration.kind is IntegrationKind.AWS_PROXY
        service_status = 200 if is_function else response.status
        exchange.integration_call = Call(
            round((monotonic() - began) * 1000), status=response.status, service_status=service_status
        )
        return response

    async def _call(self, exchange: Exchange) -> Response:
        match exchange.method.integration.kind:
            case IntegrationKind.AWS_PROXY:
                return await integration.call_function(exchange, self.invoke)
            case IntegrationKind.HTTP_PROXY:
                return await http_integration.call_backend(exchange, self._http)
            case IntegrationKind.MOCK:
                return integration.mock(exchange)
            case IntegrationKind.UNSUPPORTED:
                raise Refused(Kind.API_CONFIGURATION_ERROR)


def _is_too_large(exchange: Exchange) -> bool:
    """Known while it is read, before any check. Of a head beyond its limit the service, too, says so in plain
    text, before it asks the API.
    """
    request = exchange.request
    line = len(request.method) + len(exchange.path) + len(request.query)
    head = line + sum(len(value) for _, value in request.headers)
    return head > HEAD_LIMIT_BYTES or len(request.body) > PAYLOAD_LIMIT_BYTES


def presented(exchange: Exchange, view: View) -> Caller:
    """The caller by the key it presents, whether or not that admits it."""
    value = _presented_key(exchange)
    key = view.keys.get(value) if value else None
    plan = (
        view.plans_by_key.get((key.key_id, exchange.deployment.api_id, exchange.stage.name)) if key else None
    )
    return Caller(value, key, plan)


def _presented_key(exchange: Exchange) -> str | None:
    if exchange.deployment.key_source is KeySource.AUTHORIZER:
        return exchange.authorized.usage_identifier_key if exchange.authorized else None
    return exchange.headers.get("x-api-key")


def _identified(response: Response, request_id: str) -> Response:
    identity = (("x-amzn-RequestId", request_id), ("x-amz-apigw-id", apigw_id(request_id)))
    return Response(response.status, (*identity, *response.headers), response.body)
