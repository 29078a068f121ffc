"""What the use cases need of the world. Each port has two implementations: in memory, and the real one.

One conformance suite runs on both. Every port raises `Unavailable` when its service does not answer;
whether a write took effect is then unknown, and the caller reads again.
"""

from chalicelib.ports.access import (
    Clients,
    KeyRings,
    Keys,
    Revocations,
    SingleUse,
    Tallies,
    Tenants,
    Tokens,
    VerifiedToken,
)
from chalicelib.ports.administration import (
    DeadLetters,
    Deed,
    KeyStore,
    MeteringKeys,
    Registry,
    SignerKeyStore,
)
from chalicelib.ports.chain import Chain, ChainTransactions, RegistryAdmin, Signers
from chalicelib.ports.jobs import Admission, Backlogs, Change, Invoices, Jobs, Queue, Seats, Usage
from chalicelib.ports.payloads import Checkpoints, Payloads, Uploads
from chalicelib.ports.sandbox import Running, Sandbox
from chalicelib.ports.system import Clock, Ids

__all__ = [
    "Admission",
    "Backlogs",
    "Chain",
    "ChainTransactions",
    "Change",
    "Checkpoints",
    "Clients",
    "Clock",
    "DeadLetters",
    "Deed",
    "Ids",
    "Invoices",
    "Jobs",
    "KeyRings",
    "KeyStore",
    "Keys",
    "MeteringKeys",
    "Payloads",
    "Queue",
    "Registry",
    "RegistryAdmin",
    "Revocations",
    "Running",
    "Sandbox",
    "Seats",
    "SignerKeyStore",
    "Signers",
    "SingleUse",
    "Tallies",
    "Tenants",
    "Tokens",
    "Uploads",
    "Usage",
    "VerifiedToken",
]
