"""What an operator does to clients: each act whole or not at all, and none that repeating makes worse."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.access_token import SCOPES, last_use
from chalicelib.domain.audit import Act, AuditEvent, Outcome
from chalicelib.domain.client import MAX_LIVE_SECRETS, OVERLAP, Client, new_secret
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import Refused
from chalicelib.ports import Clients, Clock, Deed, Ids, Registry
from chalicelib.use_cases.client_keys import check_distinct

CLIENT_ID = re.compile(r"cli_[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True)
class Shown:
    """A client and the secret that was made for it, which is shown once and stored nowhere."""

    client: Client
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a new client shall be: with public keys it proves itself by them and gets no secret."""

    scopes: tuple[str, ...] = SCOPES
    public_keys: tuple[Mapping[str, str], ...] = ()
    is_dpop_bound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministerClients:
    """Adds, rotates and revokes clients.

    `Refused` says what is in the way, and `Superseded` that someone else was faster: nothing is changed then,
    and the secret that was made for it is nobody's.
    """

    clients: Clients
    registry: Registry
    clock: Clock
    ids: Ids

    def add(self, tenant: Tenant, wanted: Wanted, *, actor: str) -> Shown:
        """One more client of the tenant; it brings no quota of its own."""
        now = self.clock.now()
        secret = None if wanted.public_keys else self.ids.new_client_secret()
        client = Client(
            client_id=self.ids.new_id("cli_"),
            tenant_id=tenant.tenant_id,
            scopes=_checked(wanted.scopes),
            created_at=now,
            secrets=(new_secret(secret, now=now),) if secret else (),
            public_keys=check_distinct(wanted.public_keys),
            is_dpop_bound=wanted.is_dpop_bound,
        )
        event = self._event(Act.CLIENT_ADDED, client, actor, now=now, facts=_facts(client))
        self.registry.commit(Deed(event=event, client=(None, client)))
        return Shown(client, secret)

    def rotate(self, client_id: str, *, actor: str, overlap: timedelta = OVERLAP) -> Shown:
        """A new secret; the one it has ends after the overlap, and at once if there is none.

        While two are live a third is refused, so that repeating it by mistake ends no secret that is in use.
        """
        client = self._with_secrets(client_id)
        now = self.clock.now()
        live = client.live_secrets(now=now)
        if overlap and len(live) >= MAX_LIVE_SECRETS:
            raise Refused(
                f"The client {client_id} has {MAX_LIVE_SECRETS} live secrets, the older one until "
                f"{live[0].expires_at:%Y-%m-%dT%H:%M:%SZ}: wait for that; or replace the newer one with "
                "--lost if nobody has it; or end both now with --overlap-hours 0."
            )
        secret = self.ids.new_client_secret()
        return self._rotated(client, client.rotated(secret, now=now, overlap=overlap), secret, actor, now=now)

    def replace_lost(self, client_id: str, *, actor: str) -> Shown:
        """A new secret for the newest, which was cut off before anyone had it; an older one goes on."""
        client = self._with_secrets(client_id)
        now = self.clock.now()
        secret = self.ids.new_client_secret()
        return self._rotated(client, client.replaced(secret, now=now), secret, actor, now=now)

    def revoke(self, client_id: str, *, actor: str) -> tuple[Client, Outcome]:
        """For good: within seconds none of its tokens is taken, and it gets no more. Once is enough."""
        client = self.found(client_id)
        if client.revoked_at is not None:
            return client, Outcome.UNCHANGED
        now = self.clock.now()
        revoked = replace(client, revoked_at=now)
        self.registry.commit(
            Deed(
                event=self._event(Act.CLIENT_REVOKED, client, actor, now=now, facts={}),
                client=(client, revoked),
                revoked={client.client_id: last_use(revoked_at=now)},
            )
        )
        return revoked, Outcome.CHANGED

    def found(self, client_id: str) -> Client:
        """The client of this id."""
        if CLIENT_ID.fullmatch(client_id) is None:
            raise Refused("This is no client's id: it is `cli_` and 26 characters; see `client list`.")
        client = self.clients.get(client_id)
        if client is None:
            raise Refused(f"There is no client {client_id}: `client list` shows a tenant's.")
        return client

    def _with_secrets(self, client_id: str) -> Client:
        client = self.found(client_id)
        if client.revoked_at is not None:
            raise Refused(f"The client {client_id} is revoked for good: add another.")
        if client.public_keys:
            raise Refused(
                f"The client {client_id} has no secret, for it proves itself with a key of its own: "
                "add another with the new key, then revoke this one."
            )
        return client

    def _rotated(self, before: Client, after: Client, secret: str, actor: str, *, now: datetime) -> Shown:
        ends = [f"{each.expires_at:%Y-%m-%dT%H:%M:%SZ}" for each in after.secrets if each.expires_at]
        facts = {"older_secret_until": ends[0]} if ends else {}
        event = self._event(Act.CLIENT_ROTATED, after, actor, now=now, facts=facts)
        self.registry.commit(Deed(event=event, client=(before, after)))
        return Shown(after, secret)

    def _event(
        self, act: Act, client: Client, actor: str, *, now: datetime, facts: Mapping[str, str]
    ) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=now,
            actor=actor,
            act=act,
            subject=client.client_id,
            facts={"tenant_id": client.tenant_id, **facts},
        )


def _checked(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes, each once; one that there is not would be a typo that nobody notices for months."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Refused(f"A client has one or more of these scopes, and no other: {', '.join(SCOPES)}.")
    return tuple(scope for scope in SCOPES if scope in scopes)


def _facts(client: Client) -> dict[str, str]:
    """What was granted, and to whom: public keys by their names."""
    return {
        "scopes": " ".join(client.scopes),
        "proves_itself_by": " ".join(key["kid"] for key in client.public_keys) or "secret",
        "dpop_bound": "yes" if client.is_dpop_bound else "no",
    }
