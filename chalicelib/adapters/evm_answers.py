"""The forms that a node's answers must have (EIP-1474); hex of either case becomes lower."""

import re
from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from chalicelib.domain.errors import ChainUnavailable

T = TypeVar("T")


_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,16}")
_WEI = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


def _digits(form: re.Pattern[str], answer: object) -> str:
    if not isinstance(answer, str) or not form.fullmatch(answer):
        raise ValueError("not hex of this form")
    return answer[2:]


# Every number of a block, nonce, amount of gas and price of it fits into 53 bits; what does not is absurd,
# and not kept by every JSON implementation (RFC 7493). A balance, which nobody is told, may have 256.
Quantity = Annotated[
    int, BeforeValidator(lambda answer: int(_digits(_QUANTITY, answer), 16)), Field(lt=2**53)
]
Wei = Annotated[int, BeforeValidator(lambda answer: int(_digits(_WEI, answer), 16))]
Data = Annotated[bytes, BeforeValidator(lambda answer: bytes.fromhex(_digits(_DATA, answer)))]
Word = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{64}$", to_lower=True)]
Address = Annotated[str, StringConstraints(pattern=r"^0x[0-9a-fA-F]{40}$", to_lower=True)]

QUANTITY = TypeAdapter[int](Quantity)
WEI = TypeAdapter[int](Wei)
WORD = TypeAdapter[str](Word)
DATA = TypeAdapter[bytes](Data)
ADDRESSES = TypeAdapter[list[str]](list[Address])


class _Form(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Block(_Form):
    """A block by its number."""

    number: Quantity
    hash: Word


class Head(Block):
    """A block since EIP-1559."""

    base_fee_per_gas: Quantity
    gas_limit: Quantity


class Log(_Form):
    """An event; its first topic is its type."""

    address: Address
    topics: list[Word]


class FoundLog(Log):
    """An event, and where."""

    block_number: Quantity
    transaction_hash: Word


class WholeLog(FoundLog):
    """An event with all that it says, on a chain that still has it."""

    block_hash: Word
    log_index: Quantity
    topics: Annotated[list[Word], Field(max_length=4)]
    data: Data
    removed: Literal[False] = False


class Mined(_Form):
    """A receipt since EIP-658."""

    transaction_hash: Word
    block_number: Quantity
    block_hash: Word
    status: Literal["0x0", "0x1"]
    gas_used: Quantity
    effective_gas_price: Quantity
    logs: list[Log]


class Known(_Form):
    """A transaction; without a block, it is in the pool."""

    hash: Word
    block_hash: Word | None


BLOCK = TypeAdapter(Block)
HEAD = TypeAdapter(Head)
LOGS = TypeAdapter(list[FoundLog])
WHOLE_LOGS = TypeAdapter(list[WholeLog])
MINED = TypeAdapter(Mined | None)
KNOWN = TypeAdapter(Known | None)
MAYBE_BLOCK = TypeAdapter(Block | None)


def parsed(form: TypeAdapter[T], answer: JsonValue) -> T:
    """The answer in this form.

    >>> parsed(QUANTITY, "0x10")
    16
    """
    try:
        return form.validate_python(answer)
    except ValidationError:
        raise ChainUnavailable("The node answers in another form than it should.") from None


def agree(answered: object, asked: object) -> None:
    """The answer is about what was asked for, or as good as none."""
    if answered != asked:
        raise ChainUnavailable("The node answers about something else than it was asked.")
