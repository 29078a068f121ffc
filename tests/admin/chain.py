"""A chain for commands: a node of their own, and a registry in which the stack's signer may confirm."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emulation.chain import Node, checksummed, deploy_registry
from tests.stack_process import REPOSITORY

CONTRACTS = REPOSITORY / "contracts"
ARTIFACT = CONTRACTS / "artifacts" / "src" / "JobRegistry.sol" / "JobRegistry.json"
NOBODY = "0x" + "de" * 20


@dataclass(frozen=True, slots=True)
class AdminChain:
    """A node that mines at once, and what tells a command of it."""

    node: Node
    runner: asyncio.Runner
    genesis_hash: str

    def rpc(self, method: str, *params: object) -> Any:
        return self.runner.run(self.node.call(method, *params))

    def mine(self, blocks: int) -> None:
        self.rpc("hardhat_mine", hex(blocks))

    def deploy(self, confirmer: str) -> str:
        """The address of a new registry."""
        return self.runner.run(deploy_registry(self.node, confirmer=confirmer))

    def deploy_for_admin(self, admin: str) -> str:
        """The same, administered by someone whose key the node does not have."""
        words = "".join(f"{int(word, 16):064x}" for word in (admin, NOBODY, NOBODY, hex(86_400)))
        code = json.loads(ARTIFACT.read_text())["bytecode"] + words
        sender = self.rpc("eth_accounts")[0]
        deployed = self.rpc("eth_sendTransaction", {"from": sender, "data": code})
        self.mine(1)
        return checksummed(self.rpc("eth_getTransactionReceipt", deployed)["contractAddress"])

    def environment(self, registry: str) -> Mapping[str, str]:
        return {
            "JOBS_CHAIN_RPC_URL": self.node.rpc_url,
            "JOBS_CHAIN_ID": str(self.node.chain_id),
            "JOBS_GENESIS_HASH": self.genesis_hash,
            "JOBS_REGISTRY": registry,
        }
