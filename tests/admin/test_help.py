"""What is shown, and what is not loaded, when nothing is administered."""

import os
import subprocess
import sys

import pytest

from tests.admin.commands import Admin
from tests.stack_process import REPOSITORY


@pytest.mark.parametrize(
    "command",
    [(), ("tenant",), ("client",), ("keys",), ("signers",), ("dead-letters",), ("usage",), ("invoices",)],
)
def test_the_commands_are_shown_when_none_is_named(admin: Admin, command: tuple[str, ...]) -> None:
    ended = admin(*command)
    assert (ended.status, "Usage: " in ended.out + ended.err) == (2, True)
    assert admin(*command, "--help").text.lstrip().startswith("Usage: ")


def test_no_library_of_the_stack_is_loaded_when_help_is_asked_for() -> None:
    code = (
        "import sys; from chalicelib.admin.__main__ import run\n"
        "try: run(['--help'])\n"
        "except SystemExit: pass\n"
        "stack = {'boto3', 'coincurve', 'joserfc', 'pydantic', 'yaml', 'eth_keys'}\n"
        "print(*sorted(stack & sys.modules.keys()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == ""


def test_no_chain_library_is_loaded_when_a_stack_is_administered() -> None:
    code = (
        "import sys, chalicelib.admin.provisioning\n"
        "chain = {'chalice', 'chalicelib.adapters.evm', 'coincurve', 'eth_abi', 'eth_keys'}\n"
        "print(*chain & sys.modules.keys())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "\n"


def test_a_process_ends_with_one_line_when_a_command_is_refused() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    command = [sys.executable, "-m", "chalicelib.admin", "keys", "list"]
    ran = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
