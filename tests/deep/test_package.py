"""What runs here can be packaged for Lambda as it stands; nothing is deployed."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.deep
def test_a_deployable_is_built_when_the_project_is_packaged(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("app.py", "requirements.txt", "chalicelib", ".chalice"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("deployments"))
        else:
            shutil.copy(source, project / name)
    command = [Path(sys.executable).parent / "chalice", "package", "--stage", "local"]
    subprocess.run(
        [*command, "--merge-template", ".chalice/resources.json", "out"],
        cwd=project,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        check=True,
    )
    template = json.loads((project / "out" / "sam.json").read_text())["Resources"]
    resources = json.loads((REPOSITORY / ".chalice" / "resources.json").read_text())["Resources"]
    declared = Counter(each["Type"] for each in resources.values() if "Type" in each)
    assert declared.items() <= Counter(resource["Type"] for resource in template.values()).items()
    functions = [each for each in template.values() if each["Type"] == "AWS::Serverless::Function"]
    assert len(functions) == 7
    for function in functions:
        # `zama-jobs-local-run_job`, and the API's handler is just `zama-jobs-local`.
        name = function["Properties"]["FunctionName"].removeprefix("zama-jobs-local").removeprefix("-")
        policy = json.loads((project / ".chalice" / f"policy-{name or 'api_handler'}.json").read_text())
        role = template[function["Properties"]["Role"]["Fn::GetAtt"][0]]
        assert [each["PolicyDocument"] for each in role["Properties"]["Policies"]] == [policy]
