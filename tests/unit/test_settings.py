"""What a function is told by its environment means the same, however it is written."""

from chalicelib.settings import Settings

ENVIRONMENT = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "JOBS_BASE_URL": "http://stack.test/local",
    "JOBS_CHAIN_RPC_URL": "http://127.0.0.1:1",
    "JOBS_CHAIN_ID": "31337",
    "JOBS_REGISTRY": "0x" + "aA" * 20,
    "JOBS_GENESIS_HASH": "0x" + "ab" * 32,
}


def test_the_chain_is_the_same_when_its_first_block_is_written_in_capitals() -> None:
    capitals = {**ENVIRONMENT, "JOBS_GENESIS_HASH": "0x" + "AB" * 32}
    assert Settings.from_environment(capitals) == Settings.from_environment(ENVIRONMENT)
