"""Rotations that are cut off, or meet: tokens are issued and taken all the same, and a next run completes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from chalicelib.adapters.jose_tokens import REFETCH_AFTER, JoseTokens, make_token_key
from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.key_ring import LEAD, ROTATED_EVERY, SKEW, TOKEN_LIFETIME, KeyRing
from chalicelib.use_cases.rotate_keys import MadeKey, RotateKeys
from chalicelib.use_cases.verify_token import VerifyToken
from tests.conformance.access_ports import AccessPorts, on
from tests.conformance.conftest import access_endpoint, tables_endpoint  # noqa: F401 - fixtures
from tests.conformance.in_process import connect
from tests.crash.failpoints import Failing, Failpoint
from tests.unit.fleet import accepts, access_token
from tests.unit.world import BASE_URL, START


class CutOff(Exception):
    """The process ended here: nothing of it runs any more."""


def cut_off() -> None:
    raise CutOff


def lose_the_answer() -> None:
    raise Unavailable("no answer")


@cache
def clients(endpoint: str) -> tuple[Any, Any]:
    """Of DynamoDB and Secrets Manager; making them takes longer than a test."""
    return connect("dynamodb", endpoint), connect("secretsmanager", endpoint)


@dataclass
class Keys:
    """The keys of a stack, with an issuer, a verifier that was warm before, and whoever rotates."""

    endpoint: str
    clock: ManualClock = field(default_factory=lambda: ManualClock(START))
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rotator().rotate(actor="provisioning")
        self.warm = self.verifier()
        self.tokens = [self.issue()]
        assert self.all_is_well()

    @property
    def ports(self) -> AccessPorts:
        """Of a process that remembers nothing."""
        return on(*clients(self.endpoint))

    @property
    def ring(self) -> KeyRing:
        return self.ports.rings.get()

    def rotator(self, failpoint: Failpoint | None = None, act: Callable[[], None] = cut_off) -> RotateKeys:
        """With a port that fails there."""
        ports = self.ports
        used: dict[str, Any] = {"rings": ports.rings, "registry": ports.registry, "store": ports.store}
        if failpoint:
            used[failpoint.port] = Failing(used[failpoint.port], failpoint, act)
        return RotateKeys(**used, make_key=self._make_key, clock=self.clock, ids=RandomIds())

    def _make_key(self) -> MadeKey:
        made = make_token_key()
        self.made.append(made.kid)
        return made

    def issue(self) -> str:
        ports = self.ports
        tokens = JoseTokens(ports.keys, ports.rings, self.clock, issuer=BASE_URL)
        return tokens.sign(access_token(self.clock.now()))

    def verifier(self) -> VerifyToken:
        ports = self.ports
        tokens = JoseTokens(ports.keys, ports.rings, self.clock, issuer=BASE_URL)
        return VerifyToken(tokens=tokens, revocations=ports.revocations, clock=self.clock)

    def all_is_well(self) -> bool:
        """Whether new tokens are issued, and taken by who was there before and by who comes."""
        return all(accepts(verify, self.issue()) for verify in (self.warm, self.verifier()))

    def kept(self) -> set[str]:
        """The keys whose private halves are kept, of all that were ever made."""
        return {kid for kid in self.made if self._has(kid)}

    def _has(self, kid: str) -> bool:
        try:
            return bool(self.ports.keys.token_key(kid))
        except Unavailable:
            return False

    def retire_the_first(self) -> None:
        """A second key signs, and the first is not needed any more."""
        self.rotator().rotate(actor="me")
        self.clock.advance(LEAD + TOKEN_LIFETIME + 3 * SKEW)


@pytest.fixture
def keys(access_endpoint: str) -> Keys:  # noqa: F811 - a fixture
    return Keys(access_endpoint)


PUT = [Failpoint("store", "put", when) for when in ("before", "after")]
COMMIT = [Failpoint("registry", "commit", when) for when in ("before", "after")]
DROP = [Failpoint("store", "drop", when) for when in ("before", "after")]


def rotate(rotator: RotateKeys) -> KeyRing:
    return rotator.rotate(actor="me")


def replace(rotator: RotateKeys) -> KeyRing:
    return rotator.replace(actor="me")


def schedule(rotator: RotateKeys) -> KeyRing:
    return rotator.on_schedule(actor="schedule")


@pytest.mark.parametrize("act", [rotate, schedule])
@pytest.mark.parametrize("failpoint", [*PUT, *COMMIT], ids=str)
def test_one_key_waits_when_a_rotation_is_repeated_that_was_cut_off(
    keys: Keys, act: Callable[[RotateKeys], KeyRing], failpoint: Failpoint
) -> None:
    keys.clock.advance(ROTATED_EVERY)
    live = keys.issue()
    with pytest.raises(CutOff):
        act(keys.rotator(failpoint))
    assert keys.all_is_well()
    ring = act(keys.rotator())
    assert (keys.ring, len(ring.keys), ring.waiting(now=keys.clock.now())) == (ring, 2, ring.keys[1])
    assert {key.kid for key in ring.keys} <= keys.kept()
    assert accepts(keys.warm, live)
    keys.clock.advance(LEAD)
    assert keys.all_is_well()


@pytest.mark.parametrize("act", [rotate, schedule])
@pytest.mark.parametrize("failpoint", [*COMMIT, *DROP], ids=str)
def test_a_retired_key_is_gone_when_a_run_is_repeated_that_was_cut_off(
    keys: Keys, act: Callable[[RotateKeys], KeyRing], failpoint: Failpoint
) -> None:
    keys.retire_the_first()
    first, second = keys.ring.keys
    with pytest.raises(CutOff):
        act(keys.rotator(failpoint))
    assert keys.all_is_well()
    act(keys.rotator())
    kids = {key.kid for key in keys.ring.keys}
    assert first.kid not in kids | keys.kept()
    assert second.kid in kids <= keys.kept()
    assert keys.all_is_well()


@pytest.mark.parametrize("failpoint", [*PUT, *COMMIT, *DROP], ids=str)
def test_one_key_is_left_when_a_replacement_is_repeated_that_was_cut_off(
    keys: Keys, failpoint: Failpoint
) -> None:
    stolen, [old] = keys.issue(), keys.ring.keys
    keys.clock.advance(REFETCH_AFTER)
    with pytest.raises(CutOff):
        replace(keys.rotator(failpoint))
    assert keys.all_is_well()
    keys.clock.advance(REFETCH_AFTER)
    ring = replace(keys.rotator())
    assert [key.kid for key in ring.keys] == [keys.made[-1]]
    assert old.kid not in keys.kept()
    assert keys.made[-1] in keys.kept()
    keys.clock.advance(REFETCH_AFTER)
    assert not any(accepts(verify, stolen) for verify in (keys.warm, keys.verifier()))
    assert keys.all_is_well()


@pytest.mark.parametrize("failpoint", DROP, ids=str)
def test_the_schedule_drops_what_a_replacement_left_that_was_cut_off(
    keys: Keys, failpoint: Failpoint
) -> None:
    keys.rotator().rotate(actor="me")
    with pytest.raises(CutOff):
        replace(keys.rotator(failpoint))
    ring = schedule(keys.rotator())
    assert keys.kept() == {key.kid for key in ring.keys}


@pytest.mark.parametrize("act", [rotate, replace])
def test_the_key_is_kept_when_the_answer_to_its_publication_is_lost(
    keys: Keys, act: Callable[[RotateKeys], KeyRing]
) -> None:
    with pytest.raises(Unavailable):
        act(keys.rotator(COMMIT[1], lose_the_answer))
    assert {key.kid for key in keys.ring.keys} <= keys.kept()
    keys.clock.advance(LEAD)
    assert keys.all_is_well()


# Two at once


@pytest.mark.parametrize("first", [rotate, schedule, replace])
@pytest.mark.parametrize("second", [rotate, schedule, replace])
def test_one_wins_and_the_other_changes_nothing_when_two_rotations_meet(
    keys: Keys, first: Callable[[RotateKeys], KeyRing], second: Callable[[RotateKeys], KeyRing]
) -> None:
    keys.clock.advance(ROTATED_EVERY)
    rings: list[KeyRing] = []
    late = keys.rotator(COMMIT[0], lambda: rings.append(first(keys.rotator())))
    with pytest.raises(Superseded):
        second(late)
    assert [keys.ring] == rings
    assert keys.kept() == {key.kid for key in keys.ring.keys}
    loser = keys.made[1]
    assert loser not in {event.subject for event in keys.ports.registry.events(limit=10)}
    keys.clock.advance(SKEW)
    assert keys.all_is_well()


def test_an_issuer_tries_again_when_its_key_is_replaced_before_it_has_read_it(keys: Keys) -> None:
    ports = keys.ports

    def replaced() -> None:
        replace(keys.rotator())

    rings: Any = Failing(ports.rings, Failpoint("rings", "get", "after"), replaced)
    tokens = JoseTokens(ports.keys, rings, keys.clock, issuer=BASE_URL)
    with pytest.raises(Unavailable):
        tokens.sign(access_token(keys.clock.now()))
    keys.clock.advance(SKEW)
    assert accepts(keys.warm, tokens.sign(access_token(keys.clock.now())))
