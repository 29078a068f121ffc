"""A deployed API as immutable values: what the data plane reads, and all it reads.

A `Deployment` is compiled once and never changes: a method's key requirement, authorizer or validator edited
later shows at the next deployment. A `View` is what holds now: stages with the limits and variables of this
moment, keys, usage plans. A request takes one `View` and answers from it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from jsonschema.protocols import Validator

from emulation.gateway.patterns import Pattern
from emulation.gateway.quota import Quota
from emulation.gateway.references import RequestMapping, Source, UriTemplate
from emulation.gateway.routing import RoutingTable
from emulation.gateway.templates import LineFormat
from emulation.gateway.token_bucket import Limit

REGION = "us-east-1"
ACCOUNT = "123456789012"


class KeySource(Enum):
    HEADER = "HEADER"
    AUTHORIZER = "AUTHORIZER"


class Authorization(Enum):
    NONE = "NONE"
    CUSTOM = "CUSTOM"
    UNSUPPORTED = "UNSUPPORTED"  # AWS_IAM and Cognito: refused, never left open


class AuthorizerKind(Enum):
    TOKEN = "TOKEN"
    REQUEST = "REQUEST"


class IntegrationKind(Enum):
    AWS_PROXY = "AWS_PROXY"
    HTTP_PROXY = "HTTP_PROXY"
    MOCK = "MOCK"
    UNSUPPORTED = "UNSUPPORTED"  # HTTP and AWS, and what is misconfigured: answered with a 500


class Passthrough(Enum):
    WHEN_NO_MATCH = "WHEN_NO_MATCH"
    WHEN_NO_TEMPLATES = "WHEN_NO_TEMPLATES"
    NEVER = "NEVER"


@dataclass(frozen=True, slots=True)
class Parameter:
    """`method.request.{location}.{name}`; location is header, querystring or path."""

    location: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    authorizer_id: str
    kind: AuthorizerKind
    uri: UriTemplate  # if it names no function, that is a configuration error when called
    ttl_seconds: int  # 0: results are not cached
    identity_sources: tuple[Source, ...]
    validation: Pattern | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MockResponse:
    status: int
    selection: Pattern | None  # None: the default response
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    kind: IntegrationKind
    uri: UriTemplate | None = None  # of the function or the backend
    verb: str = "ANY"  # the backend's; ANY is the request's own
    mapping: RequestMapping = field(default_factory=RequestMapping)
    timeout_seconds: float = 29.0
    passthrough: Passthrough = Passthrough.WHEN_NO_MATCH
    request_templates: Mapping[str, str] = field(default_factory=dict)
    responses: tuple[MockResponse, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    verb: str  # as declared: GET, POST, … or ANY
    resource_id: str
    resource_path: str
    authorization: Authorization
    authorizer: Authorizer | None
    api_key_required: bool
    required_parameters: tuple[Parameter, ...]  # empty when the validator does not look at parameters
    body_validators: Mapping[
        str, Validator
    ]  # by media type; empty when the validator does not look at bodies
    integration: Integration

    @property
    def limit_key(self) -> str:
        """The method's name in throttle settings: `/path/VERB`."""
        return f"{self.resource_path}/{self.verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """How one type of the gateway's own answers looks; what is None or missing keeps the type's default."""

    status: int | None
    parameters: Mapping[
        str, str
    ]  # gatewayresponse.header.X to 'literal', method.request.…, context.…, stageVariables.…
    templates: Mapping[str, str]  # by media type


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One snapshot of an API."""

    api_id: str
    deployment_id: str
    key_source: KeySource
    binary_media_types: frozenset[str]
    routes: RoutingTable[Method]
    gateway_responses: Mapping[str, GatewayResponse]
    added_headers: Mapping[str, str]  # to an integration's answer, from `context.…`; see `extensions`

    def named(self, deployment_id: str) -> "Deployment":
        """The same snapshot under the id that it got."""
        return replace(self, deployment_id=deployment_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    name: str
    deployment: Deployment
    variables: Mapping[str, str]
    limits: Mapping[str, Limit]  # by `/path/VERB`, and `*/*` for every method
    access_log_format: LineFormat | None = None  # None: the stack's own line


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    key_id: str
    name: str
    value: str
    enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UsagePlan:
    plan_id: str
    name: str
    limit: Limit | None
    quota: Quota | None
    method_limits: Mapping[tuple[str, str], Mapping[str, Limit]]  # by (API, stage), then by `/path/VERB`
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    stages: Mapping[tuple[str, str], Stage]  # by (API, stage name)
    keys: Mapping[str, ApiKey]  # by value
    keys_by_id: Mapping[str, ApiKey]
    plans: Mapping[str, UsagePlan]  # by id
    plans_by_key: Mapping[tuple[str, str, str], UsagePlan]  # by (key id, API, stage name)
    # Whatever is worked out from the view alone, and so as long as it holds: the throttles of a request.
    memo: dict[Any, Any] = field(default_factory=dict, compare=False)
