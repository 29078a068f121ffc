"""An operator's taking in of usage events: what is billed by hand is in the log of acts."""

from dataclasses import dataclass

from chalicelib.domain.audit import Act, AuditEvent, Outcome
from chalicelib.domain.metering import UsageEvent
from chalicelib.ports import Clock, Deed, Ids, Registry, Usage
from chalicelib.use_cases.take_in_usage import TakeInUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestUsage:
    """No event is taken in untold: the log has it first, so who is cut off in between has told it twice."""

    take_in: TakeInUsage
    usage: Usage
    registry: Registry
    clock: Clock
    ids: Ids

    def __call__(self, event: UsageEvent, *, actor: str) -> Outcome:
        """What became of it. Raises as `TakeInUsage` does."""
        if self.usage.find([event]) == [None]:
            self.take_in.check(event)
            self.registry.commit(Deed(event=self._told(event, actor)))
        return Outcome.CHANGED if self.take_in(event) else Outcome.UNCHANGED

    def _told(self, event: UsageEvent, actor: str) -> AuditEvent:
        return AuditEvent(
            event_id=self.ids.new_id("aud_"),
            at=self.clock.now(),
            actor=actor,
            act=Act.USAGE_TAKEN_IN,
            subject=event.ref.tenant_id,
            facts={"event_id": event.event_id, "quantity": str(event.quantity)},
        )
