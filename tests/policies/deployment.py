"""The functions as Chalice would deploy them, by its own reading of app.py and the configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chalice.cli.factory import CLIFactory
from chalice.deploy.appgraph import ApplicationGraphBuilder, DependencyBuilder
from chalice.deploy.models import LambdaFunction
from chalice.utils import to_cfn_resource_name

REPOSITORY = Path(__file__).parents[2]
CHALICE = REPOSITORY / ".chalice"
STAGE = "local"


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function by its name in Lambda; `resource` is what the packaged template calls it."""

    name: str
    policy_file: Path
    resource: str


def deployed_functions() -> Mapping[str, Deployed]:
    """By their names in app.py."""
    configuration = CLIFactory(str(REPOSITORY)).create_config_obj(chalice_stage_name=STAGE)
    graph = ApplicationGraphBuilder().build(configuration, STAGE)
    return {
        each.resource_name: Deployed(
            each.function_name, Path(each.role.policy.filename), _resource(each.resource_name)
        )
        for each in DependencyBuilder().build_dependencies(graph)
        if isinstance(each, LambdaFunction)
    }


def _resource(function: str) -> str:
    return "APIHandler" if function == "api_handler" else to_cfn_resource_name(function)
