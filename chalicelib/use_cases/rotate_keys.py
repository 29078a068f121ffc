"""The keys that sign access tokens, followed by others: on schedule, by hand, or because they leaked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chalicelib.domain.access_token import KEY_REMEMBERED_FOR
from chalicelib.domain.audit import Act, AuditEvent
from chalicelib.domain.errors import Superseded
from chalicelib.domain.key_ring import KeyRing
from chalicelib.ports import Clock, Deed, Ids, KeyRings, KeyStore, Registry


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new signing key: its name, its public JWK, and its private one as JSON text."""

    kid: str
    public: dict[str, str]
    private: str = field(repr=False)


class Change(Protocol):
    """How a ring takes up a new key: `KeyRing.rotated` or `KeyRing.replaced` of one that was read."""

    def __call__(self, kid: str, public: dict[str, str], *, now: datetime) -> KeyRing: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateKeys:
    """Keys follow one another without a token that nobody can verify.

    A private key is kept before its public half is published, and dropped after that left the ring, which
    names it until then: a crash in between leaves no signature that cannot be made or checked, at most a
    private key that nobody knows. A key that leaves is revoked too, for processes that go by what they have
    read. Who loses a race (`Superseded`) has changed nothing.
    """

    rings: KeyRings
    registry: Registry
    store: KeyStore
    make_key: Callable[[], MadeKey]
    clock: Clock
    ids: Ids

    def on_schedule(self, *, actor: str) -> KeyRing:
        """What is due: the next key when the last has had its time, and the end of the retired."""
        now, ring = self.clock.now(), self._ring()
        if ring.is_due(now=now):
            return self.rotate(actor=actor)
        pruned = ring.pruned(now=now)
        if not pruned.left:
            return ring
        return self._committed(ring, pruned, self._event(Act.KEYS_RETIRED, " ".join(pruned.left), actor))

    def rotate(self, *, actor: str) -> KeyRing:
        """The ring with a key that will sign; as it is if one waits to, so that asking again is safe."""
        ring = self._ring()
        if ring.keys and ring.waiting(now=self.clock.now()):
            return ring
        return self._with_new_key(ring, ring.rotated, Act.KEYS_ROTATED, actor)

    def replace(self, *, actor: str) -> KeyRing:
        """The ring with a new key alone, which signs at once; in seconds no token of the others is taken."""
        ring = self._ring()
        return self._with_new_key(ring, ring.replaced, Act.KEYS_REPLACED, actor)

    def _ring(self) -> KeyRing:
        """The ring as it is; what left it is dropped, for whoever was to do it may have been cut off."""
        ring = self.rings.get()
        self._drop(ring)
        return ring

    def _with_new_key(self, ring: KeyRing, change: Change, act: Act, actor: str) -> KeyRing:
        made = self.make_key()
        self.store.put(made.kid, made.private)
        # The time is read now: however long keeping the key took, its wait begins when it is published.
        after = change(made.kid, made.public, now=self.clock.now())
        try:
            return self._committed(ring, after, self._event(act, made.kid, actor))
        except Superseded:
            self.store.drop(made.kid)
            raise

    def _committed(self, before: KeyRing, after: KeyRing, event: AuditEvent) -> KeyRing:
        revoked = dict.fromkeys(after.left, event.at + KEY_REMEMBERED_FOR)
        self.registry.commit(Deed(event=event, ring=(before, after), revoked=revoked))
        self._drop(after)
        return after

    def _drop(self, ring: KeyRing) -> None:
        for kid in ring.left:
            self.store.drop(kid)

    def _event(self, act: Act, subject: str, actor: str) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"), at=self.clock.now(), actor=actor, act=act, subject=subject
        )
