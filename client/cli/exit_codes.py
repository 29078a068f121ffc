"""What the exit code of a command says; scripts rely on it."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    NO = 1  # it was done, and the answer is bad news
    MISUSED = 2  # click's own code for a wrong command line
    REFUSED = 3
    LATER = 4
    STILL_RUNNING = 5
    INTERRUPTED = 130  # 128 and the number of SIGINT, as shells have it


MEANINGS = {
    ExitCode.OK: "done",
    ExitCode.NO: "a job failed or was canceled, or a check of verify failed",
    ExitCode.MISUSED: "the command line or a setting is wrong",
    ExitCode.REFUSED: "the API refused the request",
    ExitCode.LATER: "try again later: rate limit, trouble, no connection, not ready",
    ExitCode.STILL_RUNNING: "the time is up and the job still runs",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}


def described() -> str:
    """A line a code."""
    return "\n".join(f"{code:>5}  {meaning}" for code, meaning in MEANINGS.items())
