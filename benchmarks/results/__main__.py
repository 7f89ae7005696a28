"""Train everything, write everything: see the docstring of the package."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.results import writing
from benchmarks.results.comparison import compare
from benchmarks.results.running import Progress, do_all
from benchmarks.results.trainings import PARTS, Setting, tasks_of
from benchmarks.results.writing import ROOT
from cnnedu.data import DataError, load_mnist

SPEED = "speed"


def read_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        "python -m benchmarks.results",
        description="Train the four systems on MNIST and write down what they reach.",
    )
    parts = (*PARTS, SPEED)
    parser.add_argument("--only", nargs="+", choices=parts, default=parts, help="some parts only")
    parser.add_argument("--quick", action="store_true", help="small everything, to try the program")
    parser.add_argument("--ship", action="store_true", help="put the networks into the package")
    parser.add_argument("--fresh", action="store_true", help="do again what is finished already")
    parser.add_argument("--torch-python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument(
        "--output", type=Path, help="a folder for everything, instead of the project's own places"
    )
    options = parser.parse_args(arguments)
    if options.quick and options.output is None:
        options.output = ROOT / "build" / "results-quick"
    return options


class Places:
    """Where things go: into the project, or all into one folder."""

    def __init__(self, output: Path | None) -> None:
        project = output is None
        folder = output or ROOT
        self.results = (
            folder / "benchmarks" / "results" / "results.json"
            if project
            else folder / "results.json"
        )
        self.records = writing.RECORDED if project else folder / "recorded"
        self.networks = writing.PRETRAINED if project else folder / "pretrained"
        self.readme = ROOT / "README.md" if project else None
        unfinished = ROOT / "build" / "results" if project else folder / "unfinished"
        self.unfinished = unfinished / writing.code_version()


def train(options, places: Places, setting: Setting) -> dict:
    """Do what is not finished yet; return all results by part and group."""
    finished, missing = {}, []
    for task in tasks_of(options.only, options.quick):
        file = setting.folder / task.file_name
        if file.exists() and not options.fresh:
            finished[task] = json.loads(file.read_text(encoding="utf-8"))
        else:
            missing.append(task)
    if finished:
        total = len(finished) + len(missing)
        print(f"{len(finished)} of {total} trainings are finished already", flush=True)
    progress = Progress(missing, len(finished))
    for task, result in do_all(missing, setting):
        finished[task] = result
        print(progress.line(task, result), flush=True)
    parts: dict = {}
    for task in tasks_of(options.only, options.quick):
        parts.setdefault(task.part, {}).setdefault(task.group, []).append(finished[task])
    return parts


def main(arguments: list[str] | None = None) -> int:
    """Run the program."""
    options = read_arguments(arguments)
    places, began = Places(options.output), time.monotonic()
    places.unfinished.mkdir(parents=True, exist_ok=True)
    origin = writing.made_with()
    about = {"command": f"{writing.COMMAND} --ship", "commit": origin["commit"]}
    about["date"] = origin["date"]
    setting = Setting(places.unfinished, options.quick, about)
    try:
        if not options.quick:
            load_mnist()  # downloaded here, if need be, and not by two processes at once
        parts = train(options, places, setting)
        if SPEED in options.only:
            print("Beside PyTorch, in turns ...", flush=True)
            comparison = compare(options.torch_python, options.quick)
            if comparison:
                parts[SPEED] = {"comparison": [comparison]}
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from here.", file=sys.stderr)
        return 130
    results = writing.merge(places.results, parts, origin, time.monotonic() - began)
    writing.write_records(places.records, parts, origin)
    if options.ship:
        places.networks.mkdir(exist_ok=True)
        print(f"Shipped: {', '.join(writing.ship(places.unfinished, places.networks))}")
    text = writing.table(results)
    print(f"\n{text}\n\nWritten: {places.results}")
    if places.readme is not None and not writing.put_into(places.readme, text):
        print("README.md has no place for the table.", file=sys.stderr)
    for task in tasks_of(options.only, options.quick):
        (setting.folder / task.file_name).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
