"""The functions' ports, which tell the recorder what they are asked: no scenario may forget one."""

from collections.abc import Mapping
from typing import Any

from chalicelib import ports
from tests.policies.recorder import Recorder

# By the names that they have in `Adapters`.
PORTS: Mapping[str, type] = {
    "jobs": ports.Jobs,
    "usage": ports.Usage,
    "invoices": ports.Invoices,
    "transactions": ports.ChainTransactions,
    "tenants": ports.Tenants,
    "clients": ports.Clients,
    "queue": ports.Queue,
    "dead_letters": ports.DeadLetters,
    "backlogs": ports.Backlogs,
    "seats": ports.Seats,
    "payloads": ports.Payloads,
    "checkpoints": ports.Checkpoints,
    "uploads": ports.Uploads,
    "keys": ports.Keys,
    "key_store": ports.KeyStore,
    "rings": ports.KeyRings,
    "registry": ports.Registry,
    "signers": ports.Signers,
    "signer_keys": ports.SignerKeyStore,
    "metering_keys": ports.MeteringKeys,
    "tokens": ports.Tokens,
    "revocations": ports.Revocations,
    "tallies": ports.Tallies,
    "single_use": ports.SingleUse,
}
NOT_AWS = (ports.Chain, ports.RegistryAdmin, ports.Clock, ports.Ids, ports.Sandbox, ports.Running)
# What the command of administration asks, and no function: it runs in the operator's name.
OPERATORS_ALONE = {
    "Usage.find",
    "Usage.take_in",
    "Registry.clients_of",
    "Registry.events",
    "MeteringKeys.attach",
    "MeteringKeys.submits",
    "ChainTransactions.peek",
    "ChainTransactions.rows",
    "SignerKeyStore.make",
    "SignerKeyStore.kept",
    "SignerKeyStore.drop",
    "DeadLetters.look",
    "DeadLetters.put_back",
    "DeadLetters.send_again",
    "DeadLetters.remove",
}


class RecordedPort:
    """A port as ever, and the recorder hears of each method that is asked for."""

    def __init__(self, name: str, adapter: object, recorder: Recorder) -> None:
        self._name = PORTS[name].__name__
        self._adapter = adapter
        self._recorder = recorder

    def __getattr__(self, method: str) -> Any:
        self._recorder.asked(f"{self._name}.{method}")
        return getattr(self._adapter, method)


def all_ports() -> set[type]:
    """Every protocol that the use cases know."""
    known = (getattr(ports, name) for name in ports.__all__)
    return {each for each in known if getattr(each, "_is_protocol", False)}


def methods_of(port: type) -> set[str]:
    """Of a port, as `Port.method`."""
    return {f"{port.__name__}.{name}" for name in vars(port) if not name.startswith("_")}
