"""`evm.log_digest` of real logs, beside web3.py's and JavaScript's reading of the same description."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3

from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import FINAL_DEPTH, Bench
from tests.chain.log_benches import NodeBench, logs_at
from tests.chain.servers import lying
from tests.unit.test_job_types import finished, started
from tests.unit.test_merkle_root import told_by

IN_JAVASCRIPT = """
import { readFileSync } from "node:fs";
import { encode } from "@metamask/abi-utils";
import { keccak256 } from "ethereum-cryptography/keccak.js";

const { rpc_url, address, first_block, last_block } = JSON.parse(readFileSync(0, "utf8"));
const ask = async (method, ...params) => {
  const headers = { "Content-Type": "application/json", Connection: "close" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  return (await (await fetch(rpc_url, { method: "POST", headers, body })).json()).result;
};
const hash = (types, values) => keccak256(encode(types, values));
const [fromBlock, toBlock] = [first_block, last_block].map((number) => `0x${number.toString(16)}`);
const { hash: last_block_hash } = await ask("eth_getBlockByNumber", toBlock, false);
let digest = hash(
  ["uint256", "address", "uint256", "uint256", "bytes32"],
  [BigInt(await ask("eth_chainId")), address, first_block, last_block, last_block_hash],
);
const logs = await ask("eth_getLogs", { address, fromBlock, toBlock });
for (const { blockNumber, transactionHash, logIndex, topics, data } of logs) {
  const logHash = hash(
    ["uint256", "bytes32", "uint256", "bytes32[]", "bytes"],
    [BigInt(blockNumber), transactionHash, BigInt(logIndex), topics, data],
  );
  digest = hash(["bytes32", "bytes32"], [digest, logHash]);
}
digest = `0x${Buffer.from(digest).toString("hex")}`;
process.stdout.write(JSON.stringify({ digest, logs: logs.length, first_block, last_block, last_block_hash }));
"""

pytestmark = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)


@pytest.fixture
def logging(held: Bench) -> NodeBench:
    """Three final blocks with confirmed jobs; two of those in the third were in the second already."""
    logging = NodeBench(held, logs_at(held))
    logging.emit(3)
    entries = held.entries(2)
    held.mine(held.sign(entries, nonce=1))
    held.mine(held.sign([*entries, *held.entries(1)], nonce=2))
    logging.mine(FINAL_DEPTH - 1)
    return logging


def job_of(logging: NodeBench, *, blocks: int) -> dict[str, Any]:
    """So many of the newest final blocks."""
    last = logging.chain.last_final().number
    return {"address": logging.address, "first_block": last - blocks + 1, "last_block": last}


def by_web3(logging: NodeBench, job_input: dict[str, Any]) -> dict[str, Any]:
    web3 = Web3(HTTPProvider(logging.bench.rpc_url))
    address, first, last = job_input.values()
    last_hash = web3.eth.get_block(last)["hash"]
    named = [CHAIN_ID, address, first, last, last_hash]
    digest = Web3.keccak(encode(["uint256", "address", "uint256", "uint256", "bytes32"], named))
    logs = web3.eth.get_logs({"address": address, "fromBlock": first, "toBlock": last})
    for log in logs:
        said = [log["blockNumber"], log["transactionHash"], log["logIndex"], log["topics"], log["data"]]
        log_hash = Web3.keccak(encode(["uint256", "bytes32", "uint256", "bytes32[]", "bytes"], said))
        digest = Web3.keccak(encode(["bytes32", "bytes32"], [digest, log_hash]))
    return {
        "digest": f"0x{HexBytes(digest).hex()}",
        "logs": len(logs),
        "first_block": first,
        "last_block": last,
        "last_block_hash": f"0x{last_hash.hex()}",
    }


@pytest.mark.parametrize(("blocks", "logs"), [(1, 3), (2, 5), (3, 8), (4, 8)])
def test_the_digest_is_web3s_and_javascripts_when_jobs_were_confirmed(
    logging: NodeBench, blocks: int, logs: int
) -> None:
    job_input = job_of(logging, blocks=blocks)
    _, result = finished(started("evm.log_digest", job_input, chain=logging.chain))
    assert isinstance(result, dict)
    assert result["logs"] == logs
    assert result == by_web3(logging, job_input)
    assert result == told_by(IN_JAVASCRIPT, {"rpc_url": logging.bench.rpc_url, **job_input})


def test_the_digest_is_the_same_when_the_node_gives_few_logs_at_once(logging: NodeBench) -> None:
    job_input = job_of(logging, blocks=10)
    _, result = finished(started("evm.log_digest", job_input, chain=logging.chain))
    too_long = {"data": "0x" + "00" * 2**22}

    def at_most_three(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return logs if len(logs) <= 3 else [{**logs[0], **too_long}]

    with lying(logging.bench.rpc_url, "eth_getLogs", at_most_three) as url:
        chain = logs_at(logging.bench, url)
        steps, same = finished(started("evm.log_digest", job_input, chain=chain))
    assert same == result
    assert len(steps) > 2


def test_the_digest_is_of_the_new_chain_when_a_reorganisation_fell_into_the_run(logging: NodeBench) -> None:
    logging.nonce = 3
    logging.remember()
    for _ in range(60):
        logging.emit(1)
    logging.mine(FINAL_DEPTH - 1)
    job_input = job_of(logging, blocks=60)
    run = started("evm.log_digest", job_input, chain=logging.chain)
    checkpoint = next(run).checkpoint
    assert checkpoint is not None
    left = checkpoint()
    logging.go_back()
    logging.emit(2)
    logging.mine(61 + FINAL_DEPTH)
    _, result = finished(started("evm.log_digest", job_input, chain=logging.chain, checkpoint=left))
    assert isinstance(result, dict)
    assert result["logs"] == 2
    assert result == by_web3(logging, job_input)
