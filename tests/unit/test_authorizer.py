"""The authorizer: it names who calls, denies what is no live credential, and reads next to nothing for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.adapters.memory_access import MemoryKeyRings
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.access_token import SCOPES, AccessToken
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.key_ring import KeyRing
from chalicelib.use_cases.verify_token import VerifyToken
from chalicelib.web.auth import authorize
from chalicelib.web.logs import logger
from chalicelib.web.operations import OPERATIONS, SUBMIT_JOB
from tests.proofs import KEY as HOLDERS_KEY
from tests.proofs import signed
from tests.unit.access import ACMES, KEY, Access, Unasked
from tests.unit.world import ACME, START

STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/local"
READ = f"{STAGE}/GET/v1/jobs/j"
TOKEN = AccessToken(
    token_id="tok_1",
    tenant_id=ACME,
    client_id=ACMES,
    scopes=("jobs:read",),
    issued_at=START,
    expires_at=START + timedelta(minutes=10),
)
BOUND = replace(TOKEN, thumbprint=HOLDERS_KEY.thumbprint())


class Counted(MemoryRevocations, MemoryKeyRings):
    """The list and the ring that the authorizer reads, and how often it did; `is_down` ends that."""

    def __init__(self, ring: KeyRing) -> None:
        MemoryRevocations.__init__(self)
        MemoryKeyRings.__init__(self, ring)
        self.lists = 0
        self.rings = 0
        self.is_down = False

    def in_force(self, *, now: datetime) -> frozenset[str]:
        self.lists += 1
        self._check()
        return super().in_force(now=now)

    def get(self) -> KeyRing:
        self.rings += 1
        self._check()
        return super().get()

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("no answer")


class Authorizer:
    """A warm function's process, with nothing else behind it than what is counted."""

    def __init__(self) -> None:
        access = Access()
        self.clock = access.clock
        self._signs = access.tokens
        self.reads = Counted(access.rings.get())
        access.revocations = self.reads
        access.rings = self.reads
        # What signs and what else there is stays out of its reach.
        access.keys = Unasked()
        self._verify: VerifyToken = access.cold()

    def signed(self, token: AccessToken = TOKEN) -> str:
        return self._signs.sign(token)

    def answer(self, credential: str, method_arn: str = READ) -> dict[str, Any]:
        return authorize(self._verify, credential=credential, method_arn=method_arn)

    def effect(self, credential: str) -> str:
        return str(self.answer(credential)["policyDocument"]["Statement"][0]["Effect"])


@pytest.fixture
def authorizer() -> Authorizer:
    return Authorizer()


def test_the_answer_is_who_calls_and_no_more_than_what_was_asked(authorizer: Authorizer) -> None:
    token = replace(TOKEN, scopes=("jobs:read", "usage:read"))
    assert authorizer.answer(f"Bearer {authorizer.signed(token)}") == {
        "principalId": ACME,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [READ]}],
        },
        "usageIdentifierKey": f"{ACME}.read",
        "context": {"tenant_id": ACME, "client_id": ACMES, "scope": "jobs:read usage:read"},
    }


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
def test_the_key_is_told_when_the_token_is_bound_to_one(authorizer: Authorizer, scheme: str) -> None:
    answer = authorizer.answer(f"{scheme} {authorizer.signed(BOUND)}")
    assert answer["context"]["thumbprint"] == HOLDERS_KEY.thumbprint()


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.id)
def test_every_operation_is_allowed_and_metered_when_the_token_is_good(
    authorizer: Authorizer, operation: Any, scope: str
) -> None:
    """A scope is the function's to refuse, with the right challenge; the path comes as it was routed."""
    path = operation.path.format(job_id="job_1", period="2026-11", code="timeout")
    credential = f"Bearer {authorizer.signed(replace(TOKEN, scopes=(scope,)))}"
    answer = authorizer.answer(credential, f"{STAGE}/{operation.method}{path}")
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    use = "submit" if operation == SUBMIT_JOB else "read"
    assert answer["usageIdentifierKey"] == f"{ACME}.{use}"


@pytest.mark.parametrize("path", ["v1/jobs", "v1/jobs/", "/v1/jobs", "v1/%6aobs"])
def test_a_request_is_a_submit_however_its_path_is_spelt(authorizer: Authorizer, path: str) -> None:
    answer = authorizer.answer(f"Bearer {authorizer.signed()}", f"{STAGE}/POST/{path}")
    assert answer["usageIdentifierKey"] == f"{ACME}.submit"


@pytest.mark.parametrize(
    "path", ["GET/v1/jobs", "POST/v1/jobs/j/cancel", "GET/v1/jobs/POST", "GET/v1/jobs/a%2FPOST%2Fv1%2Fjobs"]
)
def test_a_request_is_no_submit_when_its_path_only_ends_like_one(authorizer: Authorizer, path: str) -> None:
    answer = authorizer.answer(f"Bearer {authorizer.signed()}", f"{STAGE}/{path}")
    assert answer["usageIdentifierKey"] == f"{ACME}.read"


