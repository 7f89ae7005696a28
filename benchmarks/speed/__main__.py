"""Measure everything, print the tables, write ``benchmarks/results/speed.json`` and a picture."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import astuple
from importlib.metadata import version
from pathlib import Path

from benchmarks.speed import growth, machine, memory, report, start
from benchmarks.speed.cases import CASES, MEMORY_CASES, MEMORY_IMAGES, START_CASES, Case
from benchmarks.speed.processes import ROOT, PeerError, Process
from benchmarks.speed.timing import measure_case

RESULTS = ROOT / "benchmarks" / "results"
PYTORCH_VERSION = "2.13.0"
PYTORCH_INDEX = "https://download.pytorch.org/whl/cpu"
PYTORCH_FORMS = ["pytorch", "pytorch tuned", "pytorch tuned, channels last"]
CLASSICS = ["windows + tensordot", "windows + einsum", "im2col", "scipy", "loops"]
SLOW = ("scipy", "loops")
"""They would take minutes for the images with which memory is measured."""
PARTS = ("speed", "memory", "start", "growth")


def install_pytorch() -> None:
    """Install PyTorch's CPU build into the running environment, if it is not there.

    First from wherever pip is set up to look: a version marked "+cpu" is not on the public index,
    whose builds for Linux bring several GB for graphics cards. Then from PyTorch's own index.
    """
    try:
        if version("torch").split("+")[0] == PYTORCH_VERSION:
            return
    except ImportError:
        pass
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    if subprocess.run([*pip[:3], "--version"], capture_output=True).returncode:
        subprocess.run([sys.executable, "-m", "ensurepip"], capture_output=True)
    print(f"Installing PyTorch {PYTORCH_VERSION} ...", flush=True)
    for arguments in (
        [f"torch=={PYTORCH_VERSION}+cpu"],
        [f"torch=={PYTORCH_VERSION}", "--index-url", PYTORCH_INDEX],
    ):
        done = subprocess.run([*pip, "--quiet", *arguments], capture_output=True, text=True)
        if done.returncode == 0:
            return
    reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
    print(f"PyTorch cannot be installed ({reason})", flush=True)


def find_pytorch(python: str) -> tuple[str | None, dict]:
    """Return the Python that has PyTorch, or None, and the versions."""
    try:
        with Process("pytorch", 1, python) as process:
            return python, process.make()
    except (PeerError, OSError) as error:
        print(f"Without PyTorch, whose rows are left out: {error}", flush=True)
        return None, {}


def peers_of(case: Case, torch_python: str | None) -> dict[str, str]:
    """Return the peers of a case, and the Python of each."""
    names = ["project", *(CLASSICS if case.classics else [])]
    if "notebook" not in case.network and "loops" in names:
        names.remove("loops")
    peers = dict.fromkeys(names, sys.executable)
    if torch_python is not None:
        peers |= dict.fromkeys(PYTORCH_FORMS, torch_python)
    return peers


def measure_speed(cases: list[Case], torch_python: str | None, rounds: int, seconds: float) -> list:
    """Measure all rows of the table, each with all its peers in turns."""
    results = []
    for case in cases:
        print(f"{report.title(case.as_dict())} ...", flush=True)
        with ExitStack() as stack:
            processes = {
                name: stack.enter_context(Process(name, case.threads, python))
                for name, python in peers_of(case, torch_python).items()
            }
            for process in processes.values():
                process.make()
            measured = measure_case(case, processes, rounds, seconds)
        for name, reason in measured["skipped"].items():
            print(f"  {name} is left out: {reason}", flush=True)
        results.append({"case": case.as_dict(), **measured})
    return results


def measure_memory(torch_python: str | None) -> list[dict]:
    """Measure memory, every peer in a fresh process."""
    results = []
    for case in MEMORY_CASES:
        found = {}
        for name, python in peers_of(case, torch_python).items():
            if name in SLOW:
                continue
            with Process(name, case.threads, python) as process:
                found[name] = process.memory(astuple(case), MEMORY_IMAGES)
        results.append({"case": case.as_dict(), "memory": found})
    return results


def measure_start(rounds: int) -> dict:
    """Measure importing and first steps."""
    steps = []
    for case in START_CASES:
        steps.append({"case": case.as_dict(), **start.first_step(astuple(case), rounds)})
    return {"import": start.import_times(rounds), "first steps": steps}


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser("python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--rounds", type=int, help="runs of each peer (15; quick: 5)")
    parser.add_argument("--seconds", type=float, help="length of one run (0.4; quick: 0.05)")
    parser.add_argument("--only", default="", help="only rows whose names hold this text")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--install-torch", action="store_true", help="install PyTorch with pip")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (5 if options.quick else 15)
    options.seconds = options.seconds or (0.05 if options.quick else 0.4)
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = read_arguments(arguments)
    began = time.time()
    if options.install_torch:
        install_pytorch()
    torch_python, torch_versions = find_pytorch(options.torch_python)
    with Process("project") as process:
        versions = {"project": process.make(), "pytorch": torch_versions}
    results = {"machine": machine.describe(), "versions": versions, "rounds": options.rounds}

    print("The machine's limits ...", flush=True)
    results["limits"] = machine.roofline()
    if "speed" in options.parts:
        cases = [case for case in CASES if options.only in case.name]
        results["speed"] = measure_speed(cases, torch_python, options.rounds, options.seconds)
    if "memory" in options.parts and memory.available():
        print("Memory ...", flush=True)
        results["memory"] = measure_memory(torch_python)
    if "start" in options.parts:
        print("Start ...", flush=True)
        results["start"] = measure_start(options.rounds)
    if "growth" in options.parts:
        print("Growth ...", flush=True)
        rounds = max(3, options.rounds // 2)
        results["growth"] = growth.measure(growth.AXES, torch_python, rounds, options.seconds / 8)
    results["seconds"] = round(time.time() - began)

    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "speed.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if "growth" in results:
        growth.draw(results["growth"], results["limits"], options.output / "speed.png")
    print_results(results)
    print(f"\nWritten: {path.parent}")
    return 0


def print_results(results: dict) -> None:
    """Print all tables."""
    print("\nThe machine\n" + json.dumps(results["machine"]))
    print(json.dumps(results["versions"]))
    print(report.limits(results["limits"]))
    if "speed" in results:
        print(
            f"\nImages per second (medians of {results['rounds']} runs), and ratios (median and "
            "quartiles of the pairs)\n" + report.against_pytorch(results["speed"])
        )
        print(
            "\nAgainst other forms in NumPy and SciPy: images per second, and how many times "
            "faster cnnedu is\n" + report.against_classics(results["speed"], CLASSICS)
        )
    if "memory" in results:
        print("\nMemory on top of the data\n" + report.memory(results["memory"]))
    if "start" in results:
        print("\nImport and first step\n" + report.start(results["start"]))


if __name__ == "__main__":
    sys.exit(main())
