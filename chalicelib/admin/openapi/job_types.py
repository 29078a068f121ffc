"""All that the specification says of job types, from the types themselves: a new one needs no edit of it."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.errors import UnknownJobType
from chalicelib.job_types.contract import JobType
from chalicelib.use_cases.submit_job import job_type_of
from chalicelib.web.schemas.job_types import job_type_view

Schema = dict[str, Any]
JobTypes = Mapping[str, JobType]


def submit_schemas(submit: Schema, job_types: JobTypes, *, components: str) -> dict[str, Schema]:
    """A submit of each type, told apart by `type`, with exactly one of the two ways to give an input."""
    others = {name: member for name, member in submit["properties"].items() if name not in ("type", "input")}
    return {
        _name(job_type): {
            "type": "object",
            "description": _description(job_type),
            "additionalProperties": False,
            "required": ["type"],
            "oneOf": [{"required": ["input"]}, {"required": ["input_upload"]}],
            "properties": {
                "type": {"type": "string", "enum": [job_type.name]},
                "input": {"$ref": components + job_type.input_model.__name__},
                **others,
            },
        }
        for job_type in _ordered(job_types)
    }


def one_of_submits(job_types: JobTypes, *, components: str) -> Schema:
    """The alternatives, and which one a `type` means."""
    mapping = {job_type.name: components + _name(job_type) for job_type in _ordered(job_types)}
    return {
        "oneOf": [{"$ref": reference} for reference in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }


def submit_examples(job_types: JobTypes) -> dict[str, Any]:
    """Each type's own example, as the body of a submit."""
    return {
        job_type.name: {
            "summary": job_type.title,
            "value": {"type": job_type.name, "input": dict(job_type.example)},
        }
        for job_type in _ordered(job_types)
    }


def list_example(job_types: JobTypes) -> Mapping[str, Any]:
    """The list's first type that can be had wherever the specification is printed."""
    told = next(job_type for job_type in _ordered(job_types) if job_type.requires is None)
    return {"object": "list", "data": [job_type_view(told).model_dump(mode="json")]}


def unknown_type(job_types: JobTypes) -> str:
    """What a submit of a type that is none of these is told."""
    try:
        job_type_of(job_types, "")
    except UnknownJobType as refused:
        return refused.detail
    raise AssertionError("no job type is called nothing")


def _ordered(job_types: JobTypes) -> list[JobType]:
    return [job_types[name] for name in sorted(job_types)]


def _name(job_type: JobType) -> str:
    return f"Submit{job_type.input_model.__name__.removesuffix('Input')}"


def _description(job_type: JobType) -> str:
    return (
        f"{job_type.title} (`{job_type.name}`, version {job_type.version}). {job_type.description} "
        f"One compute unit is {job_type.compute_unit}."
    )
