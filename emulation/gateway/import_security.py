"""The security of an imported document: its schemes as authorizers, and what an operation asks for.

Imitated: a scheme named `x-api-key` in a header asks for an API key; one with an authorizer is that
authorizer; one with the authtype `awsSigv4` is IAM; any other is ignored, as the service ignores it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from moto.apigateway import models
from moto.apigateway.utils import ApigwAuthorizerIdentifier

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.control.answers import BadRequest
from emulation.gateway.control.authorizers import DEFAULT_TTL_SECONDS, put_authorizer

_AUTHORIZER = "x-amazon-apigateway-authorizer"
_AUTHTYPE = "x-amazon-apigateway-authtype"
_AUTH = "x-amazon-apigateway-auth"
_IAM = "awsSigv4"
# Authtypes that mean nothing without an authorizer.
_AUTHORIZED = ("custom", "cognito_user_pools")
Schemes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """What a method asks of its callers, in the control plane's words."""

    authorization_type: str
    authorizer_id: str | None
    api_key_required: bool


def add_authorizers(api: models.RestAPI, schemes: Schemes) -> dict[str, models.Authorizer]:
    """The schemes' authorizers, put into the API; one that it has by that name is replaced under its id."""
    return {
        name: _add_authorizer(api, name, scheme)
        for name, scheme in schemes.items()
        if _AUTHORIZER in scheme or str(scheme.get(_AUTHTYPE)).lower() in _AUTHORIZED
    }


def _add_authorizer(api: models.RestAPI, name: str, scheme: Mapping[str, Any]) -> models.Authorizer:
    declared = scheme.get(_AUTHORIZER)
    if declared is None:
        raise BadRequest(f"Invalid OpenAPI input: the security scheme {name} has no {_AUTHORIZER}")
    known = [each.id for each in api.authorizers.values() if each.name == name]
    source, kind = declared.get("identitySource"), str(declared.get("type", "token")).upper()
    if source is None and kind == "TOKEN":
        source = f"method.request.header.{scheme.get('name', 'Authorization')}"
    authorizer = models.Authorizer(
        known[0] if known else ApigwAuthorizerIdentifier(ACCOUNT, REGION, name).generate(),
        name,
        kind,
        provider_arns=declared.get("providerARNs"),
        auth_type=scheme.get(_AUTHTYPE),
        authorizer_uri=declared.get("authorizerUri"),
        authorizer_credentials=declared.get("authorizerCredentials"),
        identity_source=source,
        identity_validation_expression=declared.get("identityValidationExpression"),
        authorizer_result_ttl=int(declared.get("authorizerResultTtlInSeconds", DEFAULT_TTL_SECONDS)),
    )
    put_authorizer(api, authorizer)
    return authorizer


def security_of(
    operation: Mapping[str, Any],
    default: Any,
    *,
    schemes: Schemes,
    authorizers: Mapping[str, models.Authorizer],
) -> Security:
    """What the operation asks for, or what the document does where it says nothing."""
    requirements = operation.get("security", default) or []
    names = list(dict.fromkeys(name for requirement in requirements for name in requirement))
    unknown = [name for name in names if name not in schemes]
    if unknown:
        raise BadRequest(f"Invalid OpenAPI input: no security scheme is named {unknown[0]}")
    asked = [authorizers[name] for name in names if name in authorizers]
    if len(asked) > 1:
        told = ", ".join(str(each.name) for each in asked)
        raise BadRequest(f"Invalid OpenAPI input: a method has one authorizer, and not all of {told}")
    by_iam = any(schemes[name].get(_AUTHTYPE) == _IAM for name in names)
    kind = "AWS_IAM" if by_iam else str((operation.get(_AUTH) or {}).get("type") or "NONE").upper()
    if asked:
        kind = asked[0].type if asked[0].type == "COGNITO_USER_POOLS" else "CUSTOM"
    return Security(
        authorization_type=kind,
        authorizer_id=asked[0].id if asked else None,
        api_key_required=any(_is_api_key(schemes[name]) for name in names),
    )


def _is_api_key(scheme: Mapping[str, Any]) -> bool:
    in_header = scheme.get("type") == "apiKey" and str(scheme.get("name", "")).lower() == "x-api-key"
    return in_header and _AUTHORIZER not in scheme
