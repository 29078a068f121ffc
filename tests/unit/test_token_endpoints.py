"""What the token and revocation endpoints take, and how they refuse: by RFC 6749 §5, to the letter."""

import base64
import json
import re
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from chalicelib.web.http import Response
from chalicelib.web.schemas.access import MAX_FORM_BYTES
from tests.unit.access import ACMES, ACMES_OTHER, FORM, GLOBEXS, SECRET, WRONG_SECRET, Access, basic
from tests.unit.world import ACME

GRANT = {"grant_type": "client_credentials"}
# RFC 6749 §5.2: what an error_description may hold.
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@pytest.fixture
def access() -> Access:
    return Access()


def assert_refused(answer: Response, status: int, error: str) -> None:
    told = json.loads(answer.body)
    challenge = {"WWW-Authenticate": 'Basic realm="zama-jobs"'} if status == 401 else {}
    assert (answer.status, told["error"], answer.media_type) == (status, error, "application/json")
    assert answer.headers == {**NOT_STORED, **challenge}
    assert DESCRIPTION.fullmatch(told["error_description"])


def test_the_token_is_not_to_be_stored_when_it_is_given(access: Access) -> None:
    answer = access.ask(GRANT, basic())
    told = json.loads(answer.body)
    assert (answer.status, answer.headers) == (200, NOT_STORED)
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 600, "jobs:read jobs:write")


@pytest.mark.parametrize(
    ("body", "scope"),
    [
        ({**GRANT, "scope": "jobs:read"}, "jobs:read"),
        ({**GRANT, "scope": "jobs:write jobs:read jobs:write"}, "jobs:write jobs:read"),
        ({**GRANT, "scope": ""}, "jobs:read jobs:write"),
        ({**GRANT, "nothing": "known"}, "jobs:read jobs:write"),
        (b"grant_type=client%5Fcredentials&scope&", "jobs:read jobs:write"),
    ],
)
def test_the_scope_is_what_was_asked_for_when_the_client_may_have_it(
    access: Access, body: dict[str, str] | bytes, scope: str
) -> None:
    assert json.loads(access.ask(body, basic()).body)["scope"] == scope


@pytest.mark.parametrize("media_type", ["Application/X-WWW-Form-Urlencoded", f"{FORM}; charset=UTF-8"])
def test_the_form_is_read_when_its_media_type_is_spelt_otherwise(access: Access, media_type: str) -> None:
    assert access.ask(GRANT, basic(), media_type=media_type).status == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials ", "scope": "x"}, "unsupported_grant_type"),
        ({"scope": "jobs:read"}, "invalid_request"),
        ({"grant_type": ""}, "invalid_request"),
        (b"grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        (b"grant_type=client_credentials&x=1&x=1", "invalid_request"),
        ({**GRANT, "scope": "jobs:cancel"}, "invalid_scope"),
        ({**GRANT, "scope": "no:such"}, "invalid_scope"),
        ({**GRANT, "scope": "jobs:read  jobs:write"}, "invalid_scope"),
        ({**GRANT, "scope": " ".join(["jobs:read"] * 30)}, "invalid_scope"),
        ({**GRANT, "client_secret": "x"}, "invalid_request"),
        ({**GRANT, "client_assertion": "x"}, "invalid_request"),
        ({**GRANT, "client_assertion_type": "x"}, "invalid_request"),
    ],
)
def test_no_token_is_given_when_the_form_is_wrong(
    access: Access, body: dict[str, str] | bytes, error: str
) -> None:
    assert_refused(access.ask(body, basic()), 400, error)


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
def test_the_form_is_read_when_it_is_as_long_as_it_may_be(access: Access, endpoint: str) -> None:
    form = b"grant_type=client_credentials&token=x&a=".ljust(MAX_FORM_BYTES, b"x")
    assert getattr(access, endpoint)(form, basic()).status == 200


