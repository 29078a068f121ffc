"""What is wrong with a project's files is told in a line that names the file."""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulation.aws import Aws
from emulation.clock import ManualClock
from emulation.limits import read_limits
from emulation.provision import Api, provision_api, provision_resources, provision_usage_plans, run_admin
from emulation.resources import UnsupportedTemplate
from emulation.settings import InvalidProject, read_project
from tests.conformance.in_process import connect_in_process

API = Api("abc", "local", "http://127.0.0.1:9/local")


def client(service: str) -> Any:
    """Knows the account, and no other operation."""
    return SimpleNamespace(get_caller_identity=lambda: {"Account": "123456789012"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError: 'Resources'"),
        (
            '{"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}}}}',
            "KeyError: 'Name'",
        ),
    ],
)
def test_template_is_named_when_it_cannot_be_read(tmp_path: Path, text: str, reason: str) -> None:
    template = tmp_path / "resources.json"
    template.write_text(text)
    with pytest.raises(InvalidProject, match=rf"resources\.json: {reason}"):
        provision_resources(template, client)


def test_resource_is_refused_when_it_has_no_properties(tmp_path: Path) -> None:
    template = tmp_path / "resources.json"
    template.write_text('{"Resources": {"Jobs": {"Type": "AWS::SQS::Queue"}}}')
    with pytest.raises(UnsupportedTemplate, match=r"Jobs \(its QueueName\)"):
        provision_resources(template, client)


@pytest.mark.parametrize(
    ("properties", "named"),
    [
        ({"VersioningConfiguration": {"Status": "Enabled"}}, "VersioningConfiguration"),
        ({"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "TagFilters": []}]}}, "TagFilters"),
    ],
)
def test_bucket_is_refused_when_something_of_it_is_not_made(
    tmp_path: Path, properties: dict[str, Any], named: str
) -> None:
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "b", **properties}}
    template = tmp_path / "resources.json"
    template.write_text(json.dumps({"Resources": {"B": bucket}}))
    with pytest.raises(UnsupportedTemplate, match=named):
        provision_resources(template, client)


def test_objects_expire_when_the_template_says_so(tmp_path: Path) -> None:
    clock = ManualClock(0)
    aws = Aws(clock)
    rule = {"Id": "old", "Status": "Enabled", "Prefix": "old/", "ExpirationInDays": 30}
    properties = {"BucketName": "declared", "LifecycleConfiguration": {"Rules": [rule]}}
    template = tmp_path / "resources.json"
    template.write_text(
        json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}})
    )
    provision_resources(template, partial(connect_in_process, aws))
    s3 = connect_in_process(aws, "s3")
    for key in ("old/a", "new/a"):
        s3.put_object(Bucket="declared", Key=key, Body=b"")

    clock.advance(31 * 24 * 3600)

    assert [each["Key"] for each in s3.list_objects_v2(Bucket="declared")["Contents"]] == ["new/a"]


@pytest.mark.parametrize("text", ["paths: [", "day: 2026-11-23"])
def test_description_is_named_when_it_is_no_yaml_or_no_json_either(tmp_path: Path, text: str) -> None:
    openapi = tmp_path / "openapi.yml"
    openapi.write_text(text)
    with pytest.raises(InvalidProject, match=r"openapi\.yml: [^\n]+$"):
        provision_api(openapi, "http://127.0.0.1:9", client)


@pytest.mark.parametrize("text", ["[plans", "plans = 1", "[plans.free]", ""])
def test_plans_are_named_when_they_are_not_as_they_must_be(tmp_path: Path, text: str) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text(text)
    with pytest.raises(InvalidProject, match=r"plans\.toml: "):
        provision_usage_plans(plans, API, client)


@pytest.mark.parametrize("printed", ["done", "[]", "{}", '{"tenants": [{"tenant_id": "acme"}]}'])
def test_command_is_named_when_it_does_not_print_tenants(tmp_path: Path, printed: str) -> None:
    command = (sys.executable, "-S", "-c", f"print({printed!r})")
    with pytest.raises(InvalidProject, match="the app's provision command prints: "):
        asyncio.run(run_admin(command, folder=tmp_path, environment={}))


def test_configuration_is_named_when_it_is_no_json(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text("{")
    with pytest.raises(InvalidProject, match=r"config\.json: JSONDecodeError"):
        read_limits(config, "work")


def test_variable_is_named_when_its_template_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.emulation.environment]\nURL = "{"')
    with pytest.raises(InvalidProject, match=r"URL in \[tool\.emulation\.environment\]: ValueError"):
        read_project(tmp_path).told({})
