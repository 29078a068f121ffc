"""The API key that a tenant's requests are metered by, one for each use; never a credential."""

from enum import StrEnum


class Use(StrEnum):
    """The kinds of request that have limits of their own, as the usage plans' names end."""

    SUBMIT = "submit"
    READ = "read"


def metering_key(tenant_id: str, use: Use) -> str:
    """The API key's value.

    It is a name, not a secret: with `apiKeySource` AUTHORIZER no client can present it.
    """
    return f"{tenant_id}.{use}"


def usage_plan(plan: str, use: Use) -> str:
    """The name of the gateway's usage plan for this use of a plan of ours."""
    return f"{plan}-{use}"
