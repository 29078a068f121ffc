"""Proofs of possession, rule by rule (RFC 9449 §4.3): each is for one request, for a minute, and for once."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.memory_access import MemorySingleUse
from chalicelib.domain.errors import InvalidProof, Unavailable
from chalicelib.use_cases.verify_proof import Presented, VerifyProof, normalized
from tests.proofs import KEY, OTHER_KEY, SigningKey, proof, public, public_as_secret, unsigned
from tests.unit.world import BASE_URL, START

URL = f"{BASE_URL}/v1/jobs"
TOKEN = "a.b.c"
NOW = int(START.timestamp())
SECOND = timedelta(seconds=1)
P384_KEY = ECKey.generate_key("P-384", private=True)
RSA_KEY = RSAKey.generate_key(2048, private=True)
CLAIMS: Mapping[str, Any] = {"htm": "POST", "htu": URL, "iat": NOW, "jti": "id"}
HEADER: Mapping[str, Any] = {"alg": "ES256", "typ": "dpop+jwt", "jwk": public(KEY)}
DEEP = 5_000


class RecordedSingleUse(MemorySingleUse):
    """Remembers for how long ids were claimed."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[tuple[str, timedelta]] = []

    def claim(self, used_id: str, *, until: Any, now: Any) -> bool:
        self.claims.append((used_id, until - now))
        return super().claim(used_id, until=until, now=now)


class Proofs:
    """A verifier, and the request that it is asked about."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.used = RecordedSingleUse()
        self._verify = VerifyProof(single_use=self.used, clock=self.clock)

    def verify(self, given: str, **changes: Any) -> str:
        right = {"method": "POST", "url": URL, "access_token": TOKEN, "thumbprint": KEY.thumbprint()}
        return self._verify(given, Presented(**{**right, **changes}))

    def assert_refused(self, given: str, **changes: Any) -> None:
        with pytest.raises(InvalidProof):
            self.verify(given, **changes)
        assert self.used.claims == [], "a proof that is wrong costs no write"


@pytest.fixture
def proofs() -> Proofs:
    return Proofs()


def good(key: SigningKey = KEY, *, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
    """A proof that is right but for this; `None` is what it leaves out."""
    return proof("POST", URL, now=NOW, access_token=TOKEN, key=key, header=header, **claims)


def signed(payload: bytes) -> str:
    """A well signed proof of any payload."""
    return jws.serialize_compact(dict(HEADER), payload, KEY)


def test_the_keys_thumbprint_is_the_answer_when_the_proof_is_right(proofs: Proofs) -> None:
    assert proofs.verify(good()) == KEY.thumbprint()


def test_any_key_will_do_when_the_token_is_yet_to_be_bound(proofs: Proofs) -> None:
    for key in (KEY, OTHER_KEY):
        given = proof("POST", URL, now=NOW, key=key)
        assert proofs.verify(given, access_token=None, thumbprint=None) == key.thumbprint()


def test_a_proof_is_taken_when_it_says_more_than_it_must(proofs: Proofs) -> None:
    """RFC 9449 §4.2: further header parameters and claims; a browser's JWK has members of its own."""
    exported = {**public(KEY), "ext": True, "key_ops": ["verify"], "kid": "mine", "use": "sig"}
    assert proofs.verify(good(header={"jwk": exported, "x-of-a-profile": 1}, nonce="n", exp=1, iat=NOW + 0.5))


