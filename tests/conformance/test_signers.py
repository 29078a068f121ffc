"""One suite for signers and their keys, in memory and on DynamoDB and Secrets Manager."""

from dataclasses import dataclass

import pytest
from coincurve import PublicKey

from chalicelib.adapters.dynamodb_identity import DynamoDbRegistry
from chalicelib.adapters.memory_access import MemoryClients, MemoryKeyRings, MemoryRegistry, MemoryTenants
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.adapters.memory_signers import ADDRESS_BYTES, MemorySigners
from chalicelib.adapters.signers import SIGNERS, SecretsManagerSignerKeys, StoredSigners
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.errors import Superseded, Unavailable
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.roster import Duty, Roster, Signer
from chalicelib.ports import Deed, Registry, SignerKeyStore, Signers
from tests.conformance.access_ports import event
from tests.conformance.in_process import connect
from tests.conformance.real_ports import client, tables

DIGEST = bytes(range(32))
FIRST = Roster((Signer("0xA", Duty.RETIRED), Signer("0xB", Duty.DRAINING), Signer("0xC", Duty.ACTIVE)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerPorts:
    """All of one implementation, over one store without a roster."""

    signers: Signers
    keys: SignerKeyStore
    registry: Registry


@pytest.fixture(params=["memory", "real"])
def ports(request: pytest.FixtureRequest) -> SignerPorts:
    if request.param == "memory":
        held = MemorySigners()
        registry = MemoryRegistry(
            tenants=MemoryTenants(),
            clients=MemoryClients(),
            rings=MemoryKeyRings(),
            revocations=MemoryRevocations(),
            signers=held,
        )
        return SignerPorts(signers=held, keys=held, registry=registry)
    endpoint = request.getfixturevalue("tables_endpoint")
    connect("dynamodb", endpoint).delete_item(TableName=SIGNERS, Key={"account": {"S": "roster"}})
    secrets = client("secretsmanager", endpoint=endpoint)
    return SignerPorts(
        signers=StoredSigners(tables(endpoint), secrets),
        keys=SecretsManagerSignerKeys(secrets, RandomIds()),
        registry=DynamoDbRegistry(tables(endpoint)),
    )


def test_a_signature_is_of_the_address_that_was_made(ports: SignerPorts) -> None:
    address, other = ports.keys.make(), ports.keys.make()
    signature = ports.signers.sign(address, DIGEST)
    assert (len(signature), signature[-1] in (0, 1)) == (65, True)
    public_key = PublicKey.from_signature_and_message(signature, DIGEST, hasher=None)
    hashed = keccak256(public_key.format(compressed=False)[1:])[-ADDRESS_BYTES:]
    assert f"0x{hashed.hex()}" == address.lower() != other.lower()
    assert ports.signers.sign(address, DIGEST) == signature  # so that the same call has the same bytes


def test_nobody_signs_when_the_key_was_dropped(ports: SignerPorts) -> None:
    address, other = ports.keys.make(), ports.keys.make()
    assert {address, other} <= set(ports.keys.kept())
    ports.keys.drop(address)
    ports.keys.drop(address)
    assert address not in ports.keys.kept()
    assert other in ports.keys.kept()
    with pytest.raises(Unavailable):
        ports.signers.sign(address, DIGEST)
    assert ports.signers.sign(other, DIGEST)


def test_the_roster_reads_back_when_it_was_changed(ports: SignerPorts) -> None:
    assert ports.signers.roster() == Roster()
    before = Roster()
    for after in (FIRST, FIRST.joined("0xD"), FIRST.joined("0xD").moved("0xD", Duty.ACTIVE)):
        ports.registry.commit(Deed(event=event(), roster=(before, after)))
        assert ports.signers.roster() == after
        before = after


def test_the_roster_stays_when_another_has_changed_it(ports: SignerPorts) -> None:
    ports.registry.commit(Deed(event=event(), roster=(Roster(), FIRST)))
    for stale in (Roster(), FIRST.joined("0xD")):
        with pytest.raises(Superseded):
            ports.registry.commit(Deed(event=event(), roster=(stale, stale.joined("0xE"))))
    assert ports.signers.roster() == FIRST
