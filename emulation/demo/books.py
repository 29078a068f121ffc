"""The demo's last chapter: the books, held against each other by the project's own command."""

import json
import subprocess

from emulation.demo.scene import Scene
from emulation.demo.screen import CheckFailed
from emulation.demo.stack import Stack


def reconcile(scene: Scene, stack: Stack) -> None:
    """Jobs, events, invoice, counters, the gateway's usage and the chain tell one story, of all tenants."""
    screen = scene.screen
    screen.chapter("The books against each other")
    with screen.busy("reading jobs, events, invoices, counters, gateway and chain"):
        ran = subprocess.run(
            scene.project.reconcile,
            cwd=scene.project.folder,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    if not ran.stdout:
        raise CheckFailed(f"the books could not be read: {ran.stderr.decode(errors='replace').strip()}")
    found = json.loads(ran.stdout)
    compared = (f"{count:,} {what.replace('_', ' ')}" for what, count in found["compared"].items())
    screen.fact("compared", ", ".join(compared))
    screen.check("nothing differs", found["differences"], [])
