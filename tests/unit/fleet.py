"""Many processes around one ring: each with its own clock and its own memory, and all with one store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import KeySet

from chalicelib.adapters.jose_tokens import JoseTokens, make_token_key
from chalicelib.adapters.memory import ManualClock, SequentialIds
from chalicelib.adapters.memory_access import (
    MemoryClients,
    MemoryKeyRings,
    MemoryKeys,
    MemoryRegistry,
    MemoryTenants,
)
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.access_token import AccessToken
from chalicelib.domain.audit import AuditEvent
from chalicelib.domain.errors import InvalidToken, Unavailable
from chalicelib.domain.key_ring import SKEW, TOKEN_LIFETIME, KeyRing
from chalicelib.ports import Clock, Deed
from chalicelib.use_cases.jose_errors import UNREADABLE
from chalicelib.use_cases.rotate_keys import RotateKeys
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.handlers.access import key_set
from tests.unit.world import ACME, BASE_URL, START

NONE = timedelta()


class Skewed(ManualClock):
    """A clock that differs from the true time by as much."""

    def __init__(self, time: ManualClock, by: timedelta) -> None:
        super().__init__(START)
        self._time = time
        self._by = by

    def now(self) -> datetime:
        return self._time.now() + self._by


class Counted(MemoryKeyRings):
    """Counts the readings; when it is down, each fails."""

    readings = 0
    is_down = False

    def get(self) -> KeyRing:
        if self.is_down:
            raise Unavailable("no answer")
        self.readings += 1
        return super().get()


class SlowStore(MemoryKeys):
    """Keeping a key takes this long."""

    put_takes = NONE

    def __init__(self, time: ManualClock) -> None:
        super().__init__()
        self._time = time

    def put(self, kid: str, private_key: str) -> None:
        self._time.advance(self.put_takes)
        super().put(kid, private_key)


class Outside:
    """A verifier of elsewhere: it knows the key set alone, and keeps it for as long as it is told to."""

    def __init__(self, served_by: JoseTokens, clock: Clock) -> None:
        self._served_by = served_by
        self.clock = clock
        self.read()

    def read(self) -> None:
        answer = key_set(self._served_by)
        self._keys = KeySet.import_key_set(json.loads(answer.body))
        max_age = int(answer.headers["Cache-Control"].removeprefix("max-age="))
        self._read_again_at = self.clock.now() + timedelta(seconds=max_age)

    def __call__(self, text: str, *, scheme: str) -> None:
        if self.clock.now() >= self._read_again_at:
            self.read()
        try:
            claims = jwt.decode(text, self._keys, algorithms=["ES256"]).claims
            jwt.JWTClaimsRegistry(now=int(self.clock.now().timestamp()), leeway=60).validate(claims)
        except UNREADABLE as error:
            raise InvalidToken(repr(error)) from error


@dataclass(frozen=True, slots=True)
class Issued:
    text: str
    kid: str
    expires_at: datetime


class Slow(MemoryRegistry):
    """Between what a rotation reads of its clock and what it writes, time passes, and everyone looks."""

    fleet: "Fleet"

    def commit(self, deed: Deed) -> None:
        self.fleet.time.advance(self.fleet.commits_after)
        for verifier in self.fleet.outside:
            verifier.read()
        super().commit(deed)


class Fleet:
    """Issuers, verifiers, verifiers of elsewhere and rotators, a pair of each; `skews` are their clocks'."""

    def __init__(self, skews: Sequence[timedelta] = (NONE,) * 8, *, commits_after: timedelta = NONE) -> None:
        self.time = ManualClock(START)
        self.commits_after = NONE
        self.rings, self.keys, self.revocations = Counted(), SlowStore(self.time), MemoryRevocations()
        self._registry = Slow(
            tenants=MemoryTenants(),
            clients=MemoryClients(),
            rings=self.rings,
            revocations=self.revocations,
        )
        self._registry.fleet = self
        self._ids = SequentialIds()
        self.outside: list[Outside] = []
        clocks = [Skewed(self.time, by) for by in skews]
        self.rotators = [self.rotator(clock) for clock in clocks[6:]]
        self.rotators[0].rotate(actor="provisioning")
        self.issuers = [(self.tokens(clock), clock) for clock in clocks[:2]]
        self.verifiers = [(self.verifier(clock), clock) for clock in clocks[2:4]]
        self.outside = [Outside(self.tokens(clocks[6]), clock) for clock in clocks[4:6]]
        self.commits_after = commits_after
        self.issued: list[Issued] = []

    def tokens(self, clock: Clock | None = None) -> JoseTokens:
        """Of a process that has read nothing yet."""
        return JoseTokens(self.keys, self.rings, clock or self.time, issuer=BASE_URL)

    def verifier(self, clock: Clock | None = None) -> VerifyToken:
        """Of a process that has read nothing yet."""
        return VerifyToken(tokens=self.tokens(clock), revocations=self.revocations, clock=clock or self.time)

    def rotator(self, clock: Clock | None = None) -> RotateKeys:
        return RotateKeys(
            rings=self.rings,
            registry=self._registry,
            store=self.keys,
            make_key=make_token_key,
            clock=clock or self.time,
            ids=self._ids,
        )

    def issue(self, issuer: int = 0) -> str:
        """A token, which is looked at in every check from now on, until it is of no use for long."""
        tokens, clock = self.issuers[issuer]
        token = access_token(clock.now())
        text = tokens.sign(token)
        expires_at = token.expires_at.replace(microsecond=0)
        recent = [each for each in self.issued if self.time.now() < each.expires_at + 3 * SKEW]
        self.issued = recent[-5:]
        self.issued.append(Issued(text, kid_of(text), expires_at))
        return text

    def read_anew(self) -> None:
        """Everyone who verifies has forgotten what it knew."""
        self.verifiers = [(self.verifier(clock), clock) for _, clock in self.verifiers]
        for verifier in self.outside:
            verifier.read()

    def events(self) -> Sequence[AuditEvent]:
        return self._registry.events(limit=100)

    def wrongs(self) -> list[str]:
        """What is not as promised now; nothing, if all is well."""
        return [*self._wrong_verdicts(), *self._missing_keys()]

    def _wrong_verdicts(self) -> list[str]:
        everyone = [*self.verifiers, *((verifier, verifier.clock) for verifier in self.outside)]
        wrongs = []
        for token in self.issued:
            for verify, clock in everyone:
                is_live = clock.now() < token.expires_at + SKEW
                if accepts(verify, token.text) != is_live:
                    wrongs.append(f"{type(verify).__name__} {'refuses' if is_live else 'takes'} {token}")
        return wrongs

    def _missing_keys(self) -> list[str]:
        signing = {self.rings.ring.signing(now=clock.now()).kid for _, clock in self.issuers}
        return [f"{kid} signs and is not kept" for kid in signing - self.keys.kept()]


def access_token(now: datetime, *, lives_for: timedelta = TOKEN_LIFETIME) -> AccessToken:
    return AccessToken(
        token_id="tok_1",
        tenant_id=ACME,
        client_id="cli_1",
        scopes=("jobs:read",),
        issued_at=now,
        expires_at=now + lives_for,
    )


def accepts(verify: Any, text: str) -> bool:
    try:
        verify(text, scheme="Bearer")
    except InvalidToken:
        return False
    return True


def kid_of(text: str) -> str:
    """The name of the key that a token says it is signed with."""
    return str(jws.extract_compact(text.encode()).headers()["kid"])
