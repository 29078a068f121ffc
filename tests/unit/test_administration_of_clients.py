"""What an operator does to clients: whole or not at all, and no repetition ends what is in use."""

from datetime import timedelta

import pytest

from chalicelib.domain.access_token import SCOPES, last_use
from chalicelib.domain.audit import Act, Outcome
from chalicelib.domain.client import OVERLAP
from chalicelib.domain.errors import Refused, Superseded
from chalicelib.use_cases.administer_clients import Wanted
from chalicelib.use_cases.administer_tenants import tenant_id_of
from chalicelib.use_cases.client_keys import KEYS_AT_MOST, read_public_keys
from tests.unit.office import ANNA, BERT, HOUR, Office
from tests.unit.public_keys import EC, EC_OTHER, jwk
from tests.unit.world import START


def test_a_client_has_a_secret_that_opens_when_it_is_added(office: Office) -> None:
    made = office.client(Wanted(scopes=("jobs:write", "jobs:read", "jobs:write"), is_dpop_bound=True))
    assert office.opens(made.client.client_id, made.secret)
    assert (made.client.scopes, made.client.is_dpop_bound) == (("jobs:read", "jobs:write"), True)
    assert made.client.tenant_id == tenant_id_of("acme")


def test_a_client_may_do_everything_when_no_scope_is_named(office: Office) -> None:
    assert office.client().client.scopes == SCOPES


@pytest.mark.parametrize("scopes", [(), ("jobs:read", "jobs:delete"), ("",), ("jobs:read jobs:write",)])
def test_a_client_is_refused_when_a_scope_is_unknown(office: Office, scopes: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="one or more of these scopes, and no other: jobs:cancel, jobs:read"):
        office.client(Wanted(scopes=scopes))
    assert office.acts() == [Act.TENANT_ADDED]


def test_a_client_gets_no_secret_when_it_has_keys(office: Office) -> None:
    made = office.client(Wanted(public_keys=read_public_keys(jwk(EC))))
    assert (made.secret, made.client.secrets) == (None, ())
    assert made.client.public_keys[0]["kid"] == EC.thumbprint()


def test_both_secrets_work_until_the_overlap_is_over_when_a_client_is_rotated(office: Office) -> None:
    first = office.client()
    client_id = first.client.client_id
    second = office.clients.rotate(client_id, actor=ANNA)
    office.clock.advance(OVERLAP - timedelta(seconds=1))
    assert (office.opens(client_id, first.secret), office.opens(client_id, second.secret)) == (True, True)
    office.clock.advance(timedelta(seconds=1))
    assert (office.opens(client_id, first.secret), office.opens(client_id, second.secret)) == (False, True)


def test_a_third_secret_is_refused_when_two_are_live(office: Office) -> None:
    first = office.client()
    second = office.clients.rotate(first.client.client_id, actor=ANNA)
    with pytest.raises(Refused, match=r"2 live secrets, the older one until 2026-11-\d\dT\d\d:\d\d:\d\dZ"):
        office.clients.rotate(first.client.client_id, actor=ANNA)
    assert office.opens(first.client.client_id, first.secret)
    assert office.opens(first.client.client_id, second.secret)
    assert office.acts().count(Act.CLIENT_ROTATED) == 1


def test_the_old_secrets_end_at_once_when_there_is_no_overlap(office: Office) -> None:
    made = [office.client()]
    client_id = made[0].client.client_id
    made.append(office.clients.rotate(client_id, actor=ANNA))
    made.append(office.clients.rotate(client_id, actor=ANNA, overlap=timedelta(0)))
    assert [office.opens(client_id, each.secret) for each in made] == [False, False, True]
    made.append(office.clients.rotate(client_id, actor=ANNA))
    assert [office.opens(client_id, each.secret) for each in made] == [False, False, True, True]


def test_only_the_newest_secret_is_replaced_when_it_was_lost(office: Office) -> None:
    first = office.client()
    client_id = first.client.client_id
    lost = office.clients.rotate(client_id, actor=ANNA, overlap=HOUR)
    office.clock.advance(HOUR / 2)
    found = office.clients.replace_lost(client_id, actor=ANNA)
    assert [office.opens(client_id, each.secret) for each in (first, lost, found)] == [True, False, True]
    office.clock.advance(HOUR / 2)
    assert [office.opens(client_id, each.secret) for each in (first, lost, found)] == [False, False, True]


