"""`keys …` and `audit`, as an operator and as a program see them."""

from emulation.gateway.api import ACCOUNT
from tests.admin.commands import EVENT, KEY, Admin, advance, now


def test_keys_wait_sign_and_verify_when_they_are_rotated(edge_url: str, admin: Admin) -> None:
    first = admin("keys", "rotate", "--compromised", "--json").document
    assert (set(first), first["changed"]) == ({"keys", "changed"}, True)
    (alone,) = first["keys"]
    assert (set(alone), alone["state"], alone["until"]) == (KEY, "signing", None)
    second = admin("keys", "rotate", "--json").document
    assert [key["state"] for key in second["keys"]] == ["signing", "waiting"]
    assert second["keys"][0]["until"] is not None
    assert admin("keys", "rotate", "--json").document == {**second, "changed": False}
    assert admin("keys", "list", "--json").document == {"keys": second["keys"]}
    advance(edge_url, 7 * 60)
    assert [key["state"] for key in admin("keys", "list", "--json").document["keys"]] == [
        "verifying",
        "signing",
    ]
    advance(edge_url, 12 * 60 + 1)
    assert [key["kid"] for key in admin("keys", "list", "--json").document["keys"]] == [
        second["keys"][1]["kid"]
    ]


def test_a_person_reads_which_key_signs_and_when(admin: Admin) -> None:
    text = admin("keys", "rotate", "--compromised").text
    assert text.splitlines()[0].endswith("; in 5 seconds no token of an older key is taken")
    assert [line.split()[1] for line in text.splitlines()[1:]] == ["STATE", "signing"]
    assert " signs from 2026-11-" in admin("keys", "rotate").text.splitlines()[0]
    again = admin("keys", "rotate").text.splitlines()
    assert again[0].endswith(" and waits already, unchanged")
    assert admin("keys", "list").text.splitlines() == again[1:]
    assert again[1].split() == ["KEY", "STATE", "PUBLISHED", "SIGNS", "FROM", "UNTIL"]


def test_the_log_has_every_act_and_no_repetition_when_it_is_read(
    edge_url: str, admin: Admin, name: str, client_id: str
) -> None:
    advance(edge_url, 1)
    for act in (("tenant", "suspend", name), ("tenant", "suspend", name), ("client", "rotate", "cli_1")):
        admin(*act)
    advance(edge_url, 1)
    admin("client", "revoke", client_id)
    logged = admin("audit", "--limit", "2", "--json").document
    assert set(logged) == {"events"}
    revoked, suspended = logged["events"]
    assert set(revoked) == EVENT
    assert (revoked["act"], revoked["subject"]) == ("client.revoked", client_id)
    assert revoked["facts"] == {"tenant_id": suspended["subject"]}
    assert (suspended["act"], suspended["facts"]) == ("tenant.suspended", {"name": name, "plan": "pro"})
    assert revoked["actor"].startswith(f"arn:aws:sts::{ACCOUNT}:")
    assert revoked["at"][:19] == now(edge_url)
    header, first, second = admin("audit", "--limit", "2").text.splitlines()
    assert header.split() == ["AT", "ACT", "SUBJECT", "ACTOR", "FACTS"]
    assert first.split()[2:4] == ["client.revoked", client_id]
    assert f"name={name} plan=pro" in second
