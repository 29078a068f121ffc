"""Authorizers, asked by the methods that name them from the next deployment on."""

from typing import Any

from moto.apigateway import models
from moto.apigateway.utils import ApigwAuthorizerIdentifier

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.control.answers import BadRequest
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import REPLACE_OR_REMOVE, Field, Patchable, patched, patches_of
from emulation.gateway.control.state import State, one, page, refuse_while_used
from emulation.gateway.patterns import compiled

KINDS = ("TOKEN", "REQUEST", "COGNITO_USER_POOLS")
TTLS_SECONDS = range(3_601)
DEFAULT_TTL_SECONDS = 300  # the service's own, for an authorizer that does not say
_FIELDS: Patchable = {
    "/name": Field("name"),
    "/type": Field("type"),
    "/authType": Field("auth_type", ops=REPLACE_OR_REMOVE),
    "/authorizerUri": Field("authorizer_uri"),
    "/authorizerCredentials": Field("authorizer_credentials", ops=REPLACE_OR_REMOVE),
    "/authorizerResultTtlInSeconds": Field("authorizer_result_ttl", int),
    "/identitySource": Field("identity_source", ops=REPLACE_OR_REMOVE),
    "/identityValidationExpression": Field("identity_validation_expression", ops=REPLACE_OR_REMOVE),
}


def create_authorizer(state: State, call: Call) -> Any:
    api, asked = state.api(call), call.body
    authorizer = models.Authorizer(
        ApigwAuthorizerIdentifier(ACCOUNT, REGION, asked["name"]).generate(),
        asked["name"],
        asked["type"],
        provider_arns=asked.get("providerARNs"),
        auth_type=asked.get("authType"),
        authorizer_uri=asked.get("authorizerUri"),
        authorizer_credentials=asked.get("authorizerCredentials"),
        identity_source=asked.get("identitySource"),
        identity_validation_expression=asked.get("identityValidationExpression"),
        authorizer_result_ttl=asked.get("authorizerResultTtlInSeconds", DEFAULT_TTL_SECONDS),
    )
    put_authorizer(api, authorizer)
    return authorizer.to_json()


def put_authorizer(api: models.RestAPI, authorizer: models.Authorizer) -> None:
    """The API with the authorizer, new or in the place of the one with its id; or a Refusal."""
    if not authorizer.name:
        raise BadRequest("Authorizer name cannot be empty")
    if any(each.name == authorizer.name and each.id != authorizer.id for each in api.authorizers.values()):
        told = f"Authorizer {authorizer.name} already exists in this RestApi."
        raise BadRequest(f"Authorizer name must be unique. {told}")
    if authorizer.type not in KINDS:
        raise BadRequest(f"Invalid authorizer type. Valid options are {','.join(KINDS)}")
    if authorizer.authorizer_result_ttl not in TTLS_SECONDS:
        raise BadRequest(f"Authorizer result TTL must be between 0 and {TTLS_SECONDS[-1]} seconds")
    if authorizer.type != "COGNITO_USER_POOLS" and not authorizer.authorizer_uri:
        raise BadRequest("Invalid Authorizer URI: it must not be empty")
    if authorizer.type == "REQUEST" and authorizer.authorizer_result_ttl and not authorizer.identity_source:
        raise BadRequest("Identity source is required when authorizer caching is enabled")
    if authorizer.identity_validation_expression:
        compiled(authorizer.identity_validation_expression)
    api.authorizers[str(authorizer.id)] = authorizer


def _authorizer(state: State, call: Call) -> models.Authorizer:
    return one(state.api(call).authorizers, call.path["authorizer_id"], "Authorizer identifier")


def get_authorizer(state: State, call: Call) -> Any:
    return _authorizer(state, call).to_json()


def get_authorizers(state: State, call: Call) -> Any:
    return page(call, [each.to_json() for each in state.api(call).authorizers.values()])


def update_authorizer(state: State, call: Call) -> Any:
    authorizer = patched(_authorizer(state, call), patches_of(call), _FIELDS)
    put_authorizer(state.api(call), authorizer)
    return authorizer.to_json()


def delete_authorizer(state: State, call: Call) -> Any:
    authorizer, api = _authorizer(state, call), state.api(call)
    refuse_while_used(
        api,
        f"authorizer '{authorizer.name}', is referenced in method",
        lambda method: bool(method.authorizer_id == authorizer.id),
    )
    del api.authorizers[str(authorizer.id)]


OPERATIONS = {
    "CreateAuthorizer": create_authorizer,
    "DeleteAuthorizer": delete_authorizer,
    "GetAuthorizer": get_authorizer,
    "GetAuthorizers": get_authorizers,
    "UpdateAuthorizer": update_authorizer,
}
