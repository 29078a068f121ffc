"""A client gets in by a live secret of its own; whoever has none learns nothing, and the log tells of it."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain import client_secret
from chalicelib.domain.client import OVERLAP
from chalicelib.domain.tallies import FAILURES_OF_ADDRESS
from chalicelib.web.http import Response
from chalicelib.web.logs import logger
from tests.unit.access import (
    ACMES,
    ACMES_OTHER,
    ADDRESS,
    GLOBEXS,
    SECRET,
    WRONG_SECRET,
    Access,
    Unasked,
    basic,
    offer,
)
from tests.unit.test_token_endpoints import GRANT, assert_refused
from tests.unit.world import START

NEW_SECRET = client_secret.seal("n" * client_secret.RANDOM_CHARACTERS)
NEWEST_SECRET = client_secret.seal("m" * client_secret.RANDOM_CHARACTERS)
UNKNOWN = "cli_" + "9" * 26
ENDPOINTS = ("ask", "revoke")


@pytest.fixture
def access() -> Access:
    return Access()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nothing_is_read_or_written_when_a_secret_is_mistyped(access: Access, endpoint: str) -> None:
    access.clients = access.tenants = access.tallies = access.single_use = Unasked()  # type: ignore[assignment]
    for mistyped in (SECRET[:-1] + "x", SECRET.lower(), SECRET[:-1], "hunter2", ""):
        refusal = offer(access, mistyped, endpoint=endpoint)
        assert_refused(refusal, 401, "invalid_client")
        assert "mistyped" in json.loads(refusal.body)["error_description"]


def test_a_typo_costs_nothing_when_it_is_made_often(access: Access) -> None:
    for _ in range(10 * FAILURES_OF_ADDRESS):
        assert offer(access, SECRET[:-1] + "x").status == 401
    assert offer(access).status == 200


def rotate(access: Access, secret: str, *, overlap: timedelta = OVERLAP) -> None:
    rows = access.clients.rows
    rows[ACMES] = rows[ACMES].rotated(secret, now=access.clock.now(), overlap=overlap)


def test_two_secrets_open_the_door_while_a_rotation_is_on_and_the_old_one_ends_to_the_second(
    access: Access,
) -> None:
    rotate(access, NEW_SECRET)
    access.clock.advance(OVERLAP - timedelta(seconds=1))
    assert (offer(access).status, offer(access, NEW_SECRET).status) == (200, 200)
    access.clock.advance(timedelta(seconds=1))
    assert (offer(access).status, offer(access, NEW_SECRET).status) == (401, 200)


def test_the_old_secret_ends_at_once_when_there_is_no_overlap(access: Access) -> None:
    rotate(access, NEW_SECRET, overlap=timedelta())
    assert (offer(access).status, offer(access, NEW_SECRET).status) == (401, 200)


def test_an_old_secret_is_given_no_more_time_when_another_rotation_begins(access: Access) -> None:
    rotate(access, NEW_SECRET)
    access.clock.advance(OVERLAP - timedelta(seconds=1))
    rotate(access, NEWEST_SECRET)
    access.clock.advance(timedelta(seconds=1))
    statuses = [offer(access, secret).status for secret in (SECRET, NEW_SECRET, NEWEST_SECRET)]
    assert statuses == [401, 200, 200]


def test_nothing_but_a_digest_is_kept_of_a_secret(access: Access) -> None:
    rotate(access, NEW_SECRET)
    kept = repr(access.clients.rows)
    for secret in (SECRET, NEW_SECRET):
        assert client_secret.digest(secret) in kept
        assert secret not in kept
        assert secret.removeprefix(client_secret.PREFIX)[:8] not in kept


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_answer_is_the_same_whyever_a_client_is_refused(access: Access, endpoint: str) -> None:
    rows = access.clients.rows
    rows[GLOBEXS] = replace(rows[GLOBEXS], revoked_at=START)
    rows[ACMES_OTHER] = replace(rows[ACMES_OTHER], secrets=())
    refused = [
        (UNKNOWN, SECRET),
        (ACMES, WRONG_SECRET),
        (GLOBEXS, SECRET),
        (ACMES_OTHER, SECRET),
        ("x", SECRET),
    ]
    answers = [offer(access, secret, client_id=each, endpoint=endpoint) for each, secret in refused]
    assert answers == [answers[0]] * len(refused)
    assert_refused(answers[0], 401, "invalid_client")


MALFORMED = 'cli_"}\n{'
REFUSALS: dict[str, tuple[Callable[[Access], Response], str | None, str]] = {
    "wrong secret": (lambda a: offer(a, WRONG_SECRET), ACMES, "invalid_client"),
    "mistyped secret": (lambda a: offer(a, SECRET + "x"), ACMES, "invalid_client"),
    "unknown client": (lambda a: offer(a, client_id=UNKNOWN), UNKNOWN, "invalid_client"),
    "no id of a client": (lambda a: offer(a, client_id=MALFORMED), None, "invalid_client"),
    "no credential": (lambda a: a.ask(GRANT), None, "invalid_client"),
    "a form that is wrong": (
        lambda a: a.ask({"grant_type": SECRET}, basic()),
        ACMES,
        "unsupported_grant_type",
    ),
    "a scope that is wrong": (lambda a: a.ask({**GRANT, "scope": SECRET}, basic()), ACMES, "invalid_scope"),
}


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", stream)
    return stream


@pytest.mark.parametrize("name", REFUSALS)
def test_one_line_tells_who_was_refused_from_where_and_why_and_never_with_what(
    access: Access, log: io.StringIO, name: str
) -> None:
    refuse, client_id, code = REFUSALS[name]
    refuse(access)
    line = json.loads(log.getvalue())
    told = {key: line.get(key) for key in ("level", "message", "client_id", "address", "code")}
    assert told == {
        "level": "WARNING",
        "message": "client refused",
        "client_id": client_id,
        "address": ADDRESS,
        "code": code,
    }
    offered = (SECRET, WRONG_SECRET, MALFORMED, basic().removeprefix("Basic "))
    assert not [each for each in offered if each in log.getvalue()]


def test_a_line_tells_of_each_that_is_throttled(access: Access, log: io.StringIO) -> None:
    for _ in range(FAILURES_OF_ADDRESS + 2):
        offer(access, WRONG_SECRET)
    codes = [json.loads(line)["code"] for line in log.getvalue().splitlines()]
    assert codes == ["invalid_client"] * FAILURES_OF_ADDRESS + ["too_many_attempts"] * 2


def test_no_line_tells_of_whoever_gets_in(access: Access, log: io.StringIO) -> None:
    assert offer(access).status == 200
    assert log.getvalue() == ""
