"""Keys in Secrets Manager: made at provisioning, read once a process, never logged."""

from functools import cache
from typing import TYPE_CHECKING

from chalicelib.adapters.dynamodb import translated

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

TOKEN_KEY = "zama-jobs/token-key"
CURSOR_KEY = "zama-jobs/cursor-key"
SIGNER_KEY = "zama-jobs/signer/{address}"


class SecretsManagerKeys:
    """The `Keys` port."""

    def __init__(self, client: "SecretsManagerClient") -> None:
        self._client = client
        self._secret = cache(self._read)

    def token_key(self) -> str:
        """See `ports.Keys.token_key`."""
        return self._secret(TOKEN_KEY)

    def cursor_key(self) -> bytes:
        """See `ports.Keys.cursor_key`."""
        return bytes.fromhex(self._secret(CURSOR_KEY))

    def signer_key(self, address: str) -> bytes:
        """See `ports.Keys.signer_key`."""
        return bytes.fromhex(self._secret(SIGNER_KEY.format(address=address)))

    def _read(self, name: str) -> str:
        with translated():
            return self._client.get_secret_value(SecretId=name)["SecretString"]
