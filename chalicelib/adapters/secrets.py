"""Keys in Secrets Manager: made at provisioning, read once a process, never logged."""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TOKEN_KEY = "zama-jobs/token-key/{kid}"
CURSOR_KEY = "zama-jobs/cursor-key"


class SecretsManagerKeys:
    """The `Keys` port."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client
        self._secret = cache(self._read)

    def token_key(self, kid: str) -> str:
        """See `ports.Keys.token_key`."""
        return self._secret(TOKEN_KEY.format(kid=kid))

    def cursor_key(self) -> bytes:
        """See `ports.Keys.cursor_key`."""
        return bytes.fromhex(self._secret(CURSOR_KEY))

    def _read(self, name: str) -> str:
        with translated():
            return self._client.get_secret_value(SecretId=name)["SecretString"]


class SecretsManagerKeyStore:
    """The `KeyStore` port."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client

    def put(self, kid: str, private_key: str) -> None:
        """See `ports.KeyStore.put`."""
        with translated(), suppress(self._client.exceptions.ResourceExistsException):
            self._client.create_secret(Name=TOKEN_KEY.format(kid=kid), SecretString=private_key)

    def drop(self, kid: str) -> None:
        """See `ports.KeyStore.drop`; at once, for a private key that is kept can only leak."""
        with translated(), suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_secret(SecretId=TOKEN_KEY.format(kid=kid), ForceDeleteWithoutRecovery=True)
