"""The specification passes both linters as `make check` runs them, and neither is passed by what is wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PATH = f"{BIN}{os.pathsep}{os.environ['PATH']}"
RULESETS = (".spectral.yml", "redocly.yaml")

Specification = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what the linters read, to spoil."""
    for name in (*RULESETS, "openapi.yml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    (tmp_path / "tools").symlink_to(REPOSITORY / "tools")
    return tmp_path


def lint(linter: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [BIN / "npm", "--prefix", REPOSITORY / "tools", "run", "--silent", linter, "--", *arguments]
    environment = {**os.environ, "PATH": PATH}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("linter", ["spectral", "redocly"])
def test_the_linter_finds_nothing_when_it_reads_the_specification(linter: str, folder: Path) -> None:
    found = lint(linter, folder)
    assert found.returncode == 0, found.stdout + found.stderr


def without_401(specification: Specification) -> None:
    del specification["paths"]["/v1/jobs"]["post"]["responses"]["401"]


def with_an_unbounded_string(specification: Specification) -> None:
    specification["paths"]["/v1/jobs"]["post"]["parameters"].append(
        {"name": "note", "in": "query", "description": "Anything.", "schema": {"type": "string"}}
    )


def with_a_scope_nobody_grants(specification: Specification) -> None:
    specification["paths"]["/v1/jobs"]["post"]["security"] = [{"oauth": ["jobs:anything"]}]


def with_an_unused_schema(specification: Specification) -> None:
    specification["components"]["schemas"]["Unused"] = {"type": "boolean"}


@pytest.mark.parametrize(
    ("linter", "spoil", "rule"),
    [
        pytest.param(
            *("spectral", without_401, "owasp:api8:2023-define-error-responses-401"), marks=pytest.mark.deep
        ),
        ("spectral", with_an_unbounded_string, "owasp:api4:2023-string-limit"),
        pytest.param(
            *("redocly", with_a_scope_nobody_grants, "security-scopes-defined"), marks=pytest.mark.deep
        ),
        ("redocly", with_an_unused_schema, "no-unused-components"),
    ],
)
def test_the_linter_fails_when_the_specification_is_spoilt(
    linter: str, spoil: Callable[[Specification], None], rule: str, folder: Path
) -> None:
    path = folder / "openapi.yml"
    specification = yaml.safe_load(path.read_text())
    spoil(specification)
    path.write_text(yaml.safe_dump(specification, sort_keys=False))
    found = lint(linter, folder)
    assert found.returncode != 0
    assert rule in found.stdout + found.stderr


@pytest.mark.deep
def test_every_override_hides_something_when_it_is_taken_away(folder: Path) -> None:
    rules = yaml.safe_load((folder / ".spectral.yml").read_text())
    overridden = {
        (rule, unquote(place.partition("#")[2]))
        for override in rules.pop("overrides")
        for place in override["files"]
        for rule in override["rules"]
    }
    (folder / ".spectral.yml").write_text(yaml.safe_dump(rules))
    found = {
        (each["code"], place)
        for each in json.loads(lint("spectral", folder, "--format", "json").stdout)
        for place in pointers_to(each["path"])
    }
    assert overridden <= found


def pointers_to(path: list[str | int]) -> list[str]:
    """The JSON Pointers of a place and of all that it is in."""
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
    return ["".join(f"/{part}" for part in parts[:length]) for length in range(1, len(parts) + 1)]
