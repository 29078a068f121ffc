"""Where the secrets of signing are used, and what is said when it fails: signers' keys, the node's URL."""

import boto3
import pytest

from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.signers import SIGNER_KEY
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.web.logs import Failed, failures_told
from tests.policies.functions import SETTINGS, SIGNER
from tests.security.hearing import SIGNERS_KEY, HeardFunctions


def a_node_is_asked(key: str) -> None:
    """Of a provider whose URLs have our key in them; nothing answers there."""
    chain = EvmChain(
        f"http://127.0.0.1:1/v2/{key}",
        chain_id=1,
        genesis_hash=SETTINGS.genesis_hash,
        registry=SETTINGS.registry,
    )
    chain.survey(SIGNER, final_depth=FINAL_DEPTH)


def a_signer_comes_and_goes(functions: HeardFunctions) -> None:
    """Its key is made, and signs, and is dropped; nobody signs with what was dropped, or is no key."""
    keeper = boto3.client("secretsmanager", endpoint_url=SETTINGS.aws_endpoint)
    keys, signers, digest = (
        functions.adapters.signer_keys,
        functions.adapters.signers,
        bytes(32),
    )
    with functions.ours():
        good, dropped, damaged = (keys.make() for _ in range(3))
        assert signers.sign(good, digest)
        assert {good, dropped, damaged} <= set(keys.kept())
        keys.drop(dropped)
    secret = SIGNER_KEY.format(address=damaged)
    keeper.put_secret_value(SecretId=secret, SecretString=f"0x{SIGNERS_KEY.hex()}")
    for address in (dropped, damaged):
        with functions.ours(), pytest.raises(Failed), failures_told():
            signers.sign(address, digest)