@pytest.mark.parametrize(
    "body",
    [{"token": ""}, {"token": "x" * 4097}, {"token": "x", "token_type_hint": "x" * 65}, b"token=x&token=y"],
)
def test_nothing_is_revoked_when_the_form_is_wrong(access: Access, body: dict[str, str] | bytes) -> None:
    assert_refused(access.revoke(body, basic()), 400, "invalid_request")


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"", FORM),
        (b"\xff\xfe", FORM),
        (b"{}", FORM),
        ("grant_type=client_credentials&token=é".encode(), FORM),
        (urlencode({f"f{n}": "1" for n in range(21)} | GRANT | {"token": "x"}).encode(), FORM),
        (b"grant_type=client_credentials&token=x&a=".ljust(MAX_FORM_BYTES + 1, b"x"), FORM),
        (urlencode(GRANT | {"token": "x"}).encode(), "application/json"),
        (urlencode(GRANT | {"token": "x"}).encode(), ""),
        (json.dumps(GRANT | {"token": "x"}).encode(), "application/json"),
    ],
    ids=[
        "empty",
        "no text",
        "JSON",
        "not ASCII",
        "21 fields",
        "too long",
        "said to be JSON",
        "said nothing",
        "is JSON",
    ],
)
def test_the_request_is_invalid_when_it_is_no_form(
    access: Access, endpoint: str, body: bytes, media_type: str
) -> None:
    answer = getattr(access, endpoint)(body, basic(), media_type=media_type)
    assert_refused(answer, 400, "invalid_request")


RAW = base64.b64encode(b"\xff\xfe").decode()


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
@pytest.mark.parametrize(
    "authorization",
    [
        (),
        ("",),
        ("Basic",),
        ("Basic =",),
        (f"Basic {RAW}",),
        ("Bearer x",),
        (basic(secret="wrong"),),
        (basic(secret=WRONG_SECRET),),
        (basic(secret=f"{SECRET} "),),
        (basic(secret=""),),
        (basic("cli_" + "9" * 26),),
        (basic("' OR 1=1"),),
        (basic(), basic()),
    ],
)
def test_the_client_is_invalid_when_it_does_not_prove_itself(
    access: Access, endpoint: str, authorization: tuple[str, ...]
) -> None:
    answer = getattr(access, endpoint)({**GRANT, "token": "x"}, *authorization)
    assert_refused(answer, 401, "invalid_client")


def test_the_client_is_known_when_the_scheme_is_spelt_otherwise(access: Access) -> None:
    assert access.ask(GRANT, basic().replace("Basic", "bASIC")).status == 200


def test_the_client_is_invalid_when_its_secret_stands_in_the_form(access: Access) -> None:
    body = {**GRANT, "client_id": ACMES, "client_secret": "x"}
    assert_refused(access.ask(body), 401, "invalid_client")


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
def test_the_client_id_of_the_form_must_be_the_credentials_when_it_is_sent(
    access: Access, endpoint: str
) -> None:
    form = {**GRANT, "token": "x"}
    assert getattr(access, endpoint)({**form, "client_id": ACMES}, basic()).status == 200
    assert_refused(
        getattr(access, endpoint)({**form, "client_id": ACMES_OTHER}, basic()), 401, "invalid_client"
    )


@pytest.mark.parametrize("endpoint", ["ask", "revoke"])
def test_an_authenticated_client_is_unauthorized_when_its_tenant_is_suspended(
    access: Access, endpoint: str
) -> None:
    access.tenants.rows[ACME] = replace(access.tenants.rows[ACME], suspended_at=access.clock.now())
    form = {**GRANT, "token": "x"}
    assert_refused(getattr(access, endpoint)(form, basic()), 400, "unauthorized_client")
    assert_refused(getattr(access, endpoint)(form, basic(secret=WRONG_SECRET)), 401, "invalid_client")
    assert getattr(access, endpoint)(form, basic(GLOBEXS)).status == 200
