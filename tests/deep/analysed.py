"""The contract as the analyses read it: a Foundry project, built by the contracts' own compiler, offline."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CONTRACTS = REPOSITORY / "contracts"
FOUNDRY = REPOSITORY / "tools" / "foundry"
SOURCE = "src/JobRegistry.sol"


@dataclass(frozen=True, slots=True)
class Defect:
    """One edit of the registry, which an analysis must notice."""

    name: str
    right: str
    wrong: str
    noticed_as: str

    def seed(self, project: Path) -> None:
        """Makes the edit, whose place must be there once."""
        source = project / SOURCE
        text = source.read_text()
        assert text.count(self.right) == 1, f"{self.name}: the registry has changed"
        source.write_text(text.replace(self.right, self.wrong))


def lay_out(project: Path) -> Path:
    """A copy of the sources and the proofs, ready to be built."""
    for folder in ("src", "test", "test-symbolic"):
        shutil.copytree(CONTRACTS / folder, project / folder)
    for name in ("foundry.toml", "halmos.toml"):
        shutil.copy(CONTRACTS / "test-symbolic" / name, project)
    (project / "node_modules").symlink_to(CONTRACTS / "node_modules")
    return project


def run(project: Path, *command: str, tools: str = "") -> subprocess.CompletedProcess[str]:
    """A command in the project, with the environment `tools` and forge first on the path."""
    folders = [
        REPOSITORY / tools / "bin",
        FOUNDRY / "node_modules" / ".bin",
        REPOSITORY / ".venv" / "bin",
        os.environ["PATH"],
    ]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(map(str, folders)),
        "FOUNDRY_SOLC": str(FOUNDRY / "solc.cjs"),
        "NO_COLOR": "1",
    }
    return subprocess.run(
        command,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
