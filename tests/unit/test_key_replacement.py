"""Keys that leaked: within seconds nobody takes what they sign, ever after; and what a forger can cause."""

from datetime import timedelta

import pytest

from chalicelib.adapters.jose_tokens import REFETCH_AFTER, JoseTokens, make_token_key
from chalicelib.adapters.memory_access import MemoryKeyRings, MemoryKeys
from chalicelib.domain import access_token as domain
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.key_ring import KNOWN_FOR, LEAD, SKEW, TOKEN_LIFETIME, KeyRing
from chalicelib.use_cases import rotate_keys
from tests.unit.fleet import NONE, Fleet, accepts, access_token, kid_of
from tests.unit.world import BASE_URL

SECOND = timedelta(seconds=1)
WITHIN = timedelta(seconds=5)
YEARS = timedelta(days=3650)
# From the five seconds on: around the moments at which somebody forgets something, and for good.
AFTERWARDS = [
    WITHIN,
    KNOWN_FOR - 2 * SECOND,  # who read the ring just before the key left it, a second ago, knows it still
    *sorted((KNOWN_FOR - SECOND, KNOWN_FOR, domain.KEY_REMEMBERED_FOR, timedelta(days=400))),
]


class Stolen:
    """The private keys that there are now, in the hands of somebody who signs what they like with them."""

    def __init__(self, fleet: Fleet) -> None:
        ring = fleet.rings.ring
        stolen = MemoryKeys(token_keys={key.kid: fleet.keys.token_key(key.kid) for key in ring.keys})
        self._tokens = [
            JoseTokens(stolen, MemoryKeyRings(KeyRing(keys=(key,))), fleet.time, issuer=BASE_URL)
            for key in ring.keys
        ]
        self._time = fleet.time

    def tokens(self) -> list[str]:
        """One of each key, good for years."""
        return [tokens.sign(access_token(self._time.now(), lives_for=YEARS)) for tokens in self._tokens]


def forged(fleet: Fleet) -> str:
    """A token of a key that was never ours."""
    key = make_token_key()
    ring = MemoryKeyRings(KeyRing().rotated(key.kid, key.public, now=fleet.time.now()))
    keys = MemoryKeys(token_keys={key.kid: key.private})
    return JoseTokens(keys, ring, fleet.time, issuer=BASE_URL).sign(access_token(fleet.time.now()))


def warm(fleet: Fleet, text: str) -> None:
    """Every process knows the ring and the revocations, as they are now."""
    assert all(accepts(verify, text) for verify, _ in fleet.verifiers)


@pytest.mark.parametrize("behind", [NONE, SKEW, -SKEW], ids=["right", "ahead", "behind"])
def test_no_token_of_the_old_keys_is_taken_ever_again_when_they_are_replaced(behind: timedelta) -> None:
    fleet = Fleet((NONE, NONE, *(behind,) * 4, NONE, NONE), commits_after=SECOND)
    fleet.rotators[0].rotate(actor="me")
    fleet.time.advance(2 * SKEW)  # one key signs, and one waits
    stolen, live = Stolen(fleet), fleet.issue()
    warm(fleet, live)
    fleet.rotators[0].replace(actor="me")
    replaced_at = fleet.time.now()
    for after in AFTERWARDS:
        fleet.time.advance(replaced_at + after - fleet.time.now())
        everyone = [*(verify for verify, _ in fleet.verifiers), fleet.verifier(), fleet.verifier()]
        takes = [accepts(verify, text) for verify in everyone for text in (live, *stolen.tokens())]
        assert not any(takes), after


def test_a_stolen_key_is_taken_again_when_it_is_remembered_for_less_than_it_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rotate_keys, "KEY_REMEMBERED_FOR", KNOWN_FOR - SKEW)
    fleet = Fleet()
    stolen = Stolen(fleet)
    warm(fleet, fleet.issue())
    fleet.rotators[0].replace(actor="me")
    fleet.time.advance(KNOWN_FOR - SECOND)
    assert accepts(fleet.verifiers[0][0], stolen.tokens()[0])


