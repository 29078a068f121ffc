"""What an operator did, to whom, and when: the record of every act of administration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum


class Act(StrEnum):
    """The acts, in the past tense, as events are named."""

    TENANT_ADDED = "tenant.added"
    TENANT_SUSPENDED = "tenant.suspended"
    TENANT_RESUMED = "tenant.resumed"
    CLIENT_ADDED = "client.added"
    CLIENT_ROTATED = "client.rotated"
    CLIENT_REVOKED = "client.revoked"
    KEYS_ROTATED = "keys.rotated"
    KEYS_REPLACED = "keys.replaced"
    KEYS_RETIRED = "keys.retired"
    SIGNER_ADDED = "signer.added"
    SIGNER_APPOINTED = "signer.appointed"
    SIGNER_RETIRED = "signer.retired"
    LETTERS_REDRIVEN = "letters.redriven"
    USAGE_TAKEN_IN = "usage.taken_in"


class Outcome(Enum):
    """What asking for an act came to; one that is refused has changed nothing and left no event."""

    CHANGED = "changed"  # written, and its event with it
    UNCHANGED = "unchanged"  # it was so already: nothing is written, and no event


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One act. `subject` is the id of what it was done to; `facts` never hold a secret, nor its digest."""

    event_id: str
    at: datetime
    actor: str
    act: Act
    subject: str
    facts: Mapping[str, str] = field(default_factory=dict)
