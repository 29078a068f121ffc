"""API Gateway's control plane: the operations that `control` has, over moto's models.

moto's own handlers answer nothing here: they drop what matters in an import, change a resource half before
they refuse a patch, and fail with pages of HTML. What the service can do and this cannot is a 501.

Invariant: all of it happens under one lock; a write that is refused has changed nothing; and whoever gets an
answer to a write finds it in the next `view`.
"""

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.api import ACCOUNT, REGION, View
from emulation.gateway.control import (
    account,
    apis,
    authorizers,
    deployments,
    gateway_responses,
    integrations,
    keys,
    methods,
    plans,
    resources,
    stages,
    validation,
)
from emulation.gateway.control.answers import Refusal, answer, failure, refused
from emulation.gateway.control.calls import Call, understand
from emulation.gateway.control.state import State
from emulation.gateway.known_ids import FreshIds, KnownIds
from emulation.gateway.view_compiler import compile_view
from emulation.http import Request, Response

OPERATIONS: Mapping[str, Callable[[State, Call], Any]] = {
    **account.OPERATIONS,
    **apis.OPERATIONS,
    **authorizers.OPERATIONS,
    **deployments.OPERATIONS,
    **gateway_responses.OPERATIONS,
    **integrations.OPERATIONS,
    **keys.OPERATIONS,
    **methods.OPERATIONS,
    **plans.OPERATIONS,
    **resources.OPERATIONS,
    **stages.OPERATIONS,
    **validation.OPERATIONS,
}


class ControlPlane:
    """Answers control-plane requests; safe to call from many threads."""

    def __init__(self, ids: KnownIds | None = None) -> None:
        backend: models.APIGatewayBackend = models.apigateway_backends[ACCOUNT][REGION]
        self._state = State(backend=backend, ids=ids or FreshIds())
        self._lock = threading.Lock()
        self._view: View | None = None

    def view(self) -> View:
        """What holds now: compiled at the first request after a change, and shared until the next one."""
        view = self._view
        if view is None:
            with self._lock:
                view = self._view = compile_view(self._state.backend, self._state.deployments)
        return view

    def handle(self, request: Request) -> Response:
        """Answers one request, and makes its change visible before it does."""
        try:
            call = understand(request, OPERATIONS)  # before the lock: a file may take long to read
            with self._lock:
                try:
                    return answer(call.status, OPERATIONS[call.operation](self._state, call))
                finally:
                    if request.method != "GET":
                        self._view = None
        except Refusal as refusal:
            return refused(refusal)
        # A document or a value of the wrong shape fails wherever it is first read.
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError, re.error) as error:
            return failure(400, "BadRequestException", f"Invalid request: {error!r}")
