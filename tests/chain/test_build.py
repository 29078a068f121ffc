"""The Solidity project: its own tests pass, and what is generated from it is fresh."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.chain.conftest import CONTRACTS

ABI_COPY = CONTRACTS.parent / "chalicelib" / "adapters" / "registry_abi.json"
ARTIFACT = CONTRACTS / "artifacts" / "src" / "JobRegistry.sol" / "JobRegistry.json"
LOCK = CONTRACTS / "package-lock.json"


def test_solidity_tests_pass() -> None:
    environment = {**os.environ, "HARDHAT_DISABLE_TELEMETRY": "true", "NO_COLOR": "1"}
    npm = Path(sys.executable).parent / "npm"
    environment["PATH"] = f"{npm.parent}{os.pathsep}{environment['PATH']}"
    ran = subprocess.run([npm, "test"], cwd=CONTRACTS, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_committed_abi_is_the_contracts_when_built() -> None:
    built = json.dumps(json.loads(ARTIFACT.read_text())["abi"], indent=2) + "\n"
    assert ABI_COPY.read_text() == built, "run `npm run build` in contracts/, and commit registry_abi.json"


def test_lock_file_names_no_download_address() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
