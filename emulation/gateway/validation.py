"""Request validation: required parameters first, then the body against the model of its media type.

Imitated: a parameter that is present but blank is missing; every missing one is named; a body whose media
type has no model passes. Formats are not checked.
"""

import asyncio
import json
from itertools import islice

from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator

from emulation.gateway.exchange import Exchange
from emulation.gateway.responses import Kind, Refused

# A body may break its model a million times over, which takes long to find out and fills the access log.
MOST_ERRORS = 20
LONGEST_MESSAGE = 200


async def validate(exchange: Exchange) -> None:
    """Raises Refused unless the request has what its method's validator asks for.

    A body may take long, so that it is validated in a thread and other requests go on.
    """
    method = exchange.method
    if not method.required_parameters and not method.body_validators:
        return
    missing = [
        each.name for each in method.required_parameters if not exchange.parameter(each.location, each.name)
    ]
    if missing:
        message = f"Missing required request parameters: [{', '.join(missing)}]"
        raise Refused(Kind.BAD_REQUEST_PARAMETERS, message=message)
    validator = method.body_validators.get(exchange.media_type)
    if validator is not None:
        await asyncio.to_thread(_validate_body, validator, exchange.request.body)


def _validate_body(validator: Validator, content: bytes) -> None:
    try:
        found = validator.iter_errors(json.loads(content, parse_constant=_no_json))
        errors = [_told(error) for error in islice(found, MOST_ERRORS)]
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or nested too deep
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error="[Unable to parse the body as JSON]") from error
    except OverflowError as error:  # of 1e999, which is no float, by a model's `multipleOf`
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error="[A number is too large]") from error
    except TimeoutError as error:
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error="[A pattern takes too long]") from error
    if errors:
        raise Refused(Kind.BAD_REQUEST_BODY, validation_error=f"[{', '.join(errors)}]")


def _no_json(constant: str) -> float:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _told(error: ValidationError) -> str:
    """Where and what, without the body itself: it may be long, and it may be secret."""
    where = "/".join(str(part) for part in error.absolute_path)
    if error.validator == "required" or error.validator == "additionalProperties":
        return f"/{where}: {error.message[:LONGEST_MESSAGE]}"
    return f"/{where}: does not satisfy {error.validator}"
