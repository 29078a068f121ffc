"""`client …`, as an operator and as a program see it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from joserfc.jwk import ECKey

from chalicelib.admin.wiring import Administration
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.client_secret import is_well_formed
from chalicelib.domain.errors import Refused, Superseded
from chalicelib.use_cases.administer_clients import AdministerClients
from tests.admin.commands import CLIENT, SHOWN_ONCE, Admin, advance, now


def test_a_client_has_a_secret_when_a_program_adds_it(edge_url: str, admin: Admin, name: str) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    scopes = ("--scope", "jobs:write", "--scope", "jobs:read")
    made = admin("client", "add", "--tenant", name, *scopes, "--dpop", "--json").document
    assert set(made) == CLIENT | {"changed", "client_secret"}
    assert is_well_formed(made["client_secret"])
    assert (made["changed"], made["dpop_bound"], made["public_keys"]) == (True, True, [])
    assert made["scopes"] == ["jobs:read", "jobs:write"]
    assert (made["created_at"][:19], made["revoked_at"]) == (now(edge_url), None)
    assert made["secrets"] == [{"created_at": made["created_at"], "expires_at": None}]


def test_a_person_is_told_that_a_secret_is_shown_once(admin: Admin, name: str) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    (client, scopes, secret, once) = admin("client", "add", "--tenant", name).text.splitlines()
    assert client.endswith(f": added to {name}")
    assert scopes.split()[1:] == list(SCOPES)
    assert is_well_formed(secret.split()[1])
    assert once == SHOWN_ONCE
    (rotated, _, another, once) = admin("client", "rotate", client.split()[1].rstrip(":")).text.splitlines()
    assert ": rotated; the old secret works until 2026-11-" in rotated
    assert is_well_formed(another.split()[1])
    assert (another != secret, once) == (True, SHOWN_ONCE)


@pytest.mark.parametrize("form", ["JWK", "JWK set", "PEM"])
def test_a_client_has_keys_and_no_secret_when_its_public_key_is_given(
    admin: Admin, name: str, tmp_path: Path, form: str
) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    keys = [ECKey.generate_key("P-256") for _ in range(2)]
    for number, key in enumerate(keys):
        public: Any = key.as_dict(private=False)
        document = json.dumps({"keys": [public]} if form == "JWK set" else public).encode()
        (tmp_path / str(number)).write_bytes(key.as_pem(private=False) if form == "PEM" else document)
    files = [part for number in "01" for part in ("--public-key", str(tmp_path / number))]
    made = admin("client", "add", "--tenant", name, *files, "--json").document
    kids = [key.thumbprint() for key in keys]
    assert (made["client_secret"], made["secrets"], made["public_keys"]) == (None, [], kids)
    text = admin("client", "add", "--tenant", name, *files).text
    assert f"keys    {', '.join(kids)}\n" in text
    assert SHOWN_ONCE not in text


def test_the_file_is_named_and_nothing_done_when_a_key_is_private(
    admin: Admin, name: str, tmp_path: Path
) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    file = tmp_path / "key.pem"
    file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    refusal = admin("client", "add", "--tenant", name, "--public-key", str(file)).refusal
    assert refusal.startswith(
        f"{file}: This is a private key, which must not leave its owner: hand in its pub"
    )
    assert admin("client", "list", "--tenant", name, "--json").document == {"clients": []}


def test_clients_are_listed_without_their_secrets(admin: Admin, name: str, client_id: str) -> None:
    other = admin("client", "add", "--tenant", name, "--dpop", "--json").document
    rotated = admin("client", "rotate", client_id, "--json").document
    admin("client", "revoke", other["client_id"])
    listed = admin("client", "list", "--tenant", name, "--json").document
    assert set(listed) == {"clients"}
    assert all(set(each) == CLIENT for each in listed["clients"])
    found = {each["client_id"]: each for each in listed["clients"]}
    assert found[client_id]["secrets"] == rotated["secrets"]
    assert [each["expires_at"] is None for each in rotated["secrets"]] == [False, True]
    assert found[other["client_id"]]["revoked_at"] is not None
    text = admin("client", "list", "--tenant", name).text
    assert text.split()[:2] == ["CLIENT", "STATE"]
    assert "2 secrets, one until 2026-11-" in text
    assert "revoked 2026-11-" in text
    assert "zjs_" not in text + json.dumps(listed)


def test_a_line_says_how_when_a_list_is_empty(admin: Admin, name: str) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    empty = f"The tenant {name} has no clients yet: `client add` makes one.\n"
    assert admin("client", "list", "--tenant", name).text == empty


def test_a_third_secret_is_refused_until_the_overlap_is_over(
    edge_url: str, admin: Admin, client_id: str
) -> None:
    first = admin("client", "rotate", client_id, "--overlap-hours", "1", "--json").document
    assert set(first) == CLIENT | {"changed", "client_secret"}
    refusal = admin("client", "rotate", client_id, "--json").refusal
    assert refusal.startswith(f"The client {client_id} has 2 live secrets, the older one until ")
    assert "--lost" in refusal
    assert "--overlap-hours 0" in refusal
    replaced = admin("client", "rotate", client_id, "--lost", "--json").document
    assert replaced["secrets"][0] == first["secrets"][0]
    assert replaced["client_secret"] != first["client_secret"]
    advance(edge_url, 3_600)
    assert len(admin("client", "rotate", client_id, "--json").document["secrets"]) == 2
    ended = admin("client", "rotate", client_id, "--overlap-hours", "0")
    assert ": rotated; no older secret works; its tokens do, for at most 11 minutes, unless the" in ended.text


def test_a_client_is_revoked_once_when_asked_twice(admin: Admin, client_id: str) -> None:
    first, again = (admin("client", "revoke", client_id, "--json").document for _ in range(2))
    assert set(first) == CLIENT | {"changed"}
    assert first["revoked_at"] is not None
    assert again == {**first, "changed": False}
    assert ": is revoked already, since 2026-11-" in admin("client", "revoke", client_id).text
    assert admin("client", "rotate", client_id).refusal.endswith("is revoked for good: add another.")


def test_a_person_reads_what_becomes_of_a_revoked_client(admin: Admin, client_id: str) -> None:
    text = admin("client", "revoke", client_id).text
    assert (
        text
        == f"client {client_id}: revoked: in 5 seconds none of its tokens is taken, and it gets no more\n"
    )


def test_one_secret_is_made_when_five_rotate_a_client_at_once(
    edge_url: str, admin: Admin, client_id: str
) -> None:
    clock_url = f"{edge_url}/_aws/clock"
    offices = [Administration.of_endpoint(edge_url, clock_url=clock_url).clients for _ in range(5)]
    together = Barrier(len(offices))

    def rotated(office: AdministerClients) -> str | None:
        together.wait()
        try:
            return office.rotate(client_id, actor="racer").secret
        except (Superseded, Refused):
            return None

    with ThreadPoolExecutor(len(offices)) as pool:
        (won,) = filter(None, pool.map(rotated, offices))
    client = offices[0].found(client_id)
    assert client.knows(won, now=client.created_at)
    assert len(client.secrets) == 2
    events = admin("audit", "--json").document["events"]
    assert [event["act"] for event in events if event["subject"] == client_id] == [
        "client.rotated",
        "client.added",
    ]
