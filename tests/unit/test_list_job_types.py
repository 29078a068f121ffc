"""The job types are told with what their inputs must be, so that a client can check before it submits."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from chalicelib.job_types import JOB_TYPES
from chalicelib.web.handlers.job_types import list_job_types
from tests.unit.test_handlers import request
from tests.unit.world import SHORT

SPECIFICATION = yaml.safe_load((Path(__file__).parents[2] / "openapi.yml").read_text())


@pytest.fixture
def answer() -> dict[str, Any]:
    return json.loads(list_job_types(JOB_TYPES, request()).body)


def test_every_type_is_told_when_it_can_be_submitted(answer: dict[str, Any]) -> None:
    assert [each["name"] for each in answer["data"]] == sorted(JOB_TYPES)
    assert all(each["title"] and each["description"] for each in answer["data"])


def test_each_schema_is_one_of_json_schema_2020_12_when_it_is_checked(answer: dict[str, Any]) -> None:
    for each in answer["data"]:
        jsonschema.Draft202012Validator.check_schema(each["input_schema"])
        assert each["input_schema"]["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


def test_the_schema_takes_and_refuses_what_the_service_does_when_an_input_is_tried(
    answer: dict[str, Any],
) -> None:
    schema = next(each["input_schema"] for each in answer["data"] if each["name"] == "sha256.chain")
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid(SHORT)
    for wrong in ({**SHORT, "rounds": 0}, {**SHORT, "seed": "0x5e"}, {**SHORT, "colour": "green"}, {}):
        assert not validator.is_valid(wrong)


def test_the_specifications_example_is_what_is_answered_when_types_are_listed(answer: dict[str, Any]) -> None:
    operation = SPECIFICATION["paths"]["/v1/job-types"]["get"]
    (example,) = operation["responses"]["200"]["content"]["application/json"]["example"]["data"]
    assert example in answer["data"]
