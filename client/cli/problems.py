"""What can end a command early, in words: what, where, and what to do. The one table of exit codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

import httpx
from pydantic import ValidationError

from client.cli.exit_codes import ExitCode
from client.cli.settings import Misuse
from client.documents import ApiProblem
from client.money import money
from client.oauth import UnknownTokenType
from client.payloads import WrongContent
from client.plan_limit import PlanLimit
from client.watching import StillRunning


class NotFinal(Exception):
    """There is nothing to verify yet."""


class ChainTrouble(Exception):
    """The node did not answer."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a command ends: `document` is for programs, `lines` are for people, the headline first."""

    exit_code: ExitCode
    document: Mapping[str, Any]
    lines: tuple[str, ...]


def ending_of(error: Exception) -> Ending | None:
    """How a command ends that the error ends; None for a mistake of ours, which needs a traceback."""
    if isinstance(error, ApiProblem):
        return _of_problem(error)
    for kinds, exit_code, code, advice in _OTHERS:
        if isinstance(error, kinds):
            detail = " ".join(str(error).split()) or type(error).__name__
            return _ending(exit_code, code, detail, advice)
    return None


def _ending(exit_code: ExitCode, code: str, detail: str, advice: str) -> Ending:
    document = {"code": code, "detail": detail, **({"advice": advice} if advice else {})}
    return Ending(exit_code, document, (detail, *([advice] if advice else [])))


# The first kind that fits says it; what has no advice says itself what to do.
_OTHERS: tuple[tuple[tuple[type[Exception], ...], ExitCode, str, str], ...] = (
    ((Misuse,), ExitCode.MISUSED, "misuse", ""),
    ((StillRunning,), ExitCode.STILL_RUNNING, "still_running", ""),
    ((NotFinal,), ExitCode.LATER, "not_final", ""),
    (
        (ChainTrouble,),
        ExitCode.LATER,
        "chain_unreachable",
        "Check JOBS_RPC_URL, and that the node runs; then run the command again.",
    ),
    (
        (httpx.TransportError,),
        ExitCode.LATER,
        "no_connection",
        "The service was not reached: check its address and your connection, and run the command again.",
    ),
    ((WrongContent,), ExitCode.LATER, "wrong_content", "Nothing was kept; run the command again."),
    (
        (ValidationError, JSONDecodeError, UnknownTokenType, httpx.HTTPError),
        ExitCode.LATER,
        "not_understood",
        "The answer is not this API's: check the address, and whether something is in between.",
    ),
)


def _of_problem(problem: ApiProblem) -> Ending:
    is_later = problem.retryable or problem.status == httpx.codes.TOO_MANY_REQUESTS or problem.status >= 500
    lines = [f"{problem.code} ({problem.status}): {problem.detail}"]
    lines += [f"{error.pointer}  {error.detail}" for error in problem.errors]
    lines += [_limit(problem.limit)] if problem.limit else []
    lines += [f"request {problem.request_id}"] if problem.request_id else []
    lines += _advice(problem)
    # The token endpoint's errors and a proxy's pages are no problem documents.
    built = {"status": problem.status, "code": problem.code, "detail": problem.detail}
    document = problem.document if "code" in problem.document else built
    return Ending(ExitCode.LATER if is_later else ExitCode.REFUSED, document, tuple(lines))


def _limit(limit: PlanLimit) -> str:
    shown = money if limit.name.endswith("_micros") else "{:,}".format
    resets = f"; resets {limit.resets_at:%Y-%m-%d %H:%M:%SZ}" if limit.resets_at else ""
    return (
        f"{limit.name}: {shown(limit.allowed)} allowed, {shown(limit.used)} used, "
        f"{shown(limit.needed)} needed{resets}"
    )


def _advice(problem: ApiProblem) -> list[str]:
    """What to do, as far as the answer says it; the problem's page says the rest."""
    advice = []
    if problem.retry_after is not None:
        advice.append(f"Try again in {problem.retry_after} s.")
    elif problem.retryable:
        advice.append("Try again.")
    elif problem.code == "invalid_client":  # RFC 6749 §5.2
        advice.append("Check JOBS_CLIENT_ID and JOBS_CLIENT_SECRET, or the stack that you named.")
    if problem.type:
        advice.append(f"What to do: {problem.type}")
    return advice
