"""Ids of usage plans and API keys that outlast a run, so that the counters under them do.

The real service keeps a plan and its id until somebody deletes it; here each run makes its plans anew. So a
plan made with the name of an earlier run's plan is that plan, a key made with its value is that key, and what
was deleted stays deleted: whatever is made after it under the same name is new.
"""

from collections.abc import Container
from enum import Enum
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # it takes two seconds, which a start spends on more than one thing
    from moto.apigateway import models


class Kind(Enum):
    PLAN = "plan"
    KEY = "key"


class KnownIds(Protocol):
    """Which id belongs to which name."""

    def adopt(self, kind: Kind, name: str, made: str, held: Container[str]) -> str:
        """The oldest id known by that name that nobody holds, else the one just made; known from now on."""
        ...

    def forget(self, kind: Kind, resource_id: str) -> None:
        """Nothing made from now on gets that id."""
        ...


class FreshIds:
    """Every id is new: what is there without a usage folder.

    >>> FreshIds().adopt(Kind.PLAN, "free", "x1y2z3", held=())
    'x1y2z3'
    """

    def adopt(self, kind: Kind, name: str, made: str, held: Container[str]) -> str:
        """See `KnownIds.adopt`."""
        return made

    def forget(self, kind: Kind, resource_id: str) -> None:
        """See `KnownIds.forget`."""


def settle_plan(ids: KnownIds, backend: "models.APIGatewayBackend", plan: "models.UsagePlan") -> None:
    """Gives a plan that was just made the id it is known by. A later change of its name changes nothing."""
    del backend.usage_plans[plan.id]
    plan.id = ids.adopt(Kind.PLAN, plan.name or "", plan.id, held=backend.usage_plans)
    backend.usage_plans[plan.id] = plan


def settle_key(ids: KnownIds, backend: "models.APIGatewayBackend", key: "models.ApiKey") -> None:
    """Gives a key that was just made the id it is known by.

    Its value may be a secret, so it is known by a hash of it.
    """
    del backend.keys[key.id]
    key.id = ids.adopt(Kind.KEY, sha256(key.value.encode()).hexdigest(), key.id, held=backend.keys)
    backend.keys[key.id] = key
