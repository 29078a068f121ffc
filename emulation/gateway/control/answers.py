"""The control plane's answers and refusals, in the form that the SDKs read."""

import json
from typing import Any

from emulation.http import Response


class Refusal(Exception):
    """The request is refused and has changed nothing; the message is for whoever sent it."""

    status = 400
    error_type = "BadRequestException"


class BadRequest(Refusal):
    """What is asked for cannot be."""


class Invalid(Refusal):
    """The request does not fit the service's published model."""

    error_type = "ValidationException"


class Unreadable(Refusal):
    """A value has another type than the service's published model says."""

    error_type = "SerializationException"


class Unknown(Refusal):
    """No such operation; the service answers so to a path that it does not know."""

    status = 403
    error_type = "MissingAuthenticationTokenException"


class NotFound(Refusal):
    """What is named is not there."""

    status = 404
    error_type = "NotFoundException"


class Conflict(Refusal):
    """What is asked for contradicts what is there."""

    status = 409
    error_type = "ConflictException"


class NotImitated(Refusal):
    """The service can do it and this one cannot: said aloud, because silence would look like success."""

    status = 501
    error_type = "NotImplementedException"


def answer(status: int, body: Any) -> Response:
    """A control-plane answer; None is one without a body."""
    content = b"" if body is None else json.dumps(body).encode()
    return Response(status, (("Content-Type", "application/json"),), content)


def failure(status: int, error_type: str, message: str) -> Response:
    """A control-plane error."""
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type))
    return Response(status, headers, json.dumps({"message": message}).encode())


def refused(refusal: Refusal) -> Response:
    """The answer to a request that is refused."""
    return failure(refusal.status, refusal.error_type, str(refusal))
