"""``cnnedu fine-tune``: train further on a folder of one's own digits, and judge it honestly."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from cnnedu import __version__
from cnnedu.data import label_of, read_folder
from cnnedu.fine_tuning import LEARNING_RATE, STEPS, Judgment, fine_tune, judge, leaking
from cnnedu.fine_tuning import leave_one_out as judge_honestly
from cnnedu.program.messages import Output, ProgramError
from cnnedu.program.reading import check_can_be_written, open_network
from cnnedu.storage import save

MOST_FOLDS = 20
"""With more images than this, groups of them are left out instead of single ones."""


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what the command line says."""
    check_can_be_written(arguments.save)
    network = open_network(arguments.load)
    paths, images, labels, errors = _read(arguments.folder, output)
    if len(images) < 2:
        raise ProgramError(
            f"expected at least two labeled digits in {arguments.folder}, one to learn from and "
            f"one to judge by, got {len(images)}; name the files as 7.jpeg, or put them in a "
            "folder 7"
        )
    rng = np.random.default_rng(arguments.seed)
    options = {
        "rng": rng,
        "steps": arguments.steps or STEPS,
        "learning_rate": arguments.learning_rate or LEARNING_RATE,
    }
    before = judge(network, images, labels)
    honest = judge_honestly(network, images, labels, folds=MOST_FOLDS, **options)
    leaked = leaking(network, images, labels, learning_rate=options["learning_rate"])
    tuned = fine_tune(network, images, labels, **options)
    about = {
        "command": "cnnedu fine-tune",
        "version": __version__,
        "steps": options["steps"],
        "learning_rate": options["learning_rate"],
        "images": len(images),
    }
    save(tuned, arguments.save, about=about)
    _report(paths, before, honest, leaked, arguments.save, output)
    output.give(
        {
            "images": len(images),
            "before": _numbers(before),
            "leave_one_out": _numbers(honest),
            "leaking": _numbers(leaked),
            "predictions": [
                {
                    "path": str(path),
                    "label": int(label),
                    "before": int(was),
                    "leave_one_out": int(is_),
                }
                for path, label, was, is_ in zip(
                    paths, labels, before.predictions, honest.predictions, strict=True
                )
            ],
            "errors": errors,
            "saved": str(arguments.save),
        }
    )
    return output.status


def _read(folder: Path, output: Output):
    """Prepare the images of a folder, with their labels; complain about those that will not do."""
    paths, images, labels, errors = [], [], [], []
    for path, result in read_folder(folder):
        try:
            if isinstance(result, Exception):
                raise result
            labels.append(label_of(path))
        except ValueError as error:
            output.complain(error)
            errors.append({"path": str(path), "error": str(error)})
            continue
        paths.append(path)
        images.append(result.image)
    stacked = np.stack(images)[:, None] if images else np.zeros((0, 1, 28, 28), np.float32)
    return paths, stacked, np.array(labels, np.int64), errors


def _report(paths, before: Judgment, honest: Judgment, leaked: Judgment, saved, output) -> None:
    for path, label, was, is_ in zip(
        paths, honest.labels, before.predictions, honest.predictions, strict=True
    ):
        read = f"read as {is_}" if was == is_ else f"read as {was} before, as {is_} after"
        output.say(f"{path}: {label}, {read}{'' if is_ == label else '  <- wrong'}")
    count = len(paths)
    output.say()
    output.say(f"before fine-tuning        {before.right:3} of {count} right")
    output.say(
        f"honest, leave-one-out     {honest.right:3} of {count} right   trust this: each image was "
        "read by a network tuned on the others"
    )
    output.say(
        f"leaking                   {leaked.right:3} of {count} right   not this: each image was "
        "read right after training on it"
    )
    output.say()
    if honest.right <= before.right < count:
        output.say(
            "By the honest count, fine-tuning has not helped; more images of each digit may."
        )
    output.say(f"saved to {saved}, tuned on all {count} images")


def _numbers(judgment: Judgment) -> dict[str, float]:
    return {"right": judgment.right, "accuracy": judgment.accuracy}
