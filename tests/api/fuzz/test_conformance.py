"""The API does what openapi.yml says, and refuses what it does not, whatever Schemathesis thinks of."""

import os
from pathlib import Path

from tests.api.conftest import ACME, GLOBEX, SECRET, Api, client_id
from tests.api.fuzz.command import Tenant, fuzz

SECONDS_A_REQUEST = 0.01


def _tenant(tenant: str) -> Tenant:
    return Tenant(name=tenant, client_id=client_id(tenant), client_secret=SECRET)


def test_nothing_fails(api: Api, tmp_path: Path) -> None:
    answer = api.stack.functions["api_handler"]

    def timed(event):
        api.stack.clock.advance(SECONDS_A_REQUEST)
        return answer(event)

    api.stack.functions["api_handler"] = timed
    ended = fuzz(api.base_url, _tenant(ACME), _tenant(GLOBEX), *os.environ["F"].split(), folder=tmp_path)
    print(ended.printed)
    assert ended.status == 0, ended.printed
