"""What is made of the trainings: results.json, the lessons' records, the table, the networks."""

from __future__ import annotations

import json
import platform
import shutil
import statistics
import subprocess
from datetime import date
from pathlib import Path

import numpy as np

import cnnedu
from benchmarks.results.running import write_text
from benchmarks.results.trainings import PARTS, ingredients
from benchmarks.speed import machine
from cnnedu.pretrained import NAMES
from cnnedu.storage import read_about
from cnnedu.systems import system

ROOT = Path(__file__).resolve().parents[2]
RECORDED = Path(cnnedu.__file__).parent / "data" / "recorded"
PRETRAINED = Path(cnnedu.__file__).parent / "pretrained"
COMMAND = "python -m benchmarks.results"
BEGIN, END = "<!-- results: made by `make results` -->", "<!-- end of results -->"
HEAVY = ("filters", "filters_at_start", "kernels", "kernels_at_start", "confusion", "worst", "log")
"""What the lessons' records hold and results.json does not."""


def commit() -> str:
    """Return the version of the code, with a word if files have been changed since."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "cnnedu/*.py", "benchmarks/*.py")
        return (git("rev-parse", "--short=12", "HEAD") or "unknown") + " and changes" * bool(
            changed
        )
    except OSError:  # there is no git
        return "unknown"


def code_version() -> str:
    """Return the last version that changed a program: results of another are not gone on with."""
    command = ["git", "log", "-1", "--format=%h", "--", "cnnedu/*.py", "benchmarks/*.py"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    except OSError:  # there is no git
        return "unknown"
    return done.stdout.strip() or "unknown"


def made_with() -> dict:
    """Return versions, date and machine."""
    return {
        "cnnedu": cnnedu.__version__,
        "commit": commit(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": date.today().isoformat(),
        "machine": machine.describe(),
    }


def recipe(name: str, *, as_written: bool = False, **changes) -> str:
    """Describe in one line how a system is trained."""
    chosen = system(name, as_written).choose(**changes)
    text = (
        f"{chosen.epochs} epochs, mini-batches of {chosen.batch_size}, "
        f"{chosen.optimizer(chosen.learning_rate)!r}"
    )
    return text if chosen.augment is None else f"{text}, {chosen.augment!r}"


# ---------------------------------------------------------------------------------------------
# results.json
# ---------------------------------------------------------------------------------------------


def merge(path: Path, parts: dict, origin: dict, seconds: float) -> dict:
    """Put newly measured parts into results.json; return all of it.

    Parameters
    ----------
    path : Path
    parts : dict
        By part: by group: a list with what is kept of each training.
    origin : dict
        Versions, machine.
    seconds : float
        How long all of it took.
    """
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"parts": {}}
    for part, groups in parts.items():
        light = {
            group: [{k: v for k, v in run.items() if k not in HEAVY} for run in runs]
            for group, runs in groups.items()
        }
        results["parts"][part] = {"made_with": origin, **light}
    results = {
        "command": COMMAND,
        "made_with": origin,
        "seconds": round(seconds),
        "parts": results["parts"],
    }
    write_text(path, json.dumps(results, indent=1) + "\n")
    return results


# ---------------------------------------------------------------------------------------------
# The records that the lessons show
# ---------------------------------------------------------------------------------------------


def _notebook(groups: dict) -> dict:
    return {
        "data": "MNIST as OpenML stacks it, 56,000 to train on and 14,000 to test on",
        "share_of_windows_with_ties": groups["ties"][0]["share"],
        "as_written": groups["as written"],
        "properly_recipe": recipe("notebook"),
        "properly": groups["properly"],
    }


def _lasagne(groups: dict) -> dict:
    return {
        "data": "MNIST: as written 50,000 images to train on and 10,000 to validate, best 60,000 "
        "to train on; 10,000 to test on",
        "recipe": recipe("lasagne", as_written=True),
        "runs": groups["as written"],
        "best_recipe": recipe("lasagne"),
        "best": groups["best"],
        "ingredients_recipe": "12 epochs, 50,000 images to train on and 10,000 to validate; "
        "each step adds to the one before it",
        "ingredients": {name: groups[name] for name in ingredients()},
    }


def _cnn_rs(groups: dict) -> dict:
    return {
        "data": "MNIST, 60,000 images to train on, 10,000 to test on",
        "as_written_recipe": recipe("cnn-rs", as_written=True),
        "as_written": groups["as written"],
        "log": groups["as written"][0]["log"],
        "log_columns": ["examples", "loss in bits", "accuracy while training", "milliseconds"],
        "well_trained_recipe": recipe("cnn-rs", epochs=5),
        "well_trained": groups["5 epochs"],
        "well_trained_10_epochs": groups["10 epochs"],
    }


def _competing(groups: dict) -> dict:
    return {
        "data": "MNIST, the first 20,000 images to train on, 10,000 to test on",
        "as_written_recipe": "one image at a time, in the order of the file, learning rate 0.01, "
        "until the mean squared error of a pass is not above 0.1",
        "as_written": groups["as written"],
        "corrected_recipe": "the cross-entropy's gradient, one image at a time, shuffled, learning "
        "rate 0.01, 13 passes",
        "corrected": groups["corrected"],
        "well_trained_recipe": recipe("competing-kernels"),
        "validation": groups["choice"][0]["validation"],
        "validation_data": "the last 4,000 of the 20,000, trained on the first 16,000, seed 0",
        "well_trained": groups["well trained"],
    }


RECORDS = {
    "notebook": ("notebook-mnist", _notebook),
    "lasagne": ("lasagne-mnist", _lasagne),
    "cnn-rs": ("cnn-rs-mnist", _cnn_rs),
    "competing-kernels": ("competing-mnist", _competing),
}


def write_records(folder: Path, parts: dict, origin: dict) -> None:
    """Write the lessons' record of each part."""
    for part, groups in parts.items():
        if part in RECORDS:
            name, make = RECORDS[part]
            record = {"command": COMMAND, "made_with": origin, "network": part, **make(groups)}
            write_text(folder / f"{name}.json", json.dumps(record) + "\n")


