"""A price that was published stays: an edit would reprice what was accepted, and adjust what was issued."""

import hashlib
import json
from pathlib import Path

import rfc8785

from chalicelib.plans import load_plans

PUBLISHED = Path(__file__).parents[2] / "releases" / "prices.json"


def digests() -> dict[str, dict[str, str]]:
    """Of all that each version says of each plan; what the plan is not part of is in each of them."""
    return {
        name: {
            plan: hashlib.sha256(
                rfc8785.dumps(
                    {
                        "applies_from": str(version.applies_from),
                        "gas": version.gas.model_dump(),
                        "prices": each.model_dump(mode="json"),
                    }
                )
            ).hexdigest()
            for plan, each in version.plans.items()
        }
        for name, version in load_plans().prices.items()
    }


def test_every_price_is_as_it_was_published_and_every_price_is_published() -> None:
    """A new version, or a plan, adds its digests; those that are there never change."""
    found = digests()
    assert json.loads(PUBLISHED.read_text()) == found, (
        "Undo the edit of a published price, or add what is new to releases/prices.json, which is then:\n"
        f"{json.dumps(found, indent=2)}"
    )
