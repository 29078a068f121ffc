"""`jobs verify`: a result against the chain, on nobody's word but the node's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from client.cli.exit_codes import ExitCode
from client.cli.problems import ChainTrouble, NotFinal
from client.cli.session import AsJson, JobId, Stack, Tenant, session
from client.cli.settings import Chain, Misuse
from client.documents import Job, Result

if TYPE_CHECKING:  # it takes most of a second, which only a verification shall pay
    from client.verify import Report


def verify(
    context: typer.Context,
    job_id: JobId,
    *,
    stack: Stack = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Check a job's result against the chain.

    Besides the service it needs a node that you trust (JOBS_RPC_URL), the registry's address (JOBS_REGISTRY)
    and your tenant's id (JOBS_TENANT_ID); a local stack's stack.json has all of them.
    """
    with session(context, stack, tenant, as_json=as_json) as now:
        chain = now.settings.chain()
        job = now.client.get(job_id)
        stored = now.client.result(job_id)
        if not job.is_terminal:
            raise NotFinal(f"Its confirmation is not final yet: jobs wait {job_id}, and then verify it.")
        with now.screen.busy("asking the chain"):
            report = _report(chain, job, stored)
        now.screen.answer(_document(job, report), _text(job, report))
        if not report.agrees:
            raise typer.Exit(ExitCode.NO)


def _report(chain: Chain, job: Job, result: Result) -> "Report":
    from web3 import HTTPProvider, Web3

    from client.verify import Registry

    with _trouble_told(chain):
        registry = Registry(Web3(HTTPProvider(chain.rpc_url)), chain.registry)
        return registry.verify(job, result, tenant_id=chain.tenant_id)


@contextmanager
def _trouble_told(chain: Chain) -> Iterator[None]:
    """What the node, or the lack of one, makes impossible."""
    from requests import RequestException
    from web3.exceptions import BadFunctionCallOutput, InvalidAddress, Web3Exception

    try:
        yield
    except (BadFunctionCallOutput, InvalidAddress, ValueError) as error:
        raise Misuse(
            f"There is no registry at {chain.registry} on the chain of {chain.rpc_url}: check JOBS_REGISTRY "
            "and JOBS_RPC_URL."
        ) from error
    except (RequestException, Web3Exception) as error:
        raise ChainTrouble(f"The node at {chain.rpc_url} did not answer ({type(error).__name__}).") from error


def _document(job: Job, report: "Report") -> dict[str, Any]:
    checks = [
        {"check": name, "agrees": each.agrees, "said": each.said, "found": each.found}
        for name, each in report.findings()
    ]
    return {"job_id": job.id, "agrees": report.agrees, "checks": checks}


def _text(job: Job, report: "Report") -> str:
    lines = []
    for name, each in report.findings():
        found = each.found if each.agrees else f"{each.found or 'nothing'}, and the service says {each.said}"
        lines.append(f"{'✓' if each.agrees else '✗'} {name:<14} {found}")
    verdict = "verified: all of it holds" if report.agrees else f"not verified: {', '.join(report.wrong)}"
    return "\n".join([*lines, f"{job.id} is {verdict}"])