def ship(source: Path, target: Path = PRETRAINED) -> list[str]:
    """Copy the networks that were made into the package; return the names of those copied.

    Of a network's seeds, the one that reads most of the embedded digits' training part.
    """

    def reads(path: Path) -> float:
        return read_about(path)["digits_train_accuracy"]

    copied = []
    for name in NAMES:
        made = sorted(source.glob(f"{name}-seed-?.npz"))
        if made:
            best = max(made, key=reads)
            shutil.copyfile(best, target / f"{name}.npz")
            past = best.with_name(f"{best.stem}-checkpoints.npz")
            shutil.copyfile(past, target / f"{name}-checkpoints.npz")
            copied.append(name)
    return copied


# ---------------------------------------------------------------------------------------------
# The table
# ---------------------------------------------------------------------------------------------

ROWS = [
    ("lasagne", "as written", "`lasagne` as written, 5 epochs", "98.85 %", "test_accuracy"),
    (
        "lasagne",
        "best",
        "`lasagne`, best recipe, {epochs} epochs",
        "99.6 % (50 epochs)",
        "test_accuracy",
    ),
    (
        "cnn-rs",
        "as written",
        "`cnn-rs` as written, 5 epochs",
        "98 % (while training)",
        "test_accuracy",
    ),
    ("cnn-rs", "5 epochs", "`cnn-rs` trained well, 5 epochs", "", "test_accuracy"),
    ("cnn-rs", "10 epochs", "`cnn-rs` trained well, 10 epochs", "", "test_accuracy"),
    ("notebook", "as written", "`notebook` as written, 25 steps", "(five images)", "test_accuracy"),
    ("notebook", "properly", "`notebook` trained properly, {epochs} epochs", "", "test_accuracy"),
    (
        "competing-kernels",
        "as written",
        "`competing-kernels` as written, counted as there",
        "92.57 %",
        ("test", "right_rounded"),
    ),
    (
        "competing-kernels",
        "as written",
        "the same, by the largest probability",
        "",
        ("test", "right"),
    ),
    ("competing-kernels", "corrected", "its gradient corrected, 13 passes", "", "test_accuracy"),
    (
        "competing-kernels",
        "well trained",
        "`competing-kernels` trained well, 13 passes",
        "",
        "test_accuracy",
    ),
]
"""Part, group, what it is, what its origin reports, and where the share of right answers lies."""


def table(results: dict) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        "| | its origin says | here, mean | lowest to highest | trainings | one takes |",
        "|---|---|---|---|---|---|",
    ]
    for part, group, title, origin, key in ROWS:
        runs = results["parts"].get(part, {}).get(group)
        if runs:
            lines.append(_row(title, origin, runs, key))
    text = "\n".join(lines)
    seconds = results["parts"].get("speed", {}).get("comparison", [{}])[0].get("seconds")
    return f"{text}\n\n{_speed(seconds)}" if seconds else text


def _row(title: str, origin: str, runs: list[dict], key) -> str:
    keys = (key,) if isinstance(key, str) else key
    found = []
    for run in runs:
        for name in keys:
            run = run[name]
        found.append(100 * run)
    title = title.format(epochs=len(runs[0].get("loss", [])))
    times = [run["seconds"] for run in runs if "seconds" in run]
    time = f"{statistics.median(times):,.0f} s" if times else ""
    return (
        f"| {title} | {origin} | **{statistics.fmean(found):.2f} %** | "
        f"{min(found):.2f} to {max(found):.2f} % | {len(found)} | {time} |"
    )


def _speed(seconds: dict) -> str:
    others = {name: s for name, s in seconds.items() if name != "project"}
    best = min(others.values())
    plain = others["pytorch"]
    return (
        f"The five epochs of `lasagne` as written took {seconds['project']:.1f} s where PyTorch, "
        f"in turns with it on the same processors, took {plain:.1f} s (tuned: {best:.1f} s)."
    )


def put_into(path: Path, text: str) -> bool:
    """Put a text between the two marks of a file; return whether the marks are there."""
    before = path.read_text(encoding="utf-8")
    if BEGIN not in before or END not in before:
        return False
    head, rest = before.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    write_text(path, f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")
    return True


assert set(RECORDS) == set(PARTS)
