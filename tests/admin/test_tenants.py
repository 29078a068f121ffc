"""`tenant …` and `provision`, as an operator and as a program see them."""

import json

from chalicelib.domain.client_secret import is_well_formed
from emulation.environment import edge_client
from tests.admin.commands import NOW, TENANT, Admin, now


def test_a_tenant_is_added_once_when_a_program_asks_twice(admin: Admin, name: str) -> None:
    first, again = (admin("tenant", "add", name, "--plan", "pro", "--json").document for _ in range(2))
    assert set(first) == TENANT | {"changed"}
    assert (first["name"], first["plan"], first["suspended_at"]) == (name, "pro", None)
    assert (first.pop("changed"), again.pop("changed")) == (True, False)
    assert first == again


def test_a_tenant_has_its_keys_in_its_plans_when_it_is_added(edge_url: str, admin: Admin, name: str) -> None:
    tenant_id = admin("tenant", "add", name, "--plan", "free", "--json").document["tenant_id"]
    gateway = edge_client("apigateway", edge_url)
    (submit, read) = gateway.get_api_keys(nameQuery=tenant_id)["items"]
    plans = [gateway.get_usage_plans(keyId=key["id"])["items"] for key in (submit, read)]
    assert sorted(plan["name"] for each in plans for plan in each) == ["free-read", "free-submit"]


def test_a_person_reads_what_became_of_a_tenant(admin: Admin, name: str) -> None:
    added, again = (admin("tenant", "add", name, "--plan", "pro").text for _ in range(2))
    assert added.endswith(": added\n")
    assert added.startswith(f"tenant {name} (pro) ten_")
    assert again.endswith(": exists already, unchanged\n")
    assert admin("tenant", "resume", name).text.endswith(": is not suspended, unchanged\n")
    assert "suspended: in 5 seconds none of its tokens is taken" in admin("tenant", "suspend", name).text
    again = admin("tenant", "suspend", name).text
    assert f": is suspended already, since {NOW[:10]} " in again
    assert again.endswith(", unchanged\n")
    assert admin("tenant", "resume", name).text.endswith(": resumed\n")


def test_a_suspension_has_its_time_when_a_program_reads_it(edge_url: str, admin: Admin, name: str) -> None:
    admin("tenant", "add", name, "--plan", "pro")
    suspended = admin("tenant", "suspend", name, "--json").document
    assert set(suspended) == TENANT | {"changed"}
    assert suspended["changed"] is True
    assert suspended["suspended_at"][:19] == now(edge_url)
    again = admin("tenant", "suspend", name, "--json").document
    assert again == {**suspended, "changed": False}
    resumed = admin("tenant", "resume", name, "--json").document
    assert resumed == {**suspended, "suspended_at": None}


def test_tenants_are_listed_by_name(admin: Admin, name: str) -> None:
    admin("tenant", "add", f"{name}-b", "--plan", "free")
    admin("tenant", "add", f"{name}-a", "--plan", "pro")
    admin("tenant", "suspend", f"{name}-a")
    listed = admin("tenant", "list", "--json").document
    assert set(listed) == {"tenants"}
    assert all(set(each) == TENANT for each in listed["tenants"])
    names = [each["name"] for each in listed["tenants"]]
    assert {f"{name}-a", f"{name}-b"} <= set(names)
    assert names == sorted(names)
    lines = admin("tenant", "list").text.splitlines()
    assert lines[0].split() == ["NAME", "PLAN", "STATE", "TENANT"]
    (line,) = (line for line in lines if line.startswith(f"{name}-a"))
    assert line.split()[1:3] == ["pro", "suspended"]


def test_provisioning_makes_what_is_missing_and_is_recorded(admin: Admin, name: str) -> None:
    made = admin("provision", "--tenant", f"{name}:free", "--json").document
    (tenant,) = made["tenants"]
    assert set(tenant) == {"tenant_id", "name", "plan", "client_id", "client_secret"}
    assert is_well_formed(tenant["client_secret"])
    events = admin("audit", "--json").document["events"]
    acts = [event["act"] for event in events if tenant["tenant_id"] in json.dumps(event)]
    assert sorted(acts) == ["client.added", "tenant.added"]
    again = admin("provision", "--tenant", f"{name}:free", "--json").document
    assert again["signer"] == made["signer"]
    assert again["tenants"] == [{**tenant, "client_id": None, "client_secret": None}]
    assert admin("audit", "--json").document["events"] == events
    assert ": has clients already, unchanged\n" in admin("provision", "--tenant", f"{name}:free").text
