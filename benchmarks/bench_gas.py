"""What confirming a job costs on chain: ours, beside the Ethereum Attestation Service.

    python -m benchmarks.bench_gas

Each records N new pairs of job key and result hash in one transaction on one Hardhat node; gas is exact, so
one run tells all. The service's contracts are deployed as their package ships them, compiled by their makers.
`multiTimestamp` records less than ours: the time of each pair's hash, and not which result is a job's.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from web3 import HTTPProvider, Web3
from web3.contract import Contract

from chalicelib.domain.chain_call import compact_call
from chalicelib.domain.confirmation import Entry
from emulation.chain import Mining, deploy_registry, start_node

HERE = Path(__file__).parent
CONTRACTS = HERE.parent / "contracts"
EAS_FOLDER = HERE / "eas"
EAS_PACKAGE = EAS_FOLDER / "node_modules" / "@ethereum-attestation-service" / "eas-contracts"
EAS_ARTIFACTS = EAS_PACKAGE / "artifacts" / "contracts"
# 75 attestations are about as many as fit the most gas that a transaction may have, 2**24.
SIZES = (1, 10, 75)
SCHEMA = "bytes32 jobKey,bytes32 resultHash"
# The least that an attestation can be: of nobody, for ever, of nothing before, never taken back.
NOBODY, FOR_EVER, NOTHING, IS_REVOCABLE = "0x" + "00" * 20, 0, bytes(32), False

Send = Callable[[Sequence[Entry]], Any]  # one transaction that confirms all of them; its hash


def main() -> None:
    _install()
    rows = asyncio.run(measured())
    sizes = "".join(f"{f'N={size}':>10}" for size in SIZES)
    print(f"{'gas a job':<20}{sizes}{'to confirmBatch':>18}{'to confirmCompact':>19}")
    for name, row in rows.items():
        ratios = [row[-1] / rows[ours][-1] for ours in ("confirmBatch", "confirmCompact")]
        gas = "".join(f"{each:>10,.0f}" for each in row)
        print(f"{name:<20}{gas}{ratios[0]:>18.2f}{ratios[1]:>19.1f}")


async def measured() -> dict[str, list[float]]:
    """Each way's gas a job, by the sizes."""
    with TemporaryDirectory() as folder:
        node = await start_node(CONTRACTS, Path(folder) / "node.log", mining=Mining.AUTOMATIC)
        try:
            signer = (await node.call("eth_accounts"))[2]
            registry = await deploy_registry(node, confirmer=signer)
            return await asyncio.to_thread(_measure, node.rpc_url, registry, Web3.to_checksum_address(signer))
        finally:
            await node.stop()


def _measure(rpc_url: str, registry: str, signer: str) -> dict[str, list[float]]:
    web3 = Web3(HTTPProvider(rpc_url, request_kwargs={"timeout": 60}))
    web3.eth.default_account = Web3.to_checksum_address(signer)
    ways = {**_ours(web3, registry), **_theirs(web3)}
    return {name: [_gas(web3, send, name, size) / size for size in SIZES] for name, send in ways.items()}


def _gas(web3: Web3, send: Send, name: str, size: int) -> int:
    """Of one transaction, for pairs that nobody recorded before."""
    words = [Web3.keccak(text=f"{name} {size} {number}").to_0x_hex() for number in range(2 * size)]
    entries = [Entry(key, result_hash) for key, result_hash in zip(words[::2], words[1::2], strict=True)]
    return int(_mined(web3, send(entries))["gasUsed"])


def _ours(web3: Web3, address: str) -> dict[str, Send]:
    abi = _artifact(CONTRACTS / "artifacts" / "src", "JobRegistry")["abi"]
    registry = web3.eth.contract(Web3.to_checksum_address(address), abi=abi).functions

    def compact(entries: Sequence[Entry]) -> Any:
        call = compact_call(str(web3.eth.default_account), len(entries), entries)
        return registry.confirmCompact(call.number, call.mask, call.root).transact()

    def batch(entries: Sequence[Entry]) -> Any:
        return registry.confirmBatch(*_columns(entries)).transact()

    return {"confirmCompact": compact, "confirmBatch": batch}


def _theirs(web3: Web3) -> dict[str, Send]:
    schemas = _deployed(web3, "SchemaRegistry")
    _mined(web3, schemas.functions.register(SCHEMA, NOBODY, IS_REVOCABLE).transact())
    schema = Web3.solidity_keccak(["string", "address", "bool"], [SCHEMA, NOBODY, IS_REVOCABLE])
    eas = _deployed(web3, "EAS", schemas.address).functions

    def attest(entries: Sequence[Entry]) -> Any:
        data = [bytes.fromhex(each.job_key[2:] + each.result_hash[2:]) for each in entries]
        requests = [(NOBODY, FOR_EVER, IS_REVOCABLE, NOTHING, each, 0) for each in data]
        return eas.multiAttest([(schema, requests)]).transact()

    def timestamp(entries: Sequence[Entry]) -> Any:
        digests = [Web3.keccak(hexstr=each.job_key + each.result_hash[2:]) for each in entries]
        return eas.multiTimestamp(digests).transact()

    return {"EAS multiAttest": attest, "EAS multiTimestamp": timestamp}


def _deployed(web3: Web3, name: str, *arguments: object) -> Contract:
    artifact = _artifact(EAS_ARTIFACTS, name)
    code = web3.eth.contract(abi=artifact["abi"], bytecode=artifact["bytecode"])
    receipt = _mined(web3, code.constructor(*arguments).transact())
    deployed: Contract = web3.eth.contract(receipt["contractAddress"], abi=artifact["abi"])
    return deployed


def _artifact(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.sol" / f"{name}.json").read_text())


def _mined(web3: Web3, transaction_hash: Any) -> Any:
    receipt = web3.eth.wait_for_transaction_receipt(transaction_hash)
    assert receipt["status"] == 1
    return receipt


def _columns(entries: Sequence[Entry]) -> tuple[list[str], list[str]]:
    return [each.job_key for each in entries], [each.result_hash for each in entries]


def _install() -> None:
    """The peer comes when it is first measured: the product has no use for it."""
    if EAS_ARTIFACTS.exists():
        return
    tools = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run([tools / "npm", "ci"], cwd=EAS_FOLDER, env=environment, check=True, capture_output=True)


if __name__ == "__main__":
    main()
