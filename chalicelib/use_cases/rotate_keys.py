"""The keys that sign access tokens, followed by others: on schedule, by hand, or because they leaked."""

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.domain.access_token import KEY_REMEMBERED_FOR
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.key_ring import KeyRing
from chalicelib.ports import Clock, Deed, Ids, KeyRings, KeyStore, Registry


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new signing key: its name, its public JWK, and its private one as JSON text."""

    kid: str
    public: dict[str, str]
    private: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Keys follow one another without a token that nobody can verify.

    A private key is kept before its public half is published, and dropped after that was retired: a crash in
    between leaves a private key that signs nothing, and no signature that cannot be made or checked. Who
    loses a race (`Superseded`) has changed nothing.
    """

    rings: KeyRings
    registry: Registry
    store: KeyStore
    make_key: Callable[[], MadeKey]
    clock: Clock
    ids: Ids

    def on_schedule(self, *, actor: str) -> KeyRing:
        """What is due: the next key when the last has had its time, and the end of the retired."""
        now, ring = self.clock.now(), self.rings.get()
        if ring.is_due(now=now):
            return self.rotate(actor=actor)
        if not (retired := ring.retired(now=now)):
            return ring
        event = self._event(Act.KEYS_RETIRED, " ".join(key.kid for key in retired), actor)
        pruned = ring.pruned(now=now)
        self.registry.commit(Deed(event=event, ring=(ring, pruned)))
        self._drop(ring, pruned)
        return pruned

    def rotate(self, *, actor: str) -> KeyRing:
        """The ring with a key that will sign; as it is if one waits to, so that asking again is safe."""
        now, ring = self.clock.now(), self.rings.get()
        if ring.keys and ring.waiting(now=now):
            return ring
        made = self._kept()
        rotated = ring.rotated(made.kid, made.public, now=now)
        self.registry.commit(Deed(event=self._event(Act.KEYS_ROTATED, made.kid, actor), ring=(ring, rotated)))
        self._drop(ring, rotated)
        return rotated

    def replace(self, *, actor: str) -> KeyRing:
        """The ring with a new key alone, which signs at once; in seconds no token of the others is taken."""
        now, ring = self.clock.now(), self.rings.get()
        made = self._kept()
        replaced = ring.replaced(made.kid, made.public, now=now)
        revoked = {key.kid: now + KEY_REMEMBERED_FOR for key in ring.keys}
        event = self._event(Act.KEYS_REPLACED, made.kid, actor)
        self.registry.commit(Deed(event=event, ring=(ring, replaced), revoked=revoked))
        self._drop(ring, replaced)
        return replaced

    def _kept(self) -> MadeKey:
        made = self.make_key()
        self.store.put(made.kid, made.private)
        return made

    def _drop(self, before: KeyRing, after: KeyRing) -> None:
        for key in before.keys:
            if key not in after.keys:
                self.store.drop(key.kid)

    def _event(self, act: Act, subject: str, actor: str) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"), at=self.clock.now(), actor=actor, act=act, subject=subject
        )