def test_the_only_secret_is_replaced_when_it_was_lost(office: Office) -> None:
    lost = office.client()
    found = office.clients.replace_lost(lost.client.client_id, actor=ANNA)
    assert not office.opens(lost.client.client_id, lost.secret)
    assert office.opens(lost.client.client_id, found.secret)


@pytest.mark.parametrize("act", ["rotate", "replace_lost"])
def test_no_secret_is_lost_when_two_rotate_at_once(office: Office, act: str) -> None:
    first = office.client()
    client_id, won = first.client.client_id, []
    office.meanwhile = lambda: won.append(office.clients.rotate(client_id, actor=BERT))
    with pytest.raises(Superseded):
        getattr(office.clients, act)(client_id, actor=ANNA)
    assert office.opens(client_id, first.secret)
    assert office.opens(client_id, won[0].secret)
    assert [event.actor for event in office.log() if event.act is Act.CLIENT_ROTATED] == [BERT]


def test_a_revoked_client_stays_so_when_a_rotation_had_read_it_before(office: Office) -> None:
    client_id = office.client().client.client_id
    office.meanwhile = lambda: office.clients.revoke(client_id, actor=BERT)
    with pytest.raises(Superseded):
        office.clients.rotate(client_id, actor=ANNA)
    assert office.clients.found(client_id).revoked_at == START


def test_a_client_is_on_the_list_of_revocations_when_it_is_revoked_once_or_more(office: Office) -> None:
    client_id = office.client().client.client_id
    revoked, outcome = office.clients.revoke(client_id, actor=ANNA)
    assert (outcome, revoked.revoked_at) == (Outcome.CHANGED, START)
    office.clock.advance(timedelta(minutes=1))
    assert office.clients.revoke(client_id, actor=BERT) == (revoked, Outcome.UNCHANGED)
    assert office.revocations.in_force(now=last_use(revoked_at=START)) == {client_id}
    assert office.acts().count(Act.CLIENT_REVOKED) == 1


@pytest.mark.parametrize("act", ["rotate", "replace_lost"])
@pytest.mark.parametrize(("kind", "reason"), [("revoked", "is revoked for good"), ("keyed", "has no secret")])
def test_a_secret_is_refused_when_the_client_can_have_none(
    office: Office, act: str, kind: str, reason: str
) -> None:
    keys = read_public_keys(jwk(EC)) if kind == "keyed" else ()
    client_id = office.client(Wanted(public_keys=keys)).client.client_id
    if kind == "revoked":
        office.clients.revoke(client_id, actor=ANNA)
    before = office.client_rows.get(client_id), office.log()
    with pytest.raises(Refused, match=reason):
        getattr(office.clients, act)(client_id, actor=ANNA)
    assert (office.client_rows.get(client_id), office.log()) == before


@pytest.mark.parametrize("act", ["rotate", "replace_lost", "revoke"])
@pytest.mark.parametrize(
    ("client_id", "reason"),
    [
        (f"cli_{0:026d}", "There is no client"),
        *((text, "This is no client's id") for text in ("", "cli_", "acme", "c" * 9_999, "cli_\n", "\x1b")),
    ],
)
def test_an_act_is_refused_when_there_is_no_such_client(
    office: Office, act: str, client_id: str, reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        getattr(office.clients, act)(client_id, actor=ANNA)
    assert office.log() == []


def test_a_client_is_refused_when_its_keys_are_many_or_have_one_name(office: Office) -> None:
    same = (*read_public_keys(jwk(EC, kid="k")), *read_public_keys(jwk(EC_OTHER, kid="k")))
    with pytest.raises(Refused, match="have the same `kid`"):
        office.client(Wanted(public_keys=same))
    many = tuple({**same[0], "kid": str(number)} for number in range(KEYS_AT_MOST + 1))
    with pytest.raises(Refused, match=f"at most {KEYS_AT_MOST} public keys"):
        office.client(Wanted(public_keys=many))
    assert office.acts() == [Act.TENANT_ADDED]