def test_a_retired_key_signs_nothing_that_a_warm_process_takes() -> None:
    fleet = Fleet()
    stolen = Stolen(fleet)
    fleet.rotators[0].rotate(actor="me")
    warm(fleet, stolen.tokens()[0])
    fleet.time.advance(LEAD + TOKEN_LIFETIME + 2 * SKEW + SECOND)
    fleet.rotators[0].on_schedule(actor="schedule")
    fleet.time.advance(WITHIN)
    assert not any(accepts(verify, stolen.tokens()[0]) for verify, _ in fleet.verifiers)


def test_new_tokens_are_taken_at_once_by_all_when_the_keys_are_replaced() -> None:
    fleet = Fleet()
    warm(fleet, fleet.issue())
    fleet.time.advance(WITHIN)
    fleet.rotators[0].replace(actor="me")
    new = fleet.issue()
    assert kid_of(new) == fleet.rings.ring.keys[0].kid
    assert fleet.keys.kept() == {kid_of(new)}
    assert all(accepts(verify, new) for verify in (fleet.verifiers[0][0], fleet.verifier()))


def test_a_warm_issuer_signs_with_the_new_key_when_the_old_is_replaced() -> None:
    fleet = Fleet()
    before = {kid_of(fleet.issue(issuer)) for issuer in (0, 1)}
    fleet.rotators[0].replace(actor="me")
    after = {kid_of(fleet.issue(issuer)) for issuer in (0, 1)}
    assert (len(before), len(after), before & after) == (1, 1, set())


def test_new_tokens_are_taken_within_seconds_when_a_forger_keeps_a_process_busy() -> None:
    fleet = Fleet()
    verify = fleet.verifiers[0][0]
    assert not accepts(verify, forged(fleet))
    fleet.rotators[0].replace(actor="me")
    new = fleet.issue()
    for _ in range(10):
        assert not accepts(verify, forged(fleet))
        fleet.time.advance(REFETCH_AFTER / 10)
    assert REFETCH_AFTER <= WITHIN
    assert accepts(verify, new)


def test_a_forger_causes_one_reading_in_its_seconds_and_no_good_key_is_lost() -> None:
    fleet = Fleet()
    verify, good = fleet.verifiers[0][0], fleet.issue()
    read_before = fleet.rings.readings
    for _ in range(100):
        assert not accepts(verify, forged(fleet))
        assert accepts(verify, good)
        fleet.time.advance(REFETCH_AFTER / 20)
    assert fleet.rings.readings - read_before == 5


def test_the_ring_is_not_read_when_its_keys_are_known() -> None:
    fleet = Fleet()
    verify = fleet.verifiers[0][0]
    readings = []
    for _ in range(50):
        token = fleet.issue()
        before = fleet.rings.readings
        assert accepts(verify, token)
        readings.append(fleet.rings.readings - before)
        fleet.time.advance(timedelta(minutes=20))
    assert readings == [1] + [0] * 49


@pytest.mark.parametrize("back", [SECOND, timedelta(days=2)])
def test_the_ring_is_read_once_when_the_clock_was_set_back(back: timedelta) -> None:
    fleet = Fleet()
    verify = fleet.verifiers[0][0]
    fleet.time.advance(3 * back)
    assert accepts(verify, fleet.issue())
    fleet.time.advance(-back)
    token, before = fleet.issue(), fleet.rings.readings
    for _ in range(3):
        assert accepts(verify, token)
        assert not accepts(verify, forged(fleet))
    assert fleet.rings.readings - before == 1


def test_nobody_is_refused_or_let_in_when_the_ring_cannot_be_read() -> None:
    fleet = Fleet()
    verify, known = fleet.verifiers[0][0], fleet.issue()
    assert accepts(verify, known)
    fleet.rings.is_down = True
    assert accepts(verify, known)
    fleet.time.advance(REFETCH_AFTER)
    for process, text in ((verify, forged(fleet)), (fleet.verifier(), known)):
        with pytest.raises(Unavailable):
            accepts(process, text)
    fleet.time.advance(KNOWN_FOR)
    with pytest.raises(Unavailable):
        accepts(verify, known)
