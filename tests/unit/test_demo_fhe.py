"""The demo's chapter about encrypted data, as far as it needs no stack."""

import subprocess
import sys
from statistics import fmean, stdev

from emulation.demo.data import VELOCITIES


def test_the_velocities_are_michelsons_when_their_means_are_those_published() -> None:
    assert [fmean(series) for series in VELOCITIES] == [909, 856, 845, 820.5, 831.5]
    every = [velocity for series in VELOCITIES for velocity in series]
    assert (len(every), fmean(every), round(stdev(every), 2)) == (100, 852.4, 79.01)


def test_the_chapter_says_what_to_install_and_submits_nothing_when_its_package_is_not_there() -> None:
    script = """if True:
        import sys
        sys.modules["tenseal"] = None  # as if it were not installed
        from types import SimpleNamespace
        from rich.console import Console
        from emulation.demo import fhe
        from emulation.demo.screen import Screen
        scene = SimpleNamespace(screen=Screen(Console(width=100)), acme=SimpleNamespace(client=None))
        assert fhe.sum_encrypted(scene) == ()
    """
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert process.stderr == ""
    chapter, told = process.stdout.strip().splitlines()
    assert chapter == "1  Encrypted data is summed by a service that cannot read it"
    assert told.endswith("needs TenSEAL: pip install -r requirements-fhe.txt")
