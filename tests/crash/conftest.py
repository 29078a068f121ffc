"""One emulator, and a tenant of its own for each test; with `bench`, also a node, a registry and a signer."""

import asyncio
import multiprocessing
from collections.abc import Iterator

import pytest

from chalicelib.adapters.memory_chain import GENESIS_HASH
from chalicelib.adapters.system import RandomIds
from emulation.chain import Mining, Node
from tests.chain.conftest import Bench, bench, held, runner, started_node  # noqa: F401 - fixtures
from tests.conformance.conftest import aws_endpoint, tables_endpoint  # noqa: F401 - fixtures
from tests.crash.scene import Scene
from tests.unit.world import REGISTRY, SIGNER, SIGNER_KEY, START, World

NO_NODE = "http://127.0.0.1:9"

multiprocessing.get_context("forkserver").set_forkserver_preload(
    ["tests.crash.scene", "tests.crash.preloaded"]
)


@pytest.fixture(
    scope="session",
    params=[Mining.AUTOMATIC, pytest.param(Mining.EVERY_SECOND, marks=pytest.mark.deep)],
    ids=lambda mining: mining.name.lower(),
)
def node(
    request: pytest.FixtureRequest,
    runner: asyncio.Runner,  # noqa: F811 - a fixture
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Node]:
    """As for the chain's own tests; every crash with a block a second takes minutes."""
    yield from started_node(request.param, runner, tmp_path_factory)


@pytest.fixture
def scene(request: pytest.FixtureRequest, tables_endpoint: str) -> Scene:  # noqa: F811 - a fixture
    chain: Bench | None = request.getfixturevalue("bench") if "bench" in request.fixturenames else None
    return Scene(
        endpoint=tables_endpoint,
        rpc_url=chain.rpc_url if chain else NO_NODE,
        genesis_hash=chain.genesis_hash if chain else GENESIS_HASH,
        registry=chain.registry if chain else REGISTRY,
        signer=chain.signer if chain else SIGNER,
        signer_key=chain.key.secret if chain else SIGNER_KEY,
        tenant=RandomIds().new_id("ten_"),
    )


@pytest.fixture
def world(scene: Scene) -> World:
    return scene.world(START)
