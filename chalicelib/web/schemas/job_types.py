"""The job types on offer."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, WithJsonSchema

from chalicelib.job_types.contract import JobType as OfferedType
from chalicelib.web.schemas.base import LARGEST_INT32, Wire

# JSON Schema 2020-12 is what a schema without `$schema` would have to be guessed to be.
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class JobType(Wire):
    """A type of job that can be submitted; `input` must fit `input_schema`, a JSON Schema 2020-12.

    `example` is an input that does. `compute_unit` says what one unit of compute is.
    """

    object: Literal["job_type"] = "job_type"
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=64)]
    version: Annotated[int, Field(ge=1, le=LARGEST_INT32)]
    available: bool
    title: Annotated[str, Field(max_length=128)]
    description: Annotated[str, Field(max_length=1024)]
    compute_unit: Annotated[str, Field(max_length=128)]
    # Whatever JSON Schema has to say, so its members are bounded in number alone.
    input_schema: Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object", "maxProperties": 64})]
    example: Annotated[dict[str, JsonValue], WithJsonSchema({"type": "object", "maxProperties": 64})]


class JobTypeList(Wire):
    """Every job type, by name."""

    object: Literal["list"] = "list"
    data: Annotated[tuple[JobType, ...], Field(max_length=100)]


def job_type_view(job_type: OfferedType) -> JobType:
    """The type as tenants see it."""
    return JobType(
        name=job_type.name,
        version=job_type.version,
        available=job_type.is_available,
        title=job_type.title,
        description=job_type.description,
        compute_unit=job_type.compute_unit,
        input_schema={"$schema": DIALECT, **job_type.input_model.model_json_schema()},
        example=dict(job_type.example),
    )
