"""What an operator does to clients: each act whole or not at all, and none that repeating makes worse."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.access_token import SCOPES, last_use
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.client import MAX_LIVE_SECRETS, Client, new_secret
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused
from chalicelib.ports import Clients, Clock, Deed, Ids, Registry

# Long enough to deploy the new secret everywhere on a working day, short enough to be watched to its end.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Shown:
    """A client and the secret that was made for it, which is shown once and stored nowhere."""

    client: Client
    secret: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a new client shall be: with public keys it proves itself by them and gets no secret."""

    scopes: tuple[str, ...] = SCOPES
    public_keys: tuple[Mapping[str, str], ...] = ()
    is_dpop_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministerClients:
    """Adds, rotates and revokes clients; `Refused` says what is in the way."""

    clients: Clients
    registry: Registry
    clock: Clock
    ids: Ids

    def add(self, tenant: Tenant, wanted: Wanted, *, actor: str) -> Shown:
        """One more client of the tenant; it brings no quota of its own."""
        unknown = _unknown(wanted.scopes)
        if unknown or not wanted.scopes:
            raise Refused(f"There is no scope {' '.join(unknown)!r}: the scopes are {', '.join(SCOPES)}.")
        now = self.clock.now()
        secret = None if wanted.public_keys else self.ids.new_client_secret()
        client = Client(
            client_id=self.ids.new_id("cli_"),
            tenant_id=tenant.tenant_id,
            scopes=wanted.scopes,
            created_at=now,
            secrets=(new_secret(secret, now=now),) if secret else (),
            public_keys=wanted.public_keys,
            is_dpop_bound=wanted.is_dpop_bound,
        )
        self.registry.commit(Deed(event=self._event(Act.CLIENT_ADDED, client, actor), client=(None, client)))
        return Shown(client, secret)

    def rotate(self, client_id: str, *, actor: str, overlap: timedelta = OVERLAP) -> Shown:
        """A new secret; the one it has ends after the overlap, and at once if there is none.

        While two are live a third is refused, so that repeating it by mistake ends no secret that is in use.
        """
        client = self.found(client_id)
        now = self.clock.now()
        if client.revoked_at is not None:
            raise Refused(f"The client {client_id} is revoked: add another.")
        if client.public_keys:
            raise Refused(f"The client {client_id} has no secret: it proves itself with a key of its own.")
        live = client.live_secrets(now=now)
        if overlap and len(live) >= MAX_LIVE_SECRETS:
            raise Refused(
                f"The client {client_id} has {MAX_LIVE_SECRETS} live secrets; the older one ends at "
                f"{live[0].expires_at:%Y-%m-%dT%H:%M:%SZ}. Wait, or end both now with an overlap of 0 hours."
            )
        secret = self.ids.new_client_secret()
        rotated = client.rotated(secret, now=now, overlap=overlap)
        self.registry.commit(
            Deed(event=self._event(Act.CLIENT_ROTATED, client, actor), client=(client, rotated))
        )
        return Shown(rotated, secret)

    def revoke(self, client_id: str, *, actor: str) -> Client:
        """For good: within seconds none of its tokens is taken, and it gets no more. Once is enough."""
        client = self.found(client_id)
        if client.revoked_at is not None:
            return client
        now = self.clock.now()
        revoked = replace(client, revoked_at=now)
        self.registry.commit(
            Deed(
                event=self._event(Act.CLIENT_REVOKED, client, actor),
                client=(client, revoked),
                revoked={client.client_id: last_use(revoked_at=now)},
            )
        )
        return revoked

    def found(self, client_id: str) -> Client:
        """The client of this id."""
        client = self.clients.get(client_id)
        if client is None:
            raise Refused(f"There is no client {client_id!r}: `client list` shows a tenant's.")
        return client

    def _event(self, act: Act, client: Client, actor: str) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=self.clock.now(),
            actor=actor,
            act=act,
            subject=client.client_id,
            facts={"tenant_id": client.tenant_id, "scopes": " ".join(client.scopes)},
        )


def _unknown(scopes: Collection[str]) -> list[str]:
    return [scope for scope in scopes if scope not in SCOPES]
