"""What is offered for gas, and what for a second try."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.fees import CEILING_WEI, GWEI, Fees, offered, raised

wei = st.integers(0, 2 * CEILING_WEI)
payable = st.integers(0, CEILING_WEI)


def fees(max_fee_wei: int, max_priority_fee_wei: int) -> Fees:
    return Fees(max_fee_wei=max_fee_wei, max_priority_fee_wei=max_priority_fee_wei)


# base fee, tip → offer
OFFERS = [
    (0, 0, fees(0, 0)),
    (GWEI, GWEI, fees(3 * GWEI, GWEI)),
    (49 * GWEI, 2 * GWEI, fees(CEILING_WEI, 2 * GWEI)),
    (50 * GWEI, GWEI, fees(CEILING_WEI, GWEI)),
    (99 * GWEI, GWEI, fees(CEILING_WEI, GWEI)),
    (99 * GWEI + 1, GWEI, None),
    (0, CEILING_WEI + 1, None),
]
# before, wanted now → offer
RAISES = [
    (fees(8, 8), fees(1, 1), fees(9, 9)),
    (fees(7, 1), fees(1, 1), fees(8, 2)),  # 7.875 and 1.125, rounded up
    (fees(8, 8), fees(20, 9), fees(20, 9)),
    (fees(8, 8), fees(9, 20), fees(9, 20)),
    (fees(88_888_888_888, 0), fees(1, 0), fees(99_999_999_999, 0)),
    (fees(88_888_888_889, 0), fees(1, 0), None),
    (fees(CEILING_WEI, 1), fees(CEILING_WEI, 1), None),
]


@pytest.mark.parametrize(("base_fee_wei", "tip_wei", "expected"), OFFERS)
def test_the_offer_is_the_tables_when_the_price_is_its(
    base_fee_wei: int, tip_wei: int, expected: Fees | None
) -> None:
    assert offered(base_fee_wei=base_fee_wei, tip_wei=tip_wei) == expected


@pytest.mark.parametrize(("before", "wanted", "expected"), RAISES)
def test_the_raise_is_the_tables_when_the_offers_are_its(
    before: Fees, wanted: Fees, expected: Fees | None
) -> None:
    assert raised(before, wanted) == expected


@given(wei, wei)
def test_an_offer_pays_for_a_block_and_keeps_to_the_ceiling(base_fee_wei: int, tip_wei: int) -> None:
    found = offered(base_fee_wei=base_fee_wei, tip_wei=tip_wei)
    assert (found is None) is (base_fee_wei + tip_wei > CEILING_WEI)
    if found is not None:
        assert base_fee_wei + tip_wei <= found.max_fee_wei <= CEILING_WEI
        assert found.max_priority_fee_wei <= found.max_fee_wei


@given(payable, payable, payable, payable)
def test_a_raise_is_an_eighth_at_least_and_never_exceeds_the_ceiling(
    before_wei: int, before_tip_wei: int, wanted_wei: int, wanted_tip_wei: int
) -> None:
    before, wanted = fees(before_wei, before_tip_wei), fees(wanted_wei, wanted_tip_wei)
    found = raised(before, wanted)
    if found is None:
        assert 9 * before_wei > 8 * CEILING_WEI or wanted_wei > CEILING_WEI
        return
    assert found.max_fee_wei <= CEILING_WEI
    assert 8 * found.max_fee_wei >= 9 * before_wei
    assert 8 * found.max_priority_fee_wei >= 9 * before_tip_wei
    assert found.max_fee_wei >= wanted_wei
    assert found.max_priority_fee_wei >= wanted_tip_wei
