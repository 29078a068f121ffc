"""The demo from its first chapter to its last; the modules beside have them."""

from contextlib import ExitStack
from pathlib import Path

from web3 import HTTPProvider, Web3

from client.jobs import JobsClient
from client.system import System
from client.verify import Registry
from emulation.demo import billing, books, chain, fhe, jobs, limits
from emulation.demo.scene import Counting, Party, Scene
from emulation.demo.screen import Screen
from emulation.demo.stack import Stack, Starting
from emulation.settings import read_project


def tell(screen: Screen, starting: Starting, project: Path) -> None:
    """Every chapter in turn; raises CheckFailed at the first claim that does not hold."""
    screen.title(
        "Zama Jobs API: from submit to on-chain confirmation",
        "A serverless service on an emulated cloud and a local chain. Nothing leaves this machine.",
    )
    screen.chapter("A stack of its own")
    with screen.busy("starting: gateway, functions, tables, queues, chain"):
        stack = starting.ready()
    with ExitStack() as closing:
        scene = _scene(screen, stack, project, closing)
        _introduce(scene, stack)
        work = jobs.submit_three(scene)
        merkle, chained, compact = jobs.watch(scene, work)
        jobs.compare(scene, work, merkle, chained)
        chain.verify(scene, merkle)
        chain.verify_compact(scene, compact)
        summed = fhe.sum_encrypted(scene)
        limits.replay(scene, work)
        jobs.cancel_running(scene)
        limits.refuse_bad_request(scene)
        limits.throttle(scene)
        limits.show_usage(scene)
        billing.show_invoice(scene, confirming=summed)
        books.reconcile(scene, stack)


def _scene(screen: Screen, stack: Stack, project: Path, closing: ExitStack) -> Scene:
    def party(name: str) -> Party:
        tenant = stack.tenants[name]
        counting = Counting()
        client = JobsClient(stack.base_url, tenant.client_id, tenant.client_secret, transport=counting)
        return Party(tenant, closing.enter_context(client), counting)

    return Scene(
        screen=screen,
        edge_url=stack.edge_url,
        registry=Registry(Web3(HTTPProvider(stack.rpc_url)), stack.registry),
        acme=party("acme"),
        globex=party("globex"),
        project=read_project(project),
        system=System(),
    )


def _introduce(scene: Scene, stack: Stack) -> None:
    scene.screen.fact("edge", stack.edge_url)
    scene.screen.fact("API", stack.base_url)
    scene.screen.fact("chain", f"{stack.rpc_url}, registry {stack.registry}")
    tenants = (f"{tenant.name} (plan {tenant.plan})" for tenant in stack.tenants.values())
    scene.screen.fact("tenants", ", ".join(tenants))
