"""What is offered for gas (EIP-1559): enough for the next blocks, never more than a ceiling; in wei."""

from dataclasses import dataclass

GWEI = 10**9
# A full block raises the base fee by an eighth, so twice the present one lasts for five full blocks.
BASE_FEE_MARGIN = 2
# A node replaces a transaction only for an eighth more of both fees (geth asks for a tenth, as Hardhat does).
RAISE_NUMERATOR, RAISE_DENOMINATOR = 9, 8
# At this a job of a batch of 98 costs 25,209 gas of 100 gwei = 0.00252 ether: a person should decide on more.
CEILING_WEI = 100 * GWEI


@dataclass(frozen=True, slots=True, kw_only=True)
class Fees:
    """What is offered for a unit of gas."""

    max_fee_wei: int
    max_priority_fee_wei: int


def offered(*, base_fee_wei: int, tip_wei: int) -> Fees | None:
    """What to offer now; None if not even the next block could be had below the ceiling.

    >>> offered(base_fee_wei=7 * GWEI, tip_wei=GWEI)
    Fees(max_fee_wei=15000000000, max_priority_fee_wei=1000000000)
    >>> offered(base_fee_wei=100 * GWEI, tip_wei=GWEI) is None
    True
    """
    if base_fee_wei + tip_wei > CEILING_WEI:
        return None
    wanted = BASE_FEE_MARGIN * base_fee_wei + tip_wei
    return Fees(max_fee_wei=min(wanted, CEILING_WEI), max_priority_fee_wei=tip_wei)


def raised(before: Fees, wanted: Fees) -> Fees | None:
    """What a replacement offers: what is wanted now, and an eighth more than before; None above the ceiling.

    >>> raised(Fees(max_fee_wei=8, max_priority_fee_wei=1), Fees(max_fee_wei=5, max_priority_fee_wei=1))
    Fees(max_fee_wei=9, max_priority_fee_wei=2)
    """
    fees = Fees(
        max_fee_wei=max(_more(before.max_fee_wei), wanted.max_fee_wei),
        max_priority_fee_wei=max(_more(before.max_priority_fee_wei), wanted.max_priority_fee_wei),
    )
    return fees if fees.max_fee_wei <= CEILING_WEI else None


def _more(fee_wei: int) -> int:
    """An eighth more, rounded up."""
    return -(-fee_wei * RAISE_NUMERATOR // RAISE_DENOMINATOR)
