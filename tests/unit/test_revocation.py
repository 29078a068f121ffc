"""A revoked token is of no use within five seconds, whatever a function remembers; others live on."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME
from chalicelib.use_cases.verify_token import REVOCATIONS_SECONDS
from tests.unit.access import ACMES, ACMES_OTHER, GLOBEXS, Access, basic

WITHIN = timedelta(seconds=5)


class Watched(MemoryRevocations):
    """Counts the readings; when it is down, every call fails."""

    def __init__(self) -> None:
        super().__init__()
        self.readings = 0
        self.is_down = False

    def revoke(self, token_id: str, *, until: datetime) -> None:
        self._check()
        super().revoke(token_id, until=until)

    def in_force(self, *, now: datetime) -> frozenset[str]:
        self._check()
        self.readings += 1
        return super().in_force(now=now)

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("no answer")


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def access(watched: Watched) -> Access:
    return Access(revocations=watched)


def revoked(access: Access) -> str:
    """A token that the warm function knows, and that was revoked since."""
    token = access.token()
    assert access.decision(token) == "Allow"
    assert access.revoke({"token": token}, basic()).status == 200
    return token


def test_a_token_is_denied_when_it_was_revoked_five_seconds_ago(access: Access) -> None:
    token = revoked(access)
    assert access.decision(token, access.cold()) == "Deny"
    access.clock.advance(timedelta(seconds=REVOCATIONS_SECONDS))
    assert access.decision(token) == "Deny"


def test_the_bound_is_kept_when_the_list_was_read_just_before_the_revocation(access: Access) -> None:
    token = access.token()
    for _ in range(7):
        access.clock.advance(timedelta(seconds=REVOCATIONS_SECONDS, milliseconds=-1))
        assert access.decision(token) == "Allow"
    access.revoke({"token": token}, basic())
    access.clock.advance(WITHIN)
    assert access.decision(token) == "Deny"


def test_a_revoked_token_is_never_taken_again_until_it_has_expired_for_everyone(access: Access) -> None:
    token = revoked(access)
    access.clock.advance(WITHIN + timedelta(milliseconds=500))
    for _ in range(int((TOKEN_LIFETIME + 2 * SKEW).total_seconds())):
        assert (access.decision(token), access.decision(token, access.cold())) == ("Deny", "Deny")
        access.clock.advance(timedelta(seconds=1))
    assert access.revocations.in_force(now=access.clock.now()) == frozenset()


def test_other_tokens_are_allowed_when_one_is_revoked(access: Access) -> None:
    others = [access.token(client_id) for client_id in (ACMES, ACMES_OTHER, GLOBEXS)]
    revoked(access)
    access.clock.advance(WITHIN)
    assert {access.decision(token) for token in (*others, access.token())} == {"Allow"}


@pytest.mark.parametrize("client_id", [ACMES_OTHER, GLOBEXS], ids=["of the tenant", "of another tenant"])
def test_a_token_lives_on_when_another_client_revokes_it(access: Access, client_id: str) -> None:
    token = access.token()
    refusal = access.revoke({"token": token}, basic(client_id))
    assert (refusal.status, b'"invalid_grant"' in refusal.body) == (400, True)
    access.clock.advance(WITHIN)
    assert access.decision(token) == "Allow"


def test_a_token_lives_on_when_its_client_does_not_prove_itself(access: Access) -> None:
    token = access.token()
    assert access.revoke({"token": token}, basic(secret="wrong")).status == 401
    access.clock.advance(WITHIN)
    assert access.decision(token) == "Allow"


@pytest.mark.parametrize(
    "useless",
    [lambda _: "x", lambda access: access.token() + "x", lambda access: expired(access)],
    ids=["no token", "another signature", "expired"],
)
def test_nothing_is_remembered_when_the_token_is_of_no_use_already(
    access: Access, useless: Callable[[Access], str]
) -> None:
    answer = access.revoke({"token": useless(access)}, basic())
    assert (answer.status, answer.body, answer.media_type) == (200, b"", None)
    assert access.revocations.in_force(now=access.clock.now()) == frozenset()


def expired(access: Access) -> str:
    token = access.token()
    access.clock.advance(TOKEN_LIFETIME + SKEW + timedelta(seconds=1))
    return token


def test_the_answer_is_the_same_when_a_token_is_revoked_again(access: Access) -> None:
    token = access.token()
    answers = [access.revoke({"token": token, "token_type_hint": "refresh_token"}, basic()) for _ in range(3)]
    assert answers == [answers[0]] * 3
    assert len(access.revocations.in_force(now=access.clock.now())) == 1


def test_the_list_is_read_once_in_its_seconds_when_a_warm_function_is_busy(
    access: Access, watched: Watched
) -> None:
    token = access.token()
    for _ in range(100):
        assert access.decision(token) == "Allow"
        access.clock.advance(timedelta(seconds=REVOCATIONS_SECONDS) / 101)
    assert watched.readings == 1


def test_the_list_is_read_anew_when_the_clock_was_set_back(access: Access) -> None:
    token = revoked(access)
    access.clock.advance(-timedelta(seconds=2))
    assert access.decision(token) == "Deny"


def test_nobody_is_let_in_when_the_list_cannot_be_read(access: Access, watched: Watched) -> None:
    token = access.token()
    assert access.decision(token) == "Allow"
    watched.is_down = True
    with pytest.raises(Unavailable):
        access.decision(token, access.cold())
    access.clock.advance(timedelta(seconds=REVOCATIONS_SECONDS))
    with pytest.raises(Unavailable):
        access.decision(token)
    watched.is_down = False
    assert access.decision(token) == "Allow"


def test_the_list_is_not_read_when_the_token_is_forged(access: Access, watched: Watched) -> None:
    watched.is_down = True
    assert access.decision(access.token() + "x") == "Deny"


def test_a_revocation_is_done_by_its_retry_when_the_store_was_down(access: Access, watched: Watched) -> None:
    token = access.token()
    watched.is_down = True
    assert access.revoke({"token": token}, basic()).status == 503
    watched.is_down = False
    assert access.decision(token) == "Allow"
    access.revoke({"token": token}, basic())
    access.clock.advance(WITHIN)
    assert access.decision(token) == "Deny"


def test_a_client_revokes_no_more_than_sixty_tokens_a_minute_when_it_only_fills_the_list(
    access: Access,
) -> None:
    answers = [access.revoke({"token": access.token()}, basic()) for _ in range(61)]
    assert [answer.status for answer in answers] == [200] * 60 + [429]
    assert answers[-1].headers["Retry-After"] == "60"
    assert len(access.revocations.in_force(now=access.clock.now())) == 60
    assert access.revoke({"token": access.token(GLOBEXS)}, basic(GLOBEXS)).status == 200
    access.clock.advance(timedelta(minutes=1))
    assert access.revoke({"token": access.token()}, basic()).status == 200
