"""Which service, as whom, and which chain: from the environment, or from a local stack's stack.json.

A secret is never an option of a command, for everyone on the machine can read those.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

SERVICE = ("JOBS_URL", "JOBS_CLIENT_ID", "JOBS_CLIENT_SECRET")
CHAIN = ("JOBS_RPC_URL", "JOBS_REGISTRY", "JOBS_TENANT_ID")
# Where `make up` has it.
DEFAULT_STACK = Path(".local") / "stack.json"


class Misuse(Exception):
    """What the caller gave cannot be worked with; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """What a result is verified with, none of it the service's word."""

    rpc_url: str
    registry: str
    tenant_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The service and a client's credential. `chain_settings` has what is known of the chain, by variable."""

    base_url: str
    client_id: str
    client_secret: str = field(repr=False)
    chain_settings: Mapping[str, str]

    def chain(self) -> Chain:
        """All of the chain's settings, or `Misuse` naming those that are missing."""
        missing = [name for name in CHAIN if not self.chain_settings.get(name)]
        if missing:
            raise Misuse(
                f"Set {_listed(missing)}: a result is verified with a node that you trust (JOBS_RPC_URL), "
                "the registry's address (JOBS_REGISTRY) and your tenant's id (JOBS_TENANT_ID)."
            )
        rpc_url, registry, tenant_id = (self.chain_settings[name] for name in CHAIN)
        return Chain(rpc_url=rpc_url, registry=registry, tenant_id=tenant_id)


@dataclass(frozen=True, slots=True)
class _Api:
    base_url: str


@dataclass(frozen=True, slots=True)
class _Chain:
    rpc_url: str
    registry: str


@dataclass(frozen=True, slots=True)
class _Tenant:
    name: str
    tenant_id: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class _Stack:
    api: _Api
    chain: _Chain
    tenants: Annotated[tuple[_Tenant, ...], Field(min_length=1)]


_STACK = TypeAdapter(_Stack)


def read_settings(environ: Mapping[str, str], *, stack: Path | None, tenant: str | None) -> Settings:
    """A stack that was named goes before the environment, and the environment before the default stack.

    Variables of the chain that are set go before what the stack says.
    """
    is_set = any(environ.get(name) for name in SERVICE)
    if stack is None and tenant is None and is_set:
        return _from_environment(environ)
    return _from_stack(stack or DEFAULT_STACK, tenant, environ)


def _from_environment(environ: Mapping[str, str]) -> Settings:
    missing = [name for name in SERVICE if not environ.get(name)]
    if missing:
        raise Misuse(f"Set {_listed(missing)} too, or unset the others to use a local stack.")
    base_url, client_id, client_secret = (environ[name] for name in SERVICE)
    if not base_url.startswith(("http://", "https://")):
        raise Misuse("JOBS_URL is no URL: give the API's address with its http:// or https://.")
    return Settings(
        base_url=base_url.rstrip("/"),
        client_id=client_id,
        client_secret=client_secret,
        chain_settings=_set_of_chain(environ),
    )


def _from_stack(path: Path, tenant: str | None, environ: Mapping[str, str]) -> Settings:
    found = _described(path / "stack.json" if path.is_dir() else path)
    named = {each.name: each for each in found.tenants}
    chosen = found.tenants[0] if tenant is None else named.get(tenant)
    if chosen is None:
        raise Misuse(f"The stack has no tenant “{tenant}”: choose --tenant {_listed(list(named), 'or')}.")
    told = (found.chain.rpc_url, found.chain.registry, chosen.tenant_id)
    return Settings(
        base_url=found.api.base_url,
        client_id=chosen.client_id,
        client_secret=chosen.client_secret,
        chain_settings={**dict(zip(CHAIN, told, strict=True)), **_set_of_chain(environ)},
    )


def _described(path: Path) -> _Stack:
    try:
        document: Any = json.loads(path.read_bytes())
        return _STACK.validate_python(document)
    except FileNotFoundError:
        raise Misuse(
            f"There is no {path}, so no stack runs here: run `make up`, or set {_listed(SERVICE)}."
        ) from None
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, ValidationError) as error:
        raise Misuse(f"{path} does not describe a stack: name a running stack's stack.json.") from error


def _set_of_chain(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in CHAIN if environ.get(name)}


def _listed(names: list[str] | tuple[str, ...], joined: str = "and") -> str:
    """The names in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *first, last = names
    return f"{', '.join(first)} {joined} {last}" if first else last
