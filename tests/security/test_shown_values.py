"""A value that holds a secret does not show it, whoever prints it: a log, a traceback, a failing test."""

from dataclasses import fields
from typing import Any

import pytest

from chalicelib.admin.provisioning import ProvisionedTenant
from chalicelib.use_cases.administer_clients import Shown
from chalicelib.use_cases.authenticate_client import AssertionOffered, SecretOffered
from chalicelib.use_cases.issue_token import Asked, IssuedToken
from chalicelib.use_cases.rotate_keys import MadeKey
from chalicelib.use_cases.verify_proof import Presented
from chalicelib.web.http import Response
from tests.unit.access import Access, posted

SECRET = "correct-horse-battery-staple"
PRESENTED = Presented(method="GET", url="/", access_token=SECRET)
ACCESS = Access()
VALUES: list[Any] = [
    SecretOffered(client_id="cli_1", client_secret=SECRET),
    AssertionOffered(client_id="cli_1", assertion=SECRET),
    Asked(scopes=(), proof=SECRET, presented=PRESENTED),
    IssuedToken(text=SECRET, token=ACCESS.tokens.verify(ACCESS.token()).token),
    MadeKey("kid", {}, SECRET),
    PRESENTED,
    ProvisionedTenant(tenant_id="ten_1", name="a", plan="pro", client_id="cli_1", client_secret=SECRET),
    Shown(ACCESS.clients.rows["cli_" + "0" * 26], SECRET),
    posted(SECRET.encode(), (f"Bearer {SECRET}",), "text/plain", (SECRET,)),
    Response(status=200, body=SECRET.encode()),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_secret_is_not_shown_when_what_holds_it_is(value: Any) -> None:
    held = [getattr(value, each.name) for each in fields(value)]
    assert SECRET in str(held)
    assert SECRET not in repr(value)
