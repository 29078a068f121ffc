"""The tests are tested: each of these bugs, put into a copy of the project, makes tests beside it fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deep.bug import Bug
from tests.deep.bugs_of_access import BUGS_OF_ACCESS
from tests.deep.bugs_of_the_chain import BUGS_OF_THE_CHAIN
from tests.deep.bugs_of_the_engine import BUGS_OF_THE_ENGINE
from tests.deep.bugs_of_the_money import BUGS_OF_THE_MONEY

REPOSITORY = Path(__file__).parents[2]
INSTALLED = ("contracts/node_modules", "contracts/artifacts")


BUGS = (
    *BUGS_OF_ACCESS,
    *BUGS_OF_THE_CHAIN,
    *BUGS_OF_THE_ENGINE,
    *BUGS_OF_THE_MONEY,
    Bug(
        "the fence is skipped",
        "chalicelib/adapters/dynamodb_jobs.py",
        'for name in ("status", "version", "lease_epoch")',
        'for name in ("status", "version")',
        "tests/conformance/test_ports.py",
    ),
    Bug(
        "the entitlement is never released",
        "chalicelib/adapters/dynamodb_jobs.py",
        "        actions += _release_actions(changes)\n",
        "",
        "tests/conformance/test_ports.py",
    ),
    Bug(
        "an expired claim counts",
        "chalicelib/adapters/dynamodb_admission.py",
        "    if not holder.has_expired(now=now) or _is_unfinished(tables, holder):\n        return holder\n",
        "    return holder\n",
        "tests/conformance/test_ports.py",
    ),
    Bug(
        "an unfinished job loses its key",
        "chalicelib/adapters/dynamodb_admission.py",
        " or _is_unfinished(tables, holder):",
        ":",
        "tests/conformance/test_ports.py",
    ),
    Bug(
        "a key is taken from whoever renewed it",
        "chalicelib/adapters/dynamodb_admission.py",
        '" OR job_id = :ended"',
        '" OR job_id <> :ended OR job_id = :ended"',
        "tests/conformance/test_claims.py",
    ),
    Bug(
        "a revocation is believed too late",
        "chalicelib/use_cases/verify_token.py",
        "<= now < self._read[0] + _KEPT",
        "<= now < self._read[0] + 2 * _KEPT",
        "tests/unit/test_revocation.py",
    ),
    Bug(
        "a revocation is forgotten before its token",
        "chalicelib/use_cases/revoke_token.py",
        "until=theirs.expires_at + SKEW",
        "until=theirs.expires_at",
        "tests/unit/test_revocation.py",
    ),
    Bug(
        "a key may hold anything",
        "chalicelib/domain/idempotency.py",
        'values[0].strip(" \\t")',
        "values[0].strip()",
        "tests/unit/test_idempotent_submit.py",
    ),
    Bug(
        "a lost answer is taken for a failure",
        "chalicelib/adapters/dynamodb_admission.py",
        "        return _claim_after_ambiguity(tables, admission.claim, ended=ended)\n",
        "        raise\n",
        "tests/crash/test_jobs.py",
    ),
    Bug(
        "a job can be canceled after its result is stored",
        "chalicelib/domain/job.py",
        "Status.CONFIRMING: frozenset({Status.SUCCEEDED})",
        "Status.CONFIRMING: frozenset({Status.SUCCEEDED, Status.CANCELED})",
        "tests/unit/test_job.py",
    ),
    Bug(
        "the tenant is not in the job's key",
        "chalicelib/domain/confirmation.py",
        "text(tenant_id.encode())",
        'text(b"")',
        "tests/chain/test_registry.py",
    ),
    Bug(
        "a conflict is taken for a spent limit",
        "chalicelib/adapters/dynamodb.py",
        "            return _Conflict()\n",
        "            pass\n",
        "tests/crash/test_jobs.py",
    ),
    Bug(
        "a long poll sleeps through the end",
        "chalicelib/use_cases/read_job.py",
        "                if seen.job.is_terminal or is_news(seen):",
        "                if is_news(seen):",
        "tests/unit/test_long_polls.py",
    ),
    Bug(
        "a queue that cannot be read fails the request",
        "chalicelib/use_cases/estimate_wait.py",
        "        except Unavailable:\n            known = None\n",
        "        finally:\n            pass\n",
        "tests/unit/test_polling.py",
    ),
    Bug(
        "the scope is not asked for",
        "chalicelib/web/http.py",
        "if scope not in self.caller.scopes:",
        "if not self.caller:",
        "tests/api/test_problems.py",
    ),
    Bug(
        "the sweep sends nothing",
        "chalicelib/use_cases/sweep.py",
        "            self.queue.wake_runner(job.ref, trace_id=job.trace_id)\n",
        "            pass\n",
        "tests/crash/test_jobs.py",
    ),
    Bug(
        "messages are deleted before they are handled",
        "emulation/triggers.py",
        "            answer = await self._invoke(\n",
        "            await self._delete(messages)\n            answer = await self._invoke(\n",
        "tests/emulation/test_triggers.py",
    ),
    Bug(
        "a transaction is not rolled back",
        "emulation/aws_transactions.py",
        "        log.undo()\n",
        "        pass\n",
        "tests/conformance/test_aws_transactions.py",
    ),
    Bug(
        "a denied request spends a token",
        "emulation/gateway/usage.py",
        "        if denials:\n",
        "        self._buckets.update(taken)\n        if denials:\n",
        "tests/gateway/test_throttle.py",
    ),
)


def test_every_bug_fits_its_file_when_none_is_seeded() -> None:
    texts = {bug.file: (REPOSITORY / bug.file).read_text() for bug in BUGS}
    assert [bug.name for bug in BUGS if texts[bug.file].count(bug.right) != 1] == []


@pytest.mark.deep
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_test_fails_when_a_bug_is_seeded(tmp_path: Path, bug: Bug) -> None:
    copy = tmp_path / "project"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(lambda name: (REPOSITORY / name).exists(), listed.stdout.splitlines()):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, copy / name)
    for name in INSTALLED:
        (copy / name).symlink_to(REPOSITORY / name)
    text = (copy / bug.file).read_text()
    (copy / bug.file).write_text(text.replace(bug.right, bug.wrong))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", bug.noticed_by]
    ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, f"nobody noticed:\n{ran.stdout}"
    assert "failed" in ran.stdout
