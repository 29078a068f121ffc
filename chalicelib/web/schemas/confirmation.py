"""A job's confirmation as its tenant sees it."""

from typing import Annotated

from pydantic import Field

from chalicelib.domain import confirmation_view as domain
from chalicelib.domain.chain_call import Inclusion
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.web.schemas.base import LARGEST_INTEGER, Count, WholeNumber, Wire, Word, open_enum

# A batch has 256 places, so its tree is eight nodes high.
LARGEST_PROOF = 8
LAST_BIT = 255


class Proof(Wire):
    """What proves that a compact batch holds the job, beside its key and its commitment."""

    word: Word
    bit: Annotated[int, Field(ge=0, le=LAST_BIT)]
    mask: Word
    root: Word
    siblings: Annotated[tuple[Word, ...], Field(max_length=LARGEST_PROOF)]


class Confirmation(Wire):
    """How far the result's commitment is on its way to the chain, and where it is recorded."""

    path: Annotated[str, open_enum(*ConfirmationPath)]
    state: Annotated[str, open_enum(*domain.ConfirmationState)]
    chain_id: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
    registry: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", max_length=42)]
    job_key: Word
    transaction_hash: Word | None
    block_number: Count | None
    depth: Count
    gas_used: Count | None
    gas_price_wei: WholeNumber | None
    proof: Proof | None


def confirmation_view(seen: domain.ConfirmationView) -> Confirmation:
    """The confirmation as its tenant sees it."""
    return Confirmation(
        path=seen.path.value,
        state=seen.state.value,
        chain_id=seen.chain_id,
        registry=seen.registry,
        job_key=seen.job_key,
        transaction_hash=seen.transaction_hash,
        block_number=seen.block_number,
        depth=seen.depth,
        gas_used=seen.gas_used,
        gas_price_wei=None if seen.gas_price_wei is None else str(seen.gas_price_wei),
        proof=_proof(seen.inclusion) if seen.inclusion else None,
    )


def _proof(inclusion: Inclusion) -> Proof:
    return Proof(
        word=_word(inclusion.word),
        bit=inclusion.bit,
        mask=_word(inclusion.mask),
        root=inclusion.root,
        siblings=inclusion.proof,
    )


def _word(number: int) -> str:
    return f"0x{number:064x}"
