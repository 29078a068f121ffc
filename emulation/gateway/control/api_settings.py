"""The settings of an API as a whole, whether they come from a request or from a document."""

from collections.abc import Mapping
from typing import Any

from emulation.gateway.control.answers import BadRequest

LARGEST_COMPRESSION_SIZE = 10_485_760
ENDPOINT_TYPES = ("REGIONAL", "EDGE", "PRIVATE")


def key_source(text: str) -> str:
    """Where an API's keys come from."""
    if text not in ("HEADER", "AUTHORIZER"):
        raise BadRequest("Invalid API key source. Valid options are HEADER,AUTHORIZER")
    return text


def checked_endpoint(configuration: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The configuration, which is kept: whatever its type, the API is served at the one local address."""
    types = (configuration or {}).get("types")
    if types == []:
        raise BadRequest("REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.")
    if types is not None and len(types) > 1:
        raise BadRequest("Cannot create an api with multiple Endpoint Types.")
    return configuration


def checked_compression_size(size: int | str | None) -> int | None:
    """The size, which is kept: nothing is compressed."""
    try:
        number = int(size) if size or size == 0 else None
    except ValueError:
        number = -1
    if number is not None and not 0 <= number <= LARGEST_COMPRESSION_SIZE:
        told = f"must be between 0 and {LARGEST_COMPRESSION_SIZE}"
        raise BadRequest(f"Invalid minimum compression size, {told}")
    return number
