"""`evm.log_digest`: what a contract logged over a range of blocks, as one word that anybody can recompute.

Invariant: the digest is of one chain. Its header has the hash of the range's last block, which is read before
the first log and again after every read of logs: where it is another, the run fails as ours, and begins anew.
A checkpoint of a chain that is no longer there is dropped in the same way. Final blocks seldom change at all.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import Field

from chalicelib.domain.abi import abi_encode, abi_word, array, text
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import Progress
from chalicelib.domain.merkle import keccak256
from chalicelib.job_types.chain_logs import Log, TooManyLogs
from chalicelib.job_types.contract import Context, JobError, JobInput, JobType, Run, Step

# Half a day of the fastest chains: what is longer is several jobs.
BLOCKS_AT_MOST = 100_000
# One answer that is read whole. A run tells a contract that logs much from one that does not by beginning
# with few blocks, then asking for twice as many after each answer, and for half where they are too many.
FIRST_CHUNK_BLOCKS = 50
CHUNK_BLOCKS = 1_000
# Nobody knows beforehand how many logs they have: without any they take 10 ms, with 10,000 then 1.5 s.
BLOCKS_A_UNIT = 1_000

BlockNumber = Annotated[int, Field(ge=0, le=2**53 - 1, json_schema_extra={"format": "int64"})]


class EvmLogDigestInput(JobInput):
    """Names the contract (`address` in lower case, or with the capitals of EIP-55) and the first and last of
    at most 100,000 blocks, all final. The digest begins as keccak256(abi.encode(uint256 chainId, address
    contract, uint256 firstBlock, uint256 lastBlock, bytes32 lastBlockHash)). Then each log that `eth_getLogs`
    gives for the contract and these blocks, in that order, makes it keccak256(abi.encode(bytes32 digest,
    bytes32 logHash)), where logHash is keccak256(abi.encode(uint256 blockNumber, bytes32 transactionHash,
    uint256 logIndex, bytes32[] topics, bytes data)).
    """

    address: Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", min_length=42, max_length=42)]
    first_block: BlockNumber
    last_block: BlockNumber

    @property
    def blocks(self) -> int:
        """How many the range has."""
        return self.last_block - self.first_block + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Walk:
    """A digest on its way: it has all logs of the blocks before the next, on the chain of the last."""

    last_block_hash: str
    next_block: int
    digest: str
    logs: int = 0

    def over(self, logs: Sequence[Log], *, next_block: int) -> "_Walk":
        digest = bytes.fromhex(self.digest)
        for log in logs:
            digest = keccak256(digest + _log_hash(log))
        return _Walk(
            last_block_hash=self.last_block_hash,
            next_block=next_block,
            digest=digest.hex(),
            logs=self.logs + len(logs),
        )

    def checkpoint(self) -> bytes:
        return json.dumps(asdict(self)).encode()


def cost(job_input: EvmLogDigestInput) -> int:
    """In units; a range that no run accepts costs what the shortest or longest does."""
    return -(-min(max(job_input.blocks, 1), BLOCKS_AT_MOST) // BLOCKS_A_UNIT)


def run(context: Context[EvmLogDigestInput]) -> Run:
    """The digest as 0x-prefixed hex, and what it is a digest of."""
    wanted, chain = context.input, context.chain
    _check(context)
    walk, chunk = _begun(context), FIRST_CHUNK_BLOCKS
    while walk.next_block <= wanted.last_block:
        last = min(walk.next_block + chunk - 1, wanted.last_block)
        try:
            logs = chain.logs(wanted.address.lower(), first=walk.next_block, last=last)
        except TooManyLogs:
            if last == walk.next_block:
                raise JobError(f"Block {last} has more logs of the contract than can be read.") from None
            chunk = (last - walk.next_block + 1) // 2
            continue
        if chain.block(wanted.last_block).hash != walk.last_block_hash:
            raise ChainUnavailable("Final blocks were replaced while their logs were read.")
        walk, chunk = walk.over(logs, next_block=last + 1), min(2 * chunk, CHUNK_BLOCKS)
        yield Step(Progress(walk.next_block - wanted.first_block, wanted.blocks), walk.checkpoint)
    return {
        "digest": f"0x{walk.digest}",
        "logs": walk.logs,
        "first_block": wanted.first_block,
        "last_block": wanted.last_block,
        "last_block_hash": walk.last_block_hash,
    }


def _check(context: Context[EvmLogDigestInput]) -> None:
    wanted = context.input
    if not _is_address(wanted.address):
        raise JobError("The address has capitals, and they are not those of its EIP-55 checksum.")
    if not 1 <= wanted.blocks <= BLOCKS_AT_MOST:
        raise JobError(f"The range has {wanted.blocks} blocks; it may have 1 to {BLOCKS_AT_MOST}.")
    final = context.chain.last_final().number
    if wanted.last_block > final:
        if context.checkpoint is not None:  # it was final when the run began
            raise ChainUnavailable(f"The node has come to block {final} only.")
        raise JobError(f"Block {wanted.last_block} is not final yet; the last that is has number {final}.")


def _is_address(address: str) -> bool:
    """EIP-55: a letter is a capital where the hash of the address in lower case has a digit of 8 or more."""
    digits = address[2:].lower()
    nibbles = keccak256(digits.encode()).hex()
    checksummed = "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, nibbles, strict=False)
    )
    return address[2:] in (digits, checksummed)


def _begun(context: Context[EvmLogDigestInput]) -> _Walk:
    """Where an earlier run came to on the chain that there is now, or else the beginning."""
    wanted, chain = context.input, context.chain
    last_block_hash = chain.block(wanted.last_block).hash
    if context.checkpoint is not None:
        walk = _Walk(**json.loads(context.checkpoint))
        if walk.last_block_hash == last_block_hash:
            return walk
    header = abi_encode(
        abi_word(chain.chain_id()),
        abi_word(int(wanted.address, 16)),
        abi_word(wanted.first_block),
        abi_word(wanted.last_block),
        bytes.fromhex(last_block_hash[2:]),
    )
    return _Walk(
        last_block_hash=last_block_hash, next_block=wanted.first_block, digest=keccak256(header).hex()
    )


def _log_hash(log: Log) -> bytes:
    return keccak256(
        abi_encode(
            abi_word(log.block.number),
            bytes.fromhex(log.transaction_hash[2:]),
            abi_word(log.log_index),
            array(bytes.fromhex(topic[2:]) for topic in log.topics),
            text(log.data),
        )
    )


JOB_TYPE = JobType(
    name="evm.log_digest",
    version=1,
    title="Digest of a contract's logs",
    description="A digest of a contract's logs over final blocks of the chain that jobs are confirmed on.",
    input_model=EvmLogDigestInput,
    example={
        "address": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        "first_block": 0,
        "last_block": 1,
    },
    compute_unit="1,000 blocks of the range, or what is left of them",
    cost=cost,
    most_units=-(-BLOCKS_AT_MOST // BLOCKS_A_UNIT),
    run=run,
)
