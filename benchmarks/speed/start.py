"""What it costs to begin: importing, and the first step of a training."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.speed.processes import ROOT
from benchmarks.speed.timing import quartiles, take_turns

IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"

FIRST_STEP = """
import time
from benchmarks.speed.cases import Case, make_data, make_network
from cnnedu import fit
from cnnedu.training import Callback
import numpy as np

class Clock(Callback):
    def __init__(self):
        self.times = [time.perf_counter()]
    def on_batch_end(self, training):
        self.times.append(time.perf_counter())

case = Case(*{arguments!r})

def measure():
    network = make_network(case.network)
    data = make_data(network.input_shape, 11 * case.batch)
    optimizer, rng = case.make_optimizer(), np.random.default_rng(0)
    clock = Clock()
    fit(network, data, epochs=1, batch_size=case.batch, optimizer=optimizer, rng=rng,
        progress=False, callbacks=[clock], workers=case.threads)
    steps = np.diff(clock.times)
    print(steps[0], steps[1:].sum())

measure()
measure()
"""
"""The first step is measured from the call of ``fit``: with all that it sets up.

Once in a fresh Python, where things are imported on the way, and once more with a fresh network.
"""


def _printed(code: str, python: str) -> list[float]:
    """Run code in a fresh Python; return the numbers that it prints."""
    said = subprocess.run(
        [python, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [float(word) for word in said.stdout.split()]


def import_times(rounds: int, python: str = sys.executable) -> dict[str, tuple]:
    """Return quartiles of the seconds that importing takes, each time in a fresh Python."""

    def importer(module: str):
        return lambda: _printed(IMPORT.format(module), python)[0]

    names = ("numpy", "cnnedu")
    times = take_turns({name: importer(name) for name in names}, rounds)
    return {name: quartiles(seconds) for name, seconds in times.items()}


def first_step(arguments: tuple, rounds: int, python: str = sys.executable) -> dict[str, tuple]:
    """Return quartiles of the seconds of the first step and of the ten after it."""
    code = FIRST_STEP.format(arguments=arguments)
    python_first, _, first, ten = zip(*(_printed(code, python) for _ in range(rounds)), strict=True)
    ratio = [a / b for a, b in zip(first, ten, strict=True)]
    return {
        "first": quartiles(first),
        "next ten": quartiles(ten),
        "ratio": quartiles(ratio),
        "first in a fresh Python": quartiles(python_first),
    }
