"""The job types as a table of Markdown, which DESIGN.md shows between `<!-- job-types -->` and its end."""

from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from chalicelib.job_types.contract import JobInput, JobType
from chalicelib.web.schemas.base import LARGEST_INTEGER

# Lists and numbers with a smaller bound are beside the point.
MANY = 1_000


def job_types_table(job_types: Mapping[str, JobType]) -> str:
    """A row a type: what a unit of its cost is, how much its input may hold, and what it runs on."""
    rows = (
        f"| `{each.name}` | {each.version} | {each.compute_unit} | {', '.join(_bounds(each.input_model))} "
        f"| {f'`{each.requires}`' if each.requires else ''} |"
        for _, each in sorted(job_types.items())
    )
    return "\n".join(
        ("| type | version | one compute unit | at most | needs |", "|---|---|---|---|---|", *rows)
    )


def _bounds(model: type[JobInput]) -> Iterator[str]:
    """The members that hold many items or a large number, but for those that hold any number there is."""
    properties: Mapping[str, Mapping[str, JsonValue]] = model.model_json_schema()["properties"]
    for name, schema in properties.items():
        most = schema.get("maxItems", schema.get("maximum"))
        if isinstance(most, int) and MANY <= most < LARGEST_INTEGER:
            yield f"{most:,} `{name}`"
