"""The hashes that a proof of a compact batch is made of, computed here so that nobody is asked.

They are those of the registry's published interface: a leaf is keccak256(keccak256(abi.encode(uint256 word,
uint8 bit, bytes32 jobKey, bytes32 resultHash))), a node the hash of its two children, the smaller first.
"""

from eth_abi.abi import encode
from hexbytes import HexBytes
from web3 import Web3

from client.documents import Proof


def root_of(proof: Proof, *, job_key: str, commitment: str) -> str:
    """The root of any tree in which the proof leads from this job and result."""
    values = (int(proof.word, 16), proof.bit, HexBytes(job_key), HexBytes(commitment))
    node = Web3.keccak(Web3.keccak(encode(("uint256", "uint8", "bytes32", "bytes32"), values)))
    for sibling in map(HexBytes, proof.siblings):
        node = Web3.keccak(min(node, sibling) + max(node, sibling))
    return Web3.to_hex(node)


def has_place(proof: Proof) -> bool:
    """Whether the batch's mask has the job's place."""
    return bool(int(proof.mask, 16) >> proof.bit & 1)


def batch_hash(proof: Proof) -> str:
    """What the registry holds for a batch of this mask and root.

    >>> word = "0x" + "00" * 31 + "01"
    >>> batch_hash(Proof(word=word, bit=0, mask=word, root=word, siblings=()))
    '0xcc69885fda6bcc1a4ace058b4a62bf5e179ea78fd58a1ccd71c22cc9b688792f'
    """
    return Web3.to_hex(Web3.keccak(HexBytes(proof.mask) + HexBytes(proof.root)))
