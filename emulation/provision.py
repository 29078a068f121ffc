"""Makes what the app needs before it runs: its resources, its REST API, its usage plans, its first tenants.

Plain boto3 against the edge, and the app's own administration as a command: nothing here knows how the app
works.
"""

import asyncio
import json
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from emulation.environment import isolated
from emulation.resources import Client, create_resources
from emulation.settings import faults_of

STAGE = "local"
USES = ("submit", "read")
"""A usage plan for each, so that polling cannot eat the quota of submits."""

TENANT_FACTS = ("tenant_id", "name", "plan", "client_id", "client_secret")


class ProvisioningFailed(Exception):
    """The app's own command, which makes tenants and keys, failed."""


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed REST API; every absolute URL of its answers starts with `base_url`."""

    id: str
    stage: str
    base_url: str


@dataclass(frozen=True, slots=True)
class Administered:
    """What the app's own command has made."""

    signer: str | None
    tenants: list[dict[str, str]]


def provision_resources(template: Path, client: Client) -> None:
    """Makes the tables, queues and buckets of a CloudFormation template (JSON)."""
    with faults_of(template):
        create_resources(json.loads(template.read_text()), client)


def provision_api(openapi: Path, edge_url: str, client: Client) -> Api:
    """Imports the description as a REST API and deploys it; its stage knows its own address as `baseUrl`."""
    apigateway = client("apigateway")
    with faults_of(openapi, yaml.YAMLError):
        document = json.dumps(yaml.safe_load(openapi.read_text()))
    api_id = apigateway.import_rest_api(body=document.encode())["id"]
    base_url = f"{edge_url}/_aws/execute-api/{api_id}/{STAGE}"
    apigateway.create_deployment(restApiId=api_id, stageName=STAGE, variables={"baseUrl": base_url})
    return Api(api_id, STAGE, base_url)


def provision_usage_plans(plans: Path, api: Api, client: Client) -> None:
    """Makes `{plan}-submit` and `{plan}-read` of each plan, and lets them meter the API's stage."""
    apigateway = client("apigateway")
    with faults_of(plans):
        for plan, uses in tomllib.loads(plans.read_text())["plans"].items():
            for use in USES:
                limits = uses[use]
                apigateway.create_usage_plan(
                    name=f"{plan}-{use}",
                    apiStages=[{"apiId": api.id, "stage": api.stage}],
                    throttle={"rateLimit": limits["rate_limit"], "burstLimit": limits["burst_limit"]},
                    quota={"limit": limits["quota_limit"], "period": limits["quota_period"]},
                )


async def run_admin(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> Administered:
    """What the app's command prints, as JSON; it does not outlive a caller that is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=isolated(os.environ) | dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise ProvisioningFailed(f"{' '.join(command)}\n{errors.decode(errors='replace').strip()}")
    with faults_of("what the app's provision command prints"):
        answer = json.loads(output)
        tenants = [{fact: str(each[fact]) for fact in TENANT_FACTS} for each in answer["tenants"]]
        return Administered(answer.get("signer"), tenants)
