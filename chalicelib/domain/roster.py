"""Who signs transactions: one signer that takes new work, and those before it until theirs is final."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Duty(StrEnum):
    """What a signer is for."""

    JOINING = "joining"  # its key is made; the registry has yet to appoint it
    ACTIVE = "active"  # signs what is new; there is one at most
    DRAINING = "draining"  # signs nothing new; what it sent is followed to its end
    RETIRED = "retired"  # all of its work is final, and the registry has dismissed it


@dataclass(frozen=True, slots=True)
class Signer:
    """A checksummed address, and what it is for."""

    address: str
    duty: Duty


@dataclass(frozen=True, slots=True)
class Roster:
    """The signers, the oldest first."""

    signers: tuple[Signer, ...] = ()

    @property
    def live(self) -> tuple[str, ...]:
        """The addresses whose transactions are followed, the active one last."""
        found = [each for each in self.signers if each.duty in (Duty.DRAINING, Duty.ACTIVE)]
        return tuple(each.address for each in sorted(found, key=lambda each: each.duty is Duty.ACTIVE))

    @property
    def active(self) -> str | None:
        """The address that signs what is new."""
        return self.with_duty(Duty.ACTIVE)

    def with_duty(self, duty: Duty) -> str | None:
        """The newest signer of this duty."""
        return next((each.address for each in reversed(self.signers) if each.duty is duty), None)

    def all_with_duty(self, duty: Duty) -> tuple[str, ...]:
        """The signers of this duty, the oldest first."""
        return tuple(each.address for each in self.signers if each.duty is duty)

    def joined(self, address: str) -> "Roster":
        """With a new signer, that is to be appointed."""
        return Roster((*self.signers, Signer(address, Duty.JOINING)))

    def moved(self, address: str, duty: Duty) -> "Roster":
        """With one signer's duty changed; who was active before a new one is draining."""
        return Roster(tuple(_moved(each, address, duty) for each in self.signers))


def _moved(signer: Signer, address: str, duty: Duty) -> Signer:
    if signer.address == address:
        return replace(signer, duty=duty)
    if duty is Duty.ACTIVE and signer.duty is Duty.ACTIVE:
        return replace(signer, duty=Duty.DRAINING)
    return signer