def forged(authorizer: Authorizer, kid: str | None = None) -> str:
    """A token of anybody's making."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": kid or KEY.kid}
    return signed(header, TOKEN.to_claims(issuer="http://stack.test/local"), HOLDERS_KEY)


def tampered(authorizer: Authorizer) -> str:
    """The tenant's token with another tenant's claims."""
    header, _, signature = authorizer.signed().split(".")
    _, claims, _ = authorizer.signed(replace(TOKEN, tenant_id="ten_other")).split(".")
    return f"{header}.{claims}.{signature}"


def revoked(authorizer: Authorizer, subject: str) -> str:
    authorizer.reads.revoke(subject, until=START + timedelta(hours=1))
    return f"Bearer {authorizer.signed()}"


DENIED: Mapping[str, Callable[[Authorizer], str]] = {
    "nothing": lambda _: "",
    "a scheme alone": lambda _: "Bearer",
    "a scheme and a space": lambda _: "Bearer ",
    "a token alone": lambda a: a.signed(),
    "Basic": lambda a: f"Basic {a.signed()}",
    "a scheme of ours with a letter more": lambda a: f"Bearers {a.signed()}",
    "a key of another service": lambda _: "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b, Signature=c",
    "words": lambda _: "Bearer x",
    "two tokens": lambda a: f"Bearer {a.signed()} {a.signed()}",
    "two credentials": lambda a: f"Bearer {a.signed()}, Bearer {a.signed()}",
    "a tab": lambda a: f"Bearer\t{a.signed()}",
    "a line's end": lambda a: f"Bearer {a.signed()}\n",
    "quotes": lambda a: f'Bearer "{a.signed()}"',
    "not ASCII": lambda a: f"Bearer {a.signed()}\u00e9",
    "a NUL": lambda a: f"Bearer {a.signed()}\0",
    "a megabyte": lambda _: "Bearer " + "a" * 2**20,
    "a megabyte of dots": lambda _: "Bearer " + "." * 2**20,
    "forged": lambda a: f"Bearer {forged(a)}",
    "of a key unknown": lambda a: f"Bearer {forged(a, 'unknown')}",
    "of another tenant, the signature kept": lambda a: f"Bearer {tampered(a)}",
    "expired": lambda a: f"Bearer {a.signed(replace(TOKEN, expires_at=START - timedelta(seconds=60)))}",
    "bound, and as Bearer": lambda a: f"Bearer {a.signed(BOUND)}",
    "not bound, and as DPoP": lambda a: f"DPoP {a.signed()}",
    "revoked": lambda a: revoked(a, TOKEN.token_id),
    "its client revoked": lambda a: revoked(a, ACMES),
    "its tenant suspended": lambda a: revoked(a, ACME),
    "its key compromised": lambda a: revoked(a, KEY.kid),
}


@pytest.mark.parametrize("name", DENIED)
def test_it_denies_in_one_line_without_the_credential_when_that_is_not_good(
    authorizer: Authorizer, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    credential = DENIED[name](authorizer)
    assert authorizer.answer(credential) == {
        "principalId": "anonymous",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [READ]}],
        },
        "context": {},
    }
    (line,) = [logger.registered_handler.format(record) for record in caplog.records]
    told = json.loads(line)
    assert (told["message"], told["level"]) == ("denied", "INFO")
    assert told["reason"].endswith(".")
    parts = credential.replace(",", " ").split(" ")[1:] or [credential]
    assert not [part for part in parts if len(part) > 1 and part in line]


def test_the_list_is_read_every_four_seconds_and_nothing_else_is_when_it_is_warm(
    authorizer: Authorizer,
) -> None:
    credentials = [f"Bearer {authorizer.signed(replace(TOKEN, token_id=f'tok_{n}'))}" for n in range(5)]
    for credential in credentials:
        assert authorizer.effect(credential) == "Allow"
    assert (authorizer.reads.lists, authorizer.reads.rings) == (1, 1)
    for _second in range(40):
        authorizer.clock.advance(timedelta(seconds=1))
        for credential in credentials:
            assert authorizer.effect(credential) == "Allow"
    assert (authorizer.reads.lists, authorizer.reads.rings) == (11, 1)


def test_nothing_is_read_when_no_token_of_ours_is_presented(authorizer: Authorizer) -> None:
    authorizer.effect(f"Bearer {authorizer.signed()}")
    for credential in ("", "Bearer x", f"Basic {authorizer.signed()}", f"Bearer {forged(authorizer)}"):
        for _ in range(20):
            assert authorizer.effect(credential) == "Deny"
            authorizer.clock.advance(timedelta(seconds=1))
    assert (authorizer.reads.lists, authorizer.reads.rings) == (1, 1)


def test_the_ring_is_read_once_in_five_seconds_when_unknown_keys_are_named(authorizer: Authorizer) -> None:
    for n in range(100):
        assert authorizer.effect(f"Bearer {forged(authorizer, f'unknown-{n}')}") == "Deny"
        authorizer.clock.advance(timedelta(seconds=0.1))
    assert (authorizer.reads.lists, authorizer.reads.rings) == (0, 2)


@pytest.mark.parametrize("is_warm", [False, True])
def test_nobody_gets_in_when_what_it_reads_does_not_answer(authorizer: Authorizer, *, is_warm: bool) -> None:
    credential = f"Bearer {authorizer.signed()}"
    if is_warm:
        assert authorizer.effect(credential) == "Allow"
    authorizer.clock.advance(timedelta(seconds=4))
    authorizer.reads.is_down = True
    for _ in range(3):
        with pytest.raises(Unavailable):
            authorizer.answer(credential)
    authorizer.reads.is_down = False
    assert authorizer.effect(credential) == "Allow"


def test_it_goes_on_for_less_than_five_seconds_when_the_list_is_lost(authorizer: Authorizer) -> None:
    """What it knows is as good as it was; nobody who was revoked before is let in by that."""
    credential = f"Bearer {authorizer.signed()}"
    assert authorizer.effect(credential) == "Allow"
    authorizer.reads.is_down = True
    authorizer.clock.advance(timedelta(seconds=3.999))
    assert authorizer.effect(credential) == "Allow"
    authorizer.clock.advance(timedelta(seconds=0.001))
    with pytest.raises(Unavailable):
        authorizer.answer(credential)
