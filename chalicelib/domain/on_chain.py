"""Where the chain holds a job's commitment, once that is final."""

from dataclasses import dataclass

from chalicelib.domain.chain_call import Inclusion


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Where on which chain the commitment is recorded, and what that took.

    `depth` is the block's when the job succeeded; `gas_used` the job's share of its transaction, at
    `gas_price_wei`. `inclusion` proves the job's place in a compact batch. Rows of before release 1.2 lack
    the price, and the depth, which was three at least.
    """

    chain_id: int
    registry: str
    job_key: str
    transaction_hash: str
    block_number: int
    gas_used: int
    depth: int = 3
    gas_price_wei: int | None = None
    inclusion: Inclusion | None = None
