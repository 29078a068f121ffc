"""What an operator changes; every change is whole, or not at all, and leaves its audit event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.domain.audit import AuditEvent
from chalicelib.domain.client import Client
from chalicelib.domain.dead_letter import DeadLetter, DeadQueue
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.key_ring import KeyRing
from chalicelib.domain.roster import Roster
from chalicelib.domain.usage import DayRange

# Ten letters are dealt with in a second or two; what somebody who was cut off held is soon seen again.
HIDDEN_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One act and all that it writes: each pair is a row as it was read, None if new, and as it shall be.

    `revoked` are subjects for the list of revocations, with their `until`; `restored` are to leave it.
    """

    event: AuditEvent
    tenant: tuple[Tenant | None, Tenant] | None = None
    client: tuple[Client | None, Client] | None = None
    ring: tuple[KeyRing, KeyRing] | None = None
    roster: tuple[Roster, Roster] | None = None
    revoked: Mapping[str, datetime] = field(default_factory=dict)
    restored: Mapping[str, datetime] = field(default_factory=dict)


class Registry(Protocol):
    """The rows that only administration writes."""

    def commit(self, deed: Deed) -> None:
        """All of the deed; `Superseded` if a row is no longer as it was read, and then nothing."""

    def tenants(self) -> Sequence[Tenant]:
        """All tenants, by name; a change of the last second may be missing."""

    def clients_of(self, tenant_id: str) -> Sequence[Client]:
        """The tenant's clients, the oldest first; a change of the last second may be missing."""

    def events(self, *, limit: int) -> Sequence[AuditEvent]:
        """The latest audit events, the newest first."""


class KeyStore(Protocol):
    """Where private token keys are kept."""

    def put(self, kid: str, private_key: str) -> None:
        """Keeps the private JWK under this name; again changes nothing."""

    def drop(self, kid: str) -> None:
        """Forgets it, if it is there."""


class SignerKeyStore(Protocol):
    """Where the private keys of the chain's signers are kept."""

    def make(self) -> str:
        """The checksummed address of a new key, which is kept."""

    def kept(self) -> Sequence[str]:
        """The addresses of all keys that are kept; one of the last second may be missing."""

    def drop(self, address: str) -> None:
        """Forgets its key, if it is there."""


class MeteringKeys(Protocol):
    """The gateway's API keys, which a tenant's requests are counted by."""

    def attach(self, tenant_id: str, *, plan: str) -> None:
        """The tenant has its keys, each in its plan's usage plan; again changes nothing."""

    def submits(self, tenant_id: str, *, plan: str, days: DayRange) -> Sequence[int]:
        """How many of its requests by the submit key were counted, day by day; none without that key.

        Replays and refused ones are among them; the gateway may tell of one half an hour late.
        """


class DeadLetters(Protocol):
    """The messages that no function could deal with. A look hides what it finds from others for a while."""

    def look(self, queue: DeadQueue) -> Sequence[DeadLetter]:
        """Some letters, ten at most, the oldest first as far as can be told; none when all are seen or away.

        Nobody else finds them for `HIDDEN_FOR`, unless they are put back before.
        """

    def put_back(self, letters: Sequence[DeadLetter]) -> None:
        """The next look finds them again; those that are gone stay gone."""

    def send_again(self, letter: DeadLetter) -> None:
        """A function gets the letter's message, with its trace; the letter stays."""

    def remove(self, letter: DeadLetter) -> None:
        """The letter is gone, if nobody has looked at it since; again changes nothing."""
