"""The chain's signers: their roster in DynamoDB, their private keys in Secrets Manager, never logged.

A key management service that signs digests could stand here; this one reads a key once a process.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import Item, Tables, translated
from chalicelib.domain.roster import Duty, Roster, Signer
from chalicelib.ports import Ids

if TYPE_CHECKING:
    from coincurve import PrivateKey
    from mypy_boto3_secretsmanager import SecretsManagerClient

SIGNERS = "chain_signers"
SIGNER_KEY = "zama-jobs/signer/{address}"
ROSTER_KEY = {"account": "roster"}


def roster_item(roster: Roster) -> Item:
    """The one row that holds the roster."""
    return {**ROSTER_KEY, "signers": [[each.address, each.duty.value] for each in roster.signers]}


class StoredSigners:
    """The `Signers` port."""

    def __init__(self, tables: Tables, client: "SecretsManagerClient") -> None:
        self._tables = tables
        self._client = client
        self._key = cache(self._read)

    def roster(self) -> Roster:
        """See `ports.Signers.roster`."""
        found = self._tables.get(SIGNERS, ROSTER_KEY)
        rows = found["signers"] if found else []
        return Roster(tuple(Signer(address, Duty(duty)) for address, duty in rows))

    def sign(self, address: str, digest: bytes) -> bytes:
        """See `ports.Signers.sign`."""
        return self._key(address).sign_recoverable(digest, hasher=None)

    def _read(self, address: str) -> "PrivateKey":
        # Imported by the sender alone: it loads a shared library.
        from coincurve import PrivateKey

        with translated():
            secret = self._client.get_secret_value(SecretId=SIGNER_KEY.format(address=address))
        return PrivateKey(bytes.fromhex(secret["SecretString"]))


class SecretsManagerSignerKeys:
    """The `SignerKeyStore` port."""

    def __init__(self, client: "SecretsManagerClient", ids: Ids) -> None:
        self._client = client
        self._ids = ids

    def make(self) -> str:
        """See `ports.SignerKeyStore.make`."""
        from eth_keys.datatypes import PrivateKey

        key = PrivateKey(self._ids.new_private_key())
        address = key.public_key.to_checksum_address()
        with translated():
            self._client.create_secret(
                Name=SIGNER_KEY.format(address=address), SecretString=key.to_bytes().hex()
            )
        return address

    def kept(self) -> Sequence[str]:
        """See `ports.SignerKeyStore.kept`."""
        before, _, _ = SIGNER_KEY.partition("{")
        with translated():
            pages = self._client.get_paginator("list_secrets").paginate()
            names = [secret["Name"] for page in pages for secret in page["SecretList"]]
        return [name.removeprefix(before) for name in names if name.startswith(before)]

    def drop(self, address: str) -> None:
        """See `ports.SignerKeyStore.drop`; at once, for a private key that is kept can only leak."""
        with translated(), suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_secret(
                SecretId=SIGNER_KEY.format(address=address), ForceDeleteWithoutRecovery=True
            )
