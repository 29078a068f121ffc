"""One run of Schemathesis, the same whether a test or a person starts it."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.stack_process import REPOSITORY

# Any will do: what matters is that every run thinks of the same requests.
SEED = 20261123


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, by its client."""

    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended, and what it printed unless it had a terminal to print to."""

    status: int
    printed: str


def fuzz(
    base_url: str, tenant: Tenant, other: Tenant, *arguments: str, stdout: int | None = subprocess.PIPE
) -> Run:
    """Calls the API as the one tenant, and asks for what it finds as the other too."""
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    config = str(Path(__file__).with_name("schemathesis.toml"))
    command = [schemathesis, "--config-file", config, "run", "openapi.yml", "--url", base_url]
    with TemporaryDirectory() as folder:
        auth = Path(folder) / "auth.json"
        logins = [_login(base_url, "caller", tenant), _login(base_url, "other", other)]
        auth.write_text(json.dumps({"auth": logins}))
        ended = subprocess.run(
            [*command, "--seed", str(SEED), *arguments],
            cwd=REPOSITORY,
            env={**os.environ, **_environment(base_url, tenant, other), "FUZZ_AUTH": str(auth)},
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    return Run(ended.returncode, ended.stdout or "")


def _environment(base_url: str, tenant: Tenant, other: Tenant) -> Mapping[str, str]:
    return {
        "FUZZ_BASE_URL": base_url,
        "FUZZ_CLIENT_ID": tenant.client_id,
        "FUZZ_CLIENT_SECRET": tenant.client_secret,
        "FUZZ_OTHER_CLIENT_ID": other.client_id,
        "FUZZ_OTHER_CLIENT_SECRET": other.client_secret,
    }


def _login(base_url: str, name: str, tenant: Tenant) -> Mapping[str, Any]:
    """How the tenant gets its tokens, in the words of Web Fuzzing Commons."""
    basic = b64encode(f"{tenant.client_id}:{tenant.client_secret}".encode()).decode()
    return {
        "name": name,
        "loginEndpointAuth": {
            "verb": "POST",
            "externalEndpointURL": f"{base_url}/v1/oauth/token",
            "contentType": "application/x-www-form-urlencoded",
            "headers": [{"name": "Authorization", "value": f"Basic {basic}"}],
            "payloadRaw": "grant_type=client_credentials",
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }
