"""Five epochs of ``lasagne`` as written: this package and PyTorch, taking turns."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from benchmarks.speed.__main__ import find_pytorch
from benchmarks.speed.cases import Case
from benchmarks.speed.processes import Process
from benchmarks.speed.timing import require_agreement, take_turns

EPOCHS, IMAGES = 5, 50_000
FORMS = ("pytorch", "pytorch tuned, channels last")


def compare(torch_python: str, quick: bool) -> dict:
    """Let them take turns, an epoch each.

    Parameters
    ----------
    torch_python : str
        A Python that has PyTorch.
    quick : bool
        Two epochs of a few images.

    Returns
    -------
    dict
        "epoch_seconds": the seconds of each epoch, by name; "seconds": their sums. Empty if there
        is no PyTorch.
    """
    python, versions = find_pytorch(torch_python)
    if python is None:
        return {}
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    case = Case("lasagne", 50, "nesterov", threads)
    images, epochs = (500, 2) if quick else (IMAGES, EPOCHS)
    pythons = {"project": sys.executable, **dict.fromkeys(FORMS, python)}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(Process(name, threads, its_python))
            for name, its_python in pythons.items()
        }
        for process in processes.values():
            process.make()
        reference = processes["project"].check(case)
        for name in FORMS:
            require_agreement(name, processes[name].check(case), reference)
        for process in processes.values():
            process.prepare(case)
            process.run(10 * case.batch)  # a first run is slower, and does not count
        runs = {
            name: lambda process=process: process.run(images) for name, process in processes.items()
        }
        seconds = take_turns(runs, epochs)
    return {
        "versions": versions,
        "threads": threads,
        "epochs": epochs,
        "images": images,
        "epoch_seconds": {name: [round(s, 3) for s in each] for name, each in seconds.items()},
        "seconds": {name: round(sum(each), 2) for name, each in seconds.items()},
    }
