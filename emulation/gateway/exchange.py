"""One request on its way through the gateway, and what is known of it so far."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from emulation.gateway.api import ApiKey, Deployment, Method, Stage, UsagePlan
from emulation.gateway.routing import Route
from emulation.http import Request

# (function name, event, time-out in seconds) to the function's result; fails as `emulation.functions` says.
Invoke: TypeAlias = Callable[[str, object, float], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Authorized:
    """What an authorizer said about a caller it let pass."""

    principal_id: str
    context: Mapping[str, str]
    usage_identifier_key: str | None


class Caller(NamedTuple):  # made for each request, in half a frozen dataclass's time
    """Whose limits hold: the key's value as presented, the key if it is known, and its plan on this stage."""

    value: str | None = None
    key: ApiKey | None = None
    plan: UsagePlan | None = None

    @property
    def is_admissible(self) -> bool:
        """Whether the key opens a method of this stage that requires one."""
        return self.key is not None and self.key.enabled and self.plan is not None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function or a backend, as the access log tells of it; None is what nobody knows."""

    latency_ms: int
    status: int | None = None  # what the answer says
    service_status: int | None = None  # what the service that was called says: Lambda, or the backend itself
    error: str | None = None


def apigw_id(request_id: str) -> str:
    """The `x-amz-apigw-id` of a request: 16 characters, the last one an equals sign.

    >>> apigw_id("503ba33e-5e61-409f-9c78-bea12e674e13")
    'UDujPl5hQJ+ceL4='
    """
    return base64.b64encode(bytes.fromhex(request_id.replace("-", ""))[:11]).decode()


@dataclass(kw_only=True)
class Exchange:
    """Filled in as the request passes each check; a check reads only what earlier ones filled in.

    The one mutable value of the data plane, because the gateway's own answers and the access log tell what
    was known when a check refused.
    """

    request: Request
    request_id: str
    now: float
    stage: Stage
    path: str  # after the stage, percent-encoded
    route: Route[Method] | None = None
    authorized: Authorized | None = None
    caller: Caller = field(default_factory=Caller)
    authorizer_call: Call | None = None
    integration_call: Call | None = None
    rate_limits: Callable[[], Mapping[str, str]] = dict  # what `$context.rateLimit` stands for
    headers: Mapping[str, str] = field(init=False)  # by name in lower case; of a repeated one the last value

    def __post_init__(self) -> None:
        self.headers = {name.lower(): value for name, value in self.request.headers}

    @property
    def deployment(self) -> Deployment:
        return self.stage.deployment

    @property
    def method(self) -> Method:
        assert self.route is not None, "asked for the method before it was matched"
        return self.route.method

    @property
    def apigw_id(self) -> str:
        return apigw_id(self.request_id)

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        """Decoded, every value of every name."""
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.request.query, keep_blank_values=True):
            query.setdefault(name, []).append(value)
        return query

    @property
    def media_type(self) -> str:
        """The body's media type without its parameters; a body that does not say is JSON."""
        declared = self.headers.get("content-type", "application/json")
        return declared.partition(";")[0].strip().lower()

    def parameter(self, location: str, name: str) -> str | None:
        """What `method.request.{location}.{name}` stands for, or None if the request has none such."""
        match location:
            case "header":
                return self.headers.get(name.lower())
            case "querystring":
                values = self.query.get(name)
                return values[-1] if values else None
            case "path":
                return self.route.path_parameters.get(name) if self.route else None
        return None
