"""Who signs: one signer at most takes new work, and none is forgotten before its work is done."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.roster import Duty, Roster, Signer

NAMES = ("0xa", "0xb", "0xc")


def test_nobody_signs_when_the_roster_is_empty() -> None:
    assert (Roster().active, Roster().live) == (None, ())


def test_a_joining_signer_is_not_live_when_another_is_active() -> None:
    roster = Roster((Signer("0xa", Duty.ACTIVE),)).joined("0xb")
    assert (roster.active, roster.live, roster.with_duty(Duty.JOINING)) == ("0xa", ("0xa",), "0xb")


def test_the_one_before_drains_when_another_becomes_active() -> None:
    roster = Roster((Signer("0xa", Duty.ACTIVE),)).joined("0xb").moved("0xb", Duty.ACTIVE)
    assert roster.signers == (Signer("0xa", Duty.DRAINING), Signer("0xb", Duty.ACTIVE))
    assert (roster.active, roster.live) == ("0xb", ("0xa", "0xb"))


def test_the_active_signer_comes_last_when_it_is_the_oldest() -> None:
    roster = Roster((Signer("0xa", Duty.ACTIVE), Signer("0xb", Duty.DRAINING)))
    assert roster.live == ("0xb", "0xa")


def test_a_signer_is_no_longer_live_when_it_retires() -> None:
    roster = Roster((Signer("0xa", Duty.DRAINING), Signer("0xb", Duty.ACTIVE)))
    assert roster.moved("0xa", Duty.RETIRED).live == ("0xb",)


def test_nothing_changes_when_the_signer_is_unknown() -> None:
    roster = Roster((Signer("0xa", Duty.ACTIVE),))
    assert roster.moved("0xb", Duty.RETIRED) == roster


moves = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(Duty)), max_size=8)


@given(moves)
def test_one_is_active_at_most_when_duties_change_in_any_order(steps: list[tuple[str, Duty]]) -> None:
    roster = Roster()
    for name in NAMES:
        roster = roster.joined(name)
    for name, duty in steps:
        roster = roster.moved(name, duty)
        duties = [each.duty for each in roster.signers]
        assert duties.count(Duty.ACTIVE) <= 1
        assert [each.address for each in roster.signers] == list(NAMES)
        assert set(roster.live) == {
            each.address for each in roster.signers if each.duty in (Duty.ACTIVE, Duty.DRAINING)
        }
        assert roster.active is None or roster.live[-1] == roster.active
