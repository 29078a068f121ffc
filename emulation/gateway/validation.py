"""Request validation: required parameters first, then the body against the model of its media type.

Imitated: a parameter that is present but blank is missing; every missing one is named; a body whose media
type has no model passes. Formats are not checked.
"""

import json

from jsonschema.exceptions import ValidationError

from emulation.gateway.exchange import Exchange
from emulation.gateway.responses import Kind, Refused


def validate(exchange: Exchange) -> None:
    """Raises Refused unless the request has what its method's validator asks for."""
    method = exchange.method
    missing = [
        each.name for each in method.required_parameters if not exchange.parameter(each.location, each.name)
    ]
    if missing:
        message = f"Missing required request parameters: [{', '.join(missing)}]"
        raise Refused(Kind.BAD_REQUEST_PARAMETERS, message=message)
    if method.body_validators:
        _validate_body(exchange)


def _validate_body(exchange: Exchange) -> None:
    validator = exchange.method.body_validators.get(exchange.media_type)
    if validator is None:
        return
    try:
        body = json.loads(exchange.request.body)
    except ValueError as error:  # not JSON, or not UTF-8
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error="[Unable to parse the body as JSON]") from error
    errors = [_told(error) for error in validator.iter_errors(body)]
    if errors:
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error=f"[{', '.join(errors)}]")


def _told(error: ValidationError) -> str:
    """Where and what, without the body itself: it may be long, and it may be secret."""
    where = "/".join(str(part) for part in error.absolute_path)
    if error.validator == "required" or error.validator == "additionalProperties":
        return f"/{where}: {error.message}"
    return f"/{where}: does not satisfy {error.validator}"
