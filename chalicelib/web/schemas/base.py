"""What every shape on the wire has in common: closed, frozen, bounded, and written as canonical JSON."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    ValidationError,
    WithJsonSchema,
    model_serializer,
)

from chalicelib.domain.errors import FieldError, InvalidRequest
from chalicelib.web import json_text

# Integers that every JSON implementation keeps exactly (RFC 7493).
LARGEST_INTEGER = 2**53 - 1
LARGEST_INT32 = 2**31 - 1


# Of ISO 4217.
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", max_length=3)]


class Wire(BaseModel):
    """A document of the API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785), so equal documents are equal bytes."""
        return json_text.canonical(self.model_dump(mode="json", by_alias=True))


class Sparse(Wire):
    """A document in which a member without a value is absent, not null."""

    @model_serializer(mode="wrap")
    def _without_absent(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in handler(self).items() if value is not None}


class WireRequest(Wire):
    """A document that clients send: nothing is coerced into what it is not."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def read(cls, document: JsonValue) -> Self:
        """The request, or `InvalidRequest` with every place that is wrong."""
        if not isinstance(document, dict):
            raise InvalidRequest((FieldError("", "Input should be an object"),))
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False, include_input=False)
            raise InvalidRequest(tuple(FieldError.at(e["loc"], e["msg"]) for e in found)) from error


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_enum(*values: str) -> WithJsonSchema:
    """A text of an answer that is one of these today, and may be another in a later version."""
    return WithJsonSchema({"type": "string", "enum": [str(value) for value in values], "x-open-enum": True})


Timestamp = Annotated[
    datetime,
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
            "maxLength": 24,
        }
    ),
]
Url = Annotated[str, WithJsonSchema({"type": "string", "format": "uri", "maxLength": 2048})]
# A link that is signed with a role's session holds its token, of some thousand characters.
SignedUrl = Annotated[str, WithJsonSchema({"type": "string", "format": "uri", "maxLength": 8192})]
Word = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", max_length=66)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", max_length=64)]
UploadId = Annotated[str, Field(pattern=r"^upl_[0-9A-HJKMNP-TV-Z]{26}$", max_length=30)]
JobId = Annotated[str, Field(pattern=r"^job_[0-9A-HJKMNP-TV-Z]{26}$", max_length=30)]
# A quantity or an amount of money: an integer that may be larger than every JSON implementation keeps.
WholeNumber = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,38})$", max_length=39)]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
