"""Secrets are in no file, answer, table, queue or object of a stack that runs, but where they belong."""

from collections.abc import Iterator

import pytest

from tests.security.hearing import ANSWERS, TABLES
from tests.security.leaks import planted
from tests.security.visit import DESCRIPTION, FILES, MISPLACED, PRINTED, Visit
from tests.stack_process import start_stack


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The visit, when it is over; the stack still runs."""
    with start_stack(tmp_path_factory.mktemp("stack") / "state", "--clock", "manual") as stack:
        visit = Visit(stack)
        visit.make()
        yield visit


def test_no_secret_is_told_or_kept_when_a_stack_has_run(visit: Visit) -> None:
    found = visit.sinks.leaks(visit.secrets)
    assert not found, "\n".join(found)


def test_every_kind_of_secret_and_sink_was_there_when_a_stack_has_run(visit: Visit) -> None:
    """Without them, nothing could be found."""
    names = {secret.name.rpartition("/")[0] or secret.name for secret in visit.secrets}
    assert names >= {"access token", "client assertion", "DPoP proof", "a link's signature", "client secret"}
    assert names >= {"secret of acme", "zama-jobs", "zama-jobs/signer", "zama-jobs/token-key"}
    assert visit.sinks.written.keys() >= {ANSWERS, PRINTED, TABLES, DESCRIPTION, *FILES}
    assert b'"unexpected error"' in visit.sinks.written["functions.log"]
    assert MISPLACED.encode() in visit.sinks.written[ANSWERS]
    for secret in visit.secrets:
        if DESCRIPTION in secret.belongs_in:
            assert secret.content in visit.sinks.written[DESCRIPTION]


@pytest.mark.parametrize("name", FILES)
def test_a_leak_is_found_when_it_is_in_a_file_of_the_stack(visit: Visit, name: str) -> None:
    leak = planted(name)
    with (visit.state_dir / name).open("ab") as file:
        file.write(leak.content)
    visit.collect()
    found = visit.sinks.leaks([leak])
    assert found
    assert all(f"planted in {name} (raw)" in each for each in found)