NOT_OF_THE_FORM = {
    "empty": "",
    "words": "not a proof",
    "two parts": "a.b",
    "five parts": "a.b.c.d.e",
    "two proofs": f"{good()},{good()}",
    "not ASCII": "é.é.é",
    "another typ": good(header={"typ": "JWT"}),
    "typ at+jwt": good(header={"typ": "at+jwt"}),
    "no typ": good(header={"typ": None}),
    "no jwk": good(header={"jwk": None}),
    "a kid alone": good(header={"jwk": None, "kid": KEY.thumbprint()}),
    "a private key in the header": good(header={"jwk": KEY.as_dict(private=True)}),
    "a key as text": good(header={"jwk": None, "kid": "k", "jku": "http://127.0.0.1:1/"}),
    "alg none": unsigned({**HEADER, "alg": "none"}, CLAIMS),
    "alg none with a signature": unsigned({**HEADER, "alg": "none"}, CLAIMS, signature="AA"),
    "HS256 with a secret of its own": good(OctKey.generate_key(256), header={"alg": "HS256"}),
    "HS256 with the public key": good(
        public_as_secret(KEY), header={"alg": "HS256", "jwk": public(KEY)}
    ),
    "RS256": good(RSA_KEY, header={"alg": "RS256"}),
    "PS256": good(RSA_KEY, header={"alg": "PS256"}),
    "ES384": good(P384_KEY, header={"alg": "ES384"}),
    "a key of another curve": unsigned({**HEADER, "jwk": public(P384_KEY)}, CLAIMS, signature="A" * 86),
    "a key off the curve": unsigned({**HEADER, "jwk": {**public(KEY), "x": "AA"}}, CLAIMS, signature="AA"),
    "a curve that is none": unsigned({**HEADER, "jwk": {**public(KEY), "crv": "x"}}, CLAIMS, signature="AA"),
    "an RSA key": unsigned({**HEADER, "jwk": public(RSA_KEY)}, CLAIMS, signature="AA"),
    "a shared secret": unsigned({**HEADER, "jwk": {"kty": "oct", "k": "AA"}}, CLAIMS, signature="AA"),
    "a jwk that is text": unsigned({**HEADER, "jwk": "x"}, CLAIMS, signature="AA"),
    "a jwk that is a list": unsigned({**HEADER, "jwk": []}, CLAIMS, signature="AA"),
    "a jwk without members": unsigned({**HEADER, "jwk": {}}, CLAIMS, signature="AA"),
    "signed with another key than it shows": good(OTHER_KEY, header={"jwk": public(KEY)}),
    "no signature": good().rpartition(".")[0] + ".",
    "a signature of another proof": good().rpartition(".")[0] + "." + good().rpartition(".")[2],
    "critical, and unknown": unsigned({**HEADER, "crit": ["x"], "x": 1}, CLAIMS, signature="AA"),
    "crit is a number": unsigned({**HEADER, "crit": 5}, CLAIMS, signature="AA"),
    "a header of a megabyte": unsigned({**HEADER, "x": "a" * 2**20}, CLAIMS, signature="AA"),
    "a payload of a megabyte": good(x="a" * 2**20),
    "a list": signed(b"[]"),
    "no JSON": signed(b"{"),
    "no UTF-8": signed(b'{"jti":"\xff"}'),
    "endless nesting": signed(b'{"jti":' + b"[" * DEEP + b"]" * DEEP + b"}"),
    "a number of 5,000 digits": signed(b'{"iat":' + b"9" * 5_000 + b"}"),
    "iat NaN": good(iat=float("nan")),
    "iat infinite": good(iat=float("-inf")),
    "iat beyond any calendar": good(iat=10**300),
    "iat a float beyond any calendar": good(iat=1e300),
    "iat text": good(iat=str(NOW)),
    "iat a boolean": good(iat=True),
    "iat an object": good(iat={}),
    "no iat": good(iat=None),
    "jti a number": good(jti=7),
    "jti a list": good(jti=["id"]),
    "jti empty": good(jti=""),
    "no jti": good(jti=None),
    "htm a list": good(htm=["POST"]),
    "no htm": good(htm=None),
    "htu a list": good(htu=[URL]),
    "no htu": good(htu=None),
    "a port that is none": good(htu="http://stack.test:99999/local/v1/jobs"),
    "brackets that do not close": good(htu="http://[::1/local/v1/jobs"),
    "ath a number": good(ath=7),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_OF_THE_FORM)
def test_a_proof_is_refused_when_it_is_not_of_the_form(proofs: Proofs, name: str) -> None:
    proofs.assert_refused(NOT_OF_THE_FORM[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": ""},
        {"htu": f"{BASE_URL}/v1/uploads"},
        {"htu": f"{BASE_URL}/v1/jobs/"},
        {"htu": f"{BASE_URL}//v1/jobs"},
        {"htu": f"{BASE_URL}/v1/jobs%2F"},
        {"htu": f"{BASE_URL}/V1/jobs"},
        {"htu": "https://stack.test/local/v1/jobs"},
        {"htu": "http://other.test/local/v1/jobs"},
        {"htu": "http://stack.test:8080/local/v1/jobs"},
        {"htu": "http://stack.test@other.test/local/v1/jobs"},
        {"htu": "http://user@stack.test/local/v1/jobs"},
        {"htu": "http://stack.test.other.test/local/v1/jobs"},
        {"htu": "/local/v1/jobs"},
        {"htu": "stack.test/local/v1/jobs"},
        {"htu": "//stack.test/local/v1/jobs"},
        {"htu": ""},
        {"ath": "x"},
        {"ath": ""},
        {"ath": None},
    ],
    ids=str,
)
def test_a_proof_is_refused_when_it_is_for_another_request(
    proofs: Proofs, changes: Mapping[str, Any]
) -> None:
    proofs.assert_refused(good(**changes))


def test_a_proof_is_refused_when_its_token_is_another(proofs: Proofs) -> None:
    proofs.assert_refused(good(), access_token="another")
    # One for the API is none for the token endpoint, were its URL the same.
    proofs.assert_refused(good(), access_token=None)


def test_a_proof_is_refused_when_the_token_is_bound_to_another_key(proofs: Proofs) -> None:
    proofs.assert_refused(good(OTHER_KEY))


