"""A client proves itself by what it signs (RFC 7523), once, to us alone, and for minutes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from chalicelib.adapters.memory_access import MemorySingleUse
from chalicelib.domain.client import Client
from chalicelib.domain.errors import Unavailable
from chalicelib.use_cases.client_assertion import ASSERTION_TYPE
from chalicelib.web.http import Response
from tests.proofs import KEY, OTHER_KEY, assertion, proof, public, public_as_secret, unsigned
from tests.unit.access import ACMES, GLOBEXS, TOKEN_URL, Access, basic
from tests.unit.test_token_endpoints import GRANT, assert_refused
from tests.unit.world import ACME, BASE_URL, GLOBEX, START

NOW = int(START.timestamp())
REVOKE_URL = f"{BASE_URL}/v1/oauth/revoke"
RSA_KEY = RSAKey.generate_key(2048, private=True)
# Clients with a key each, the last with both kinds.
SIGNER, GLOBEXS_SIGNER, SIGNER_OF_TWO = (f"cli_{n:026d}" for n in range(7, 10))


def signer(client_id: str, tenant_id: str, *keys: ECKey | RSAKey) -> Client:
    return Client(
        client_id=client_id,
        tenant_id=tenant_id,
        scopes=("jobs:read",),
        created_at=START,
        public_keys=tuple({**public(key), "kid": key.thumbprint()} for key in keys),
    )


SIGNERS = (
    signer(SIGNER, ACME, KEY),
    signer(GLOBEXS_SIGNER, GLOBEX, OTHER_KEY),
    signer(SIGNER_OF_TWO, ACME, KEY, RSA_KEY),
)


def access_of_signers() -> Access:
    made = Access()
    made.clients.rows.update({client.client_id: client for client in SIGNERS})
    return made


@pytest.fixture
def access() -> Access:
    return access_of_signers()


def signed(client_id: str = SIGNER, *, audience: Any = BASE_URL, **changes: Any) -> str:
    return assertion(client_id, audience=audience, now=NOW, **changes)


def form(text: str, **fields: str) -> dict[str, str]:
    """A form that is right for either endpoint."""
    asserted = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": text}
    return {**GRANT, "token": "x", **asserted, **fields}


def ask(access: Access, text: str, **fields: str) -> Response:
    return access.ask(form(text, **fields))


@pytest.mark.parametrize("fields", [{}, {"client_id": SIGNER}], ids=["alone", "with its client_id"])
@pytest.mark.parametrize("audience", [BASE_URL, TOKEN_URL, [BASE_URL]])
def test_a_client_gets_its_token_when_it_signs_who_it_is(
    access: Access, audience: str | list[str], fields: dict[str, str]
) -> None:
    answer = ask(access, signed(audience=audience), **fields)
    token = access.tokens.verify(json.loads(answer.body)["access_token"]).token
    assert (answer.status, token.client_id, token.tenant_id) == (200, SIGNER, ACME)


@pytest.mark.parametrize(("key", "algorithm"), [(KEY, "ES256"), (RSA_KEY, "PS256")], ids=["ES256", "PS256"])
def test_the_key_is_the_named_one_when_the_client_has_several(
    access: Access, key: ECKey | RSAKey, algorithm: str
) -> None:
    header = {"alg": algorithm, "kid": key.thumbprint()}
    assert ask(access, signed(SIGNER_OF_TWO, key=key, header=header)).status == 200


@pytest.mark.parametrize("said", ["JWT", "jwt", "client-authentication+jwt"])
def test_the_type_may_be_told_when_it_is_an_assertions(access: Access, said: str) -> None:
    assert ask(access, signed(header={"typ": said})).status == 200


def test_a_token_is_revoked_when_its_client_signs_who_it_is(access: Access) -> None:
    token = json.loads(ask(access, signed()).body)["access_token"]
    answer = access.revoke(form(signed(), token=token))
    assert (answer.status, len(access.revocations.in_force(now=START))) == (200, 1)


def claim_twice() -> str:
    payload = json.dumps(NO_SIGNATURE).replace("{", f'{{"sub":"{GLOBEXS_SIGNER}",', 1)
    header, _, signature = signed().split(".")
    return f"{header}.{urlsafe_b64encode(payload.encode()).rstrip(b'=').decode()}.{signature}"


NO_SIGNATURE = {"iss": SIGNER, "sub": SIGNER, "aud": BASE_URL, "exp": NOW + 60, "jti": "1"}
WRONG: Mapping[str, Callable[[], str]] = {
    "another client's key": lambda: signed(key=OTHER_KEY),
    "another client": lambda: signed(GLOBEXS_SIGNER),
    "no such client": lambda: signed("cli_" + "9" * 26),
    "a client with a secret": lambda: signed(ACMES),
    "no id of a client": lambda: signed("*"),
    "another issuer": lambda: signed(iss=GLOBEXS_SIGNER),
    "another subject": lambda: signed(sub=GLOBEXS_SIGNER),
    "no issuer": lambda: signed(iss=None),
    "no subject": lambda: signed(sub=None),
    "a list of subjects": lambda: signed(sub=[SIGNER]),
    "another audience": lambda: signed(audience="https://other.test"),
    "an endpoint that is no name of ours": lambda: signed(audience=REVOKE_URL),
    "a slash more": lambda: signed(audience=f"{BASE_URL}/"),
    "two audiences": lambda: signed(audience=[BASE_URL, "https://other.test"]),
    "no audience": lambda: signed(aud=None),
    "an empty audience": lambda: signed(audience=[]),
    "no expiry": lambda: signed(exp=None),
    "an expiry of text": lambda: signed(exp=str(NOW + 60)),
    "an endless expiry": lambda: signed(exp=10**400),
    "the last expiry there is": lambda: signed(exp=253_402_300_799),
    "an expiry before all time": lambda: signed(exp=-(10**18)),
    "no jti": lambda: signed(jti=None),
    "an empty jti": lambda: signed(jti=""),
    "a jti that is a number": lambda: signed(jti=7),
    "not yet valid": lambda: signed(nbf=NOW + 3600),
    "issued in the future": lambda: signed(iat=NOW + 3600),
    "an access token's type": lambda: signed(header={"typ": "at+jwt"}),
    "a proof's type": lambda: signed(header={"typ": "dpop+jwt"}),
    "a type that is a number": lambda: unsigned({"alg": "ES256", "typ": 1}, NO_SIGNATURE, signature="AA"),
    "a proof": lambda: proof("POST", TOKEN_URL, now=NOW),
    "alg none": lambda: unsigned({"alg": "none"}, NO_SIGNATURE),
    "alg none, signed": lambda: unsigned({"alg": "none"}, NO_SIGNATURE, signature=signed().split(".")[2]),
    "alg RS256": lambda: signed(
        SIGNER_OF_TWO, key=RSA_KEY, header={"alg": "RS256", "kid": RSA_KEY.thumbprint()}
    ),
    "another kind of key": lambda: signed(key=RSA_KEY, header={"alg": "PS256"}),
    "algorithm confusion": lambda: signed(key=public_as_secret(KEY), header={"alg": "HS256"}),
    "a key of its own": lambda: signed(key=OTHER_KEY, header={"jwk": public(OTHER_KEY)}),
    "no such kid": lambda: signed(header={"kid": "1"}),
    "neither of its kids": lambda: signed(SIGNER_OF_TWO),
    "no signature": lambda: signed().rpartition(".")[0] + ".",
    "a claim twice": claim_twice,
    "not even a JWT": lambda: "x",
    "larger than any that is right": lambda: signed(more="x" * 4096),
}


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
@pytest.mark.parametrize("name", WRONG)
def test_a_client_is_refused_when_its_assertion_is_wrong(access: Access, name: str, endpoint: str) -> None:
    assert_refused(getattr(access, endpoint)(form(WRONG[name]())), 401, "invalid_client")


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        (-60, 401),
        (-59, 200),
        (-59.5, 200),
        (0, 200),
        (300, 200),
        (360, 200),
        (360.5, 401),
        (361, 401),
    ],
)
def test_an_assertion_is_good_for_five_minutes_give_or_take_the_skew(
    access: Access, seconds: float, status: int
) -> None:
    assert ask(access, signed(exp=NOW + seconds)).status == status


# Its seconds alone would say that its id may be forgotten, and that it can still be used.
@example(-58_100, 1_500)
@given(st.integers(-60_000, 360_000), st.integers(0, 500_000))
def test_an_assertion_is_good_once_whenever_it_is_sent_again(
    life_milliseconds: int, later_milliseconds: int
) -> None:
    access = access_of_signers()
    text = signed(exp=NOW + life_milliseconds / 1000)
    ask(access, text)
    access.clock.advance(timedelta(milliseconds=later_milliseconds))
    assert ask(access, text).status == 401


def test_an_assertion_is_used_at_either_endpoint_when_it_was_at_one(access: Access) -> None:
    text = signed()
    assert access.revoke(form(text)).status == 200
    assert_refused(ask(access, text), 401, "invalid_client")


def test_an_id_is_free_when_another_client_has_used_it(access: Access) -> None:
    assert ask(access, signed(jti="1")).status == 200
    assert ask(access, signed(GLOBEXS_SIGNER, key=OTHER_KEY, jti="1")).status == 200


def test_an_id_is_not_used_up_when_someone_else_has_signed_it(access: Access) -> None:
    assert ask(access, signed(jti="1", key=OTHER_KEY)).status == 401
    assert ask(access, signed(jti="1")).status == 200


class Meeting(MemorySingleUse):
    """Nobody claims an id before all of them are about to."""

    def __init__(self, parties: int) -> None:
        super().__init__()
        self._barrier = Barrier(parties, timeout=10)

    def claim(self, used_id: str, *, until: datetime, now: datetime) -> bool:
        self._barrier.wait()
        return super().claim(used_id, until=until, now=now)


def test_exactly_one_wins_when_an_assertion_is_sent_many_times_at_once(access: Access) -> None:
    count, text = 8, signed()
    access.single_use = Meeting(count)
    with ThreadPoolExecutor(count) as pool:
        answers = list(pool.map(lambda _: ask(access, text), range(count)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * (count - 1)


class Down(MemorySingleUse):
    """Cannot tell which ids were used."""

    def claim(self, used_id: str, *, until: datetime, now: datetime) -> bool:
        raise Unavailable("no answer")


def test_nobody_gets_in_when_it_cannot_be_told_whether_an_assertion_was_used(access: Access) -> None:
    access.single_use = Down()
    assert ask(access, signed()).status == 503
    assert ask(access, signed(key=OTHER_KEY)).status == 401


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
def test_a_request_is_invalid_when_it_has_two_credentials(access: Access, endpoint: str) -> None:
    send = getattr(access, endpoint)
    assert_refused(send(form(signed()), basic()), 400, "invalid_request")
    assert_refused(send(form(signed()), "Bearer x"), 400, "invalid_request")
    assert_refused(send(form(signed(), client_secret="x")), 400, "invalid_request")
    text = signed()
    twice = f"client_assertion_type={ASSERTION_TYPE}&client_assertion={text}&client_assertion={text}"
    assert_refused(send(f"grant_type=client_credentials&token=x&{twice}".encode()), 400, "invalid_request")


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
@pytest.mark.parametrize(
    "fields",
    [
        {"client_assertion_type": ""},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
        {"client_assertion": ""},
        {"client_id": GLOBEXS_SIGNER},
        {"client_id": ACMES},
    ],
)
def test_a_client_is_refused_when_the_fields_around_its_assertion_are_wrong(
    access: Access, endpoint: str, fields: dict[str, str]
) -> None:
    assert_refused(getattr(access, endpoint)(form(signed(), **fields)), 401, "invalid_client")


def test_a_client_with_a_key_is_refused_when_it_offers_a_secret(access: Access) -> None:
    assert_refused(access.ask(GRANT, basic(SIGNER)), 401, "invalid_client")


def test_a_client_is_refused_when_it_is_revoked(access: Access) -> None:
    access.clients.rows[SIGNER] = replace(access.clients.rows[SIGNER], revoked_at=START)
    refusal = ask(access, signed())
    assert_refused(refusal, 401, "invalid_client")
    assert refusal == ask(access, signed("cli_" + "9" * 26)) == access.ask(GRANT, basic(SIGNER))


def test_an_assertion_counts_as_failed_when_it_is_wrong_and_not_when_it_is_none(access: Access) -> None:
    for _ in range(20):
        assert ask(access, "x").status == 401
    assert ask(access, signed()).status == 200
    for _ in range(10):
        assert ask(access, signed(key=OTHER_KEY)).status == 401
    assert ask(access, signed()).status == 429
    assert access.ask(GRANT, basic(GLOBEXS)).status == 429
