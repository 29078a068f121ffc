"""Checks a result against the chain, trusting nobody but the node that it asks.

Hashes are those of the registry's published interface: the job's key is
keccak256(abi.encode(uint256 chainId, address registry, string tenantId, string jobId)), the commitment
keccak256(salt ‖ keccak256(content)).
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from eth_abi.abi import encode
from eth_typing import ABI, BlockNumber
from hexbytes import HexBytes
from web3 import Web3

from client.documents import Job, Result

NOT_RECORDED = "0x" + "00" * 32

REGISTRY_ABI: ABI = [
    {
        "type": "function",
        "name": "resultHashOf",
        "stateMutability": "view",
        "inputs": [{"name": "jobKey", "type": "bytes32"}],
        "outputs": [{"name": "resultHash", "type": "bytes32"}],
    },
    {
        "type": "event",
        "name": "JobConfirmed",
        "anonymous": False,
        "inputs": [
            {"name": "jobKey", "type": "bytes32", "indexed": True},
            {"name": "resultHash", "type": "bytes32", "indexed": False},
        ],
    },
]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the service said, and what we found ourselves; None where there is nothing."""

    said: str | None
    found: str | None

    @property
    def agrees(self) -> bool:
        """Whether both are there and the same."""
        return self.found is not None and self.said == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One job's result against the chain."""

    commitment: Finding  # from the salt and the content
    job_key: Finding  # from the chain's id, the registry's address, the tenant and the job
    recorded_hash: Finding  # the registry's answer for that key, which must be our commitment
    block: Finding  # of the event JobConfirmed
    transaction: Finding

    @property
    def agrees(self) -> bool:
        """Whether everything does."""
        return all(finding.agrees for _, finding in self.findings())

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Each with its name in words."""
        for field in fields(self):
            yield field.name.replace("_", " "), getattr(self, field.name)


class Registry:
    """A registry that the verifier trusts, by its address, on the chain of `web3`."""

    def __init__(self, web3: Web3, address: str) -> None:
        self._chain_id = web3.eth.chain_id
        self._address = Web3.to_checksum_address(address)
        self._contract = web3.eth.contract(address=self._address, abi=REGISTRY_ABI)

    def job_key(self, tenant_id: str, job_id: str) -> str:
        """The key under which this registry, and no other, records the job."""
        values = (self._chain_id, self._address, tenant_id, job_id)
        return Web3.to_hex(Web3.keccak(encode(("uint256", "address", "string", "string"), values)))

    def recorded_hash(self, job_key: str) -> str:
        """What is recorded for the key; `NOT_RECORDED` if nothing is."""
        return Web3.to_hex(self._contract.functions.resultHashOf(HexBytes(job_key)).call())

    def verify(self, job: Job, result: Result, *, tenant_id: str) -> Report:
        """The report on a job, whose tenant the service does not have to tell us."""
        said = job.confirmation
        ours = commitment(result.salt, result.content)
        job_key = self.job_key(tenant_id, job.id)
        block, transaction = self._event(job_key, said.block_number) if said else (None, None)
        return Report(
            commitment=Finding(result.commitment, ours),
            job_key=Finding(said.job_key if said else None, job_key),
            recorded_hash=Finding(ours, self.recorded_hash(job_key)),
            block=Finding(str(said.block_number) if said else None, block),
            transaction=Finding(said.transaction_hash if said else None, transaction),
        )

    def _event(self, job_key: str, block: int) -> tuple[str | None, str | None]:
        """Block and transaction of the job's event, looked for in one block: nodes refuse long ranges."""
        events = self._contract.events.JobConfirmed().get_logs(
            argument_filters={"jobKey": job_key}, from_block=BlockNumber(block), to_block=BlockNumber(block)
        )
        if len(events) != 1:
            return None, None
        return str(events[0]["blockNumber"]), Web3.to_hex(events[0]["transactionHash"])


def commitment(salt: str, content: str) -> str:
    """The hash that commits to exactly this content.

    >>> commitment("0x" + "00" * 32, "{}")
    '0x660f98825626a1ad0c3df3b009bce35103b7739ae33ff1be20c965b032a2f0a1'
    """
    return Web3.to_hex(Web3.keccak(HexBytes(salt) + Web3.keccak(text=content)))