@pytest.mark.parametrize(
    "spelling",
    [
        f"{URL}?limit=1",
        f"{URL}#top",
        f"{URL}?",
        "HTTP://STACK.test/local/v1/jobs",
        "http://stack.test:80/local/v1/jobs",
        "http://stack.test:/local/v1/jobs",
        f"{BASE_URL}/v1/%6Aobs",
        f"{BASE_URL}/v1/%6aobs",
        f"{BASE_URL}/v1/./jobs",
        f"{BASE_URL}/v1/x/../jobs",
        f"{BASE_URL}/v1/x/%2e%2E/jobs",
        "http://stack.test/../local/v1/jobs",
    ],
)
def test_a_proof_is_taken_when_its_url_is_spelt_in_another_way(proofs: Proofs, spelling: str) -> None:
    """RFC 9449 §4.3 asks for RFC 3986 §6.2.2 and §6.2.3."""
    assert proofs.verify(good(htu=spelling))


@pytest.mark.parametrize(
    ("one", "other", "are_equal"),
    [
        ("https://h/a", "https://H:443/a", True),
        ("https://h", "https://h/", True),
        ("http://[::1]:80/a", "http://[::1]/a", True),
        ("http://h/a%c3%a9", "http://h/a%C3%A9", True),
        ("http://h/a%7E%2d", "http://h/a~-", True),
        ("http://h/a/.", "http://h/a/", True),
        ("http://h/a/b/..", "http://h/a/", True),
        ("http://h/a%2Fb", "http://h/a/b", False),
        ("http://h/a%252Fb", "http://h/a%2Fb", False),
        ("http://h/a%3Fb", "http://h/a", False),
        ("http://h/a;b", "http://h/a%3Bb", False),
        ("http://h:443/a", "http://h/a", False),
        ("https://h:80/a", "https://h/a", False),
        ("http://h/a", "http://h/A", False),
        ("http://h/%zz", "http://h/%ZZ", False),
    ],
)
def test_two_urls_are_one_when_they_are_equivalent(one: str, other: str, *, are_equal: bool) -> None:
    assert (normalized(one) == normalized(other)) is are_equal


@pytest.mark.parametrize("seconds", [-61, -60, 0, 60, 61])
def test_a_proof_is_good_when_it_is_within_a_minute_of_now(proofs: Proofs, seconds: int) -> None:
    given = good(iat=NOW + seconds)
    if abs(seconds) <= 60:
        assert proofs.verify(given)
    else:
        proofs.assert_refused(given)


def test_a_proof_is_refused_when_it_was_used_before(proofs: Proofs) -> None:
    given = good()
    proofs.verify(given)
    for _ in range(60):
        proofs.clock.advance(SECOND)
        with pytest.raises(InvalidProof, match="used before"):
            proofs.verify(given)
    proofs.clock.advance(SECOND)
    with pytest.raises(InvalidProof, match="too old"):
        proofs.verify(given)


@pytest.mark.parametrize("ahead", [-60, 0, 60])
def test_its_id_is_kept_when_a_clock_a_minute_behind_would_take_it(proofs: Proofs, ahead: int) -> None:
    """A table's TTL goes by a clock of its own, so an id outlives its proof by another minute."""
    proofs.verify(good(iat=NOW + ahead))
    ((_, kept_for),) = proofs.used.claims
    assert kept_for == timedelta(seconds=ahead + 120)


def test_two_keys_may_use_one_id_when_each_makes_its_own(proofs: Proofs) -> None:
    for key in (KEY, OTHER_KEY):
        proofs.verify(good(key, jti="one"), thumbprint=key.thumbprint())
    with pytest.raises(InvalidProof):
        proofs.verify(good(jti="one"))


def test_the_same_proof_is_used_up_when_its_signature_is_written_differently(proofs: Proofs) -> None:
    """Of an ECDSA signature (r, s), (r, n - s) is another one of the same content: what counts is the id."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    given = good()
    content, _, signature = given.rpartition(".")
    both = base64.urlsafe_b64decode(signature + "==")
    mirrored = both[:32] + (order - int.from_bytes(both[32:], "big")).to_bytes(32, "big")
    twin = f"{content}.{base64.urlsafe_b64encode(mirrored).rstrip(b'=').decode()}"
    assert twin != given
    proofs.verify(given)
    with pytest.raises(InvalidProof, match="used before"):
        proofs.verify(twin)


class Unreadable(MemorySingleUse):
    """The table does not answer."""

    def claim(self, used_id: str, *, until: Any, now: Any) -> bool:
        raise Unavailable("no answer")


def test_nobody_is_let_in_when_used_ids_cannot_be_read() -> None:
    verify = VerifyProof(single_use=Unreadable(), clock=ManualClock(START))
    with pytest.raises(Unavailable):
        verify(good(), Presented(method="POST", url=URL, access_token=TOKEN))
