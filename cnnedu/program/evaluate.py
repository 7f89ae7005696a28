"""``cnnedu evaluate``: how many images of known label a network reads."""

from __future__ import annotations

import argparse

import numpy as np

from cnnedu.data import Part
from cnnedu.program.messages import Output, UsageError
from cnnedu.program.reading import idx_files, open_network, read_dataset, read_part
from cnnedu.training import evaluate


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Do what the command line says."""
    files = idx_files(arguments, ("test",))
    if not (files or arguments.data):
        raise UsageError("say what to measure on: --data digits, --data mnist or --test-images ...")
    if files and arguments.part:
        raise UsageError("--part chooses among the images of --data; leave it out with files")
    network = open_network(arguments.load)
    part = read_part(files, "test") if files else _part(arguments, output)
    result = evaluate(network, part, workers=arguments.workers)
    right = round(result.accuracy * len(part))
    output.say(
        f"accuracy {result.accuracy:.2%} ({right:,} of {len(part):,} images), "
        f"loss {result.loss:.4f}"
    )
    output.give({"accuracy": result.accuracy, "loss": result.loss, "images": len(part)})
    return output.status


def _part(arguments: argparse.Namespace, output: Output) -> Part:
    dataset = read_dataset(arguments.data, output)
    if arguments.part != "all":
        return dataset.train if arguments.part == "train" else dataset.test
    both = dataset.train, dataset.test
    return Part(
        np.concatenate([part.images for part in both]),
        np.concatenate([part.labels for part in both]),
    )
