"""One run of Schemathesis, the same whether a test or a person starts it."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stack_process import REPOSITORY

HERE = Path(__file__).parent
SEED = 20261123


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant, by the name and the secret of its client."""

    name: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """How a run ended, and what it printed."""

    status: int
    printed: str


def fuzz(
    base_url: str, tenant: Tenant, other: Tenant, *arguments: str, folder: Path, capture: bool = True
) -> Fuzzed:
    """Calls the API as one tenant; what is found is asked for as the other too."""
    auth = folder / "auth.json"
    auth.write_text(json.dumps({"auth": [_login(base_url, each) for each in (tenant, other)]}))
    ended = subprocess.run(
        _command(base_url, arguments),
        cwd=REPOSITORY,
        env={**os.environ, **_environment(base_url, tenant, other, auth)},
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        check=False,
    )
    return Fuzzed(ended.returncode, ended.stdout or "")


def _command(base_url: str, arguments: Sequence[str]) -> list[str]:
    schemathesis = str(Path(sys.executable).with_name("schemathesis"))
    config = ["--config-file", str(HERE / "schemathesis.toml")]
    return [
        schemathesis, *config, "run", "openapi.yml", "--url", base_url, "--seed", str(SEED), *arguments
    ]  # fmt: skip


def _environment(base_url: str, tenant: Tenant, other: Tenant, auth: Path) -> Mapping[str, str]:
    return {
        "FUZZ_AUTH": str(auth),
        "FUZZ_BASE_URL": base_url,
        "FUZZ_TENANT": tenant.name,
        "FUZZ_CLIENT_ID": tenant.client_id,
        "FUZZ_CLIENT_SECRET": tenant.client_secret,
        "FUZZ_OTHER_TENANT": other.name,
        "FUZZ_OTHER_CLIENT_ID": other.client_id,
        "FUZZ_OTHER_CLIENT_SECRET": other.client_secret,
    }


def _login(base_url: str, tenant: Tenant) -> Mapping[str, Any]:
    """How to get the tenant's tokens, in the words of Web Fuzzing Commons."""
    basic = b64encode(f"{tenant.client_id}:{tenant.client_secret}".encode()).decode()
    return {
        "name": tenant.name,
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
