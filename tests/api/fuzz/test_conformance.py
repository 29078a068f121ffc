"""The API does what openapi.yml says, and refuses what it does not, whatever Schemathesis thinks of."""

from chalicelib.web.operations import OPERATIONS
from tests.api.conftest import ACME, GLOBEX, SECRET, client_id
from tests.api.fuzz.command import Tenant, fuzz
from tests.api.fuzz.conftest import Working

# In each of the phases that make requests up, for each operation: some 600 requests a run.
EXAMPLES = 4


def test_nothing_fails_when_either_tenant_calls(working: Working) -> None:
    acme, globex = (Tenant(client_id(each), SECRET) for each in (ACME, GLOBEX))
    for tenant, other in ((acme, globex), (globex, acme)):
        run = fuzz(working.api.base_url, tenant, other, "--max-examples", str(EXAMPLES))
        assert run.status == 0, run.printed
    for operation in OPERATIONS.values():
        successes = [
            status
            for method, path, status in working.answered
            if (method, path) == (operation.method, operation.path) and status < 300
        ]
        assert successes, f"{operation.id} was never called in a way that it accepts"
