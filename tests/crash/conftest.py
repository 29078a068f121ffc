"""One emulator, and a tenant of its own for each test; with `bench`, also a node, a registry and a signer."""

import pytest

from chalicelib.adapters.system import RandomIds
from tests.chain.conftest import Bench, bench, node, runner  # noqa: F401 - fixtures
from tests.conformance.conftest import aws_endpoint  # noqa: F401 - a fixture
from tests.conformance.real_ports import make_resources
from tests.crash.scene import Scene
from tests.unit.world import REGISTRY, SIGNER, SIGNER_KEY, START, World

NO_NODE = "http://127.0.0.1:9"


@pytest.fixture
def scene(request: pytest.FixtureRequest, aws_endpoint: str) -> Scene:  # noqa: F811 - a fixture
    make_resources(aws_endpoint)
    chain: Bench | None = request.getfixturevalue("bench") if "bench" in request.fixturenames else None
    return Scene(
        endpoint=aws_endpoint,
        rpc_url=chain.rpc_url if chain else NO_NODE,
        registry=chain.registry if chain else REGISTRY,
        signer=chain.signer if chain else SIGNER,
        signer_key=chain.key if chain else SIGNER_KEY,
        tenant=RandomIds().new_id("ten_"),
    )


@pytest.fixture
def world(scene: Scene) -> World:
    return scene.world(START)
