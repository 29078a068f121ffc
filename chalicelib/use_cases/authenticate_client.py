"""Which client calls the token and revocation endpoints: by its secret, or by a signed assertion."""

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain import client_secret
from chalicelib.domain.client import Client
from chalicelib.domain.errors import TooManyAttempts
from chalicelib.domain.tallies import counted_failure, counted_success, seconds_left
from chalicelib.ports import Clients, Clock, Tallies, Tenants
from chalicelib.use_cases.client_assertion import ReadAssertion
from chalicelib.use_cases.token_refused import TokenErrorCode, TokenRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOffered:
    """What a client offers as its id and secret (RFC 6749 §2.3.1)."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertionOffered:
    """What a client has signed, and the id that it says it has (RFC 7523 §2.2)."""

    client_id: str
    assertion: str = field(repr=False)


Credentials = SecretOffered | AssertionOffered
# The one text for whoever is not proven, so that it tells nobody which clients there are.
UNPROVEN = "Unknown client or wrong credential."


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticateClient:
    """The client that proved itself. Who did not learns nothing: unknown, wrong and revoked are one answer.

    Failures are counted for the address and for the client that was named; when either has too many, nobody
    is let in from there until the minute is over. Successes are counted for the client, far more generously,
    so that none keeps the others from their share. What cannot be counted is not let in: `Unavailable`.
    Attempts that overlap may each see the count before the others are in it, as many as there are executions.
    """

    clients: Clients
    tenants: Tenants
    tallies: Tallies
    read_assertion: ReadAssertion
    clock: Clock

    def __call__(self, credentials: Credentials, *, address: str) -> Client:
        """The client, live and of a tenant that is too; else `TokenRefused` or `TooManyAttempts`."""
        _check_form(credentials)
        now = self.clock.now()
        failures = counted_failure(address=address, client_id=credentials.client_id)
        success = (counted_success(credentials.client_id),)
        if self.tallies.spent((*failures, *success), now=now):
            raise TooManyAttempts(
                "Too many wrong credentials from this address or for this client, or too many right ones.",
                retry_after=seconds_left(now),
            )
        client = self.clients.get(credentials.client_id)
        if client is None or client.revoked_at is not None or not self._is_proven(client, credentials, now):
            self.tallies.add(failures, now=now)
            raise TokenRefused(TokenErrorCode.INVALID_CLIENT, UNPROVEN)
        self.tallies.add(success, now=now)
        return self._of_active_tenant(client)

    def _is_proven(self, client: Client, credentials: Credentials, now: datetime) -> bool:
        if isinstance(credentials, SecretOffered):
            return client.knows(credentials.client_secret, now=now)
        return self.read_assertion(credentials.assertion, client=client)

    def _of_active_tenant(self, client: Client) -> Client:
        tenant = self.tenants.get(client.tenant_id)
        if tenant is None or tenant.is_suspended:
            raise TokenRefused(TokenErrorCode.UNAUTHORIZED_CLIENT, "The tenant is suspended.")
        return client


def _check_form(credentials: Credentials) -> None:
    """Before anything is read or counted: nothing that can be right looks otherwise."""
    if isinstance(credentials, SecretOffered) and not client_secret.is_well_formed(credentials.client_secret):
        raise TokenRefused(
            TokenErrorCode.INVALID_CLIENT, "The secret is incomplete or mistyped: its checksum is wrong."
        )
