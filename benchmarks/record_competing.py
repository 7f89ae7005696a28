"""Record what kernels that compete do on MNIST: as their origin trains them, corrected, and well.

Run from the project's folder: ``python -m benchmarks.record_competing``. It needs MNIST (found or
downloaded by ``load_mnist``) and some eight minutes, and writes
``cnnedu/data/recorded/competing-mnist.json``.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from functools import partial

import numpy as np

from benchmarks.competing_as_written import AsWritten
from benchmarks.record_mnist import rounded, write
from cnnedu import SGD, Adam, evaluate, fit
from cnnedu.architectures import build
from cnnedu.data import competing_kernels_data, divide_by_variance, load_mnist
from cnnedu.optimizers import CosineDecay

COMMAND = "python -m benchmarks.record_competing"
SEEDS = range(3)
PASSES = 13
N_TRAIN, N_VALIDATION = 20_000, 4_000
CANDIDATES = {
    "SGD(0.1)": lambda: SGD(CosineDecay(0.1)),
    "SGD(0.3)": lambda: SGD(CosineDecay(0.3)),
    "Adam(0.002)": lambda: Adam(CosineDecay(0.002)),
    "Adam(0.01)": lambda: Adam(CosineDecay(0.01)),
    "Adam(0.01, weight_decay=0.03)": lambda: Adam(CosineDecay(0.01), weight_decay=0.03),
    "Adam(0.01, weight_decay=0.1)": lambda: Adam(CosineDecay(0.01), weight_decay=0.1),
}
"""Optimizers to choose from; each learning rate falls along a cosine, mini-batches of 10."""


def choose(data) -> tuple[str, dict[str, float]]:
    """Choose an optimizer by the last 4,000 of the 20,000 images, trained on the others."""
    train, validation = data.train[:N_TRAIN].split(N_VALIDATION)
    prepared = divide_by_variance(train.images), train.labels
    held_out = divide_by_variance(validation.images, train.images), validation.labels
    accuracies = {}
    for name, make in CANDIDATES.items():
        rng = np.random.default_rng(0)
        network = build("competing-kernels", rng=rng)
        recipe = {"epochs": PASSES, "batch_size": 10, "optimizer": make()}
        fit(network, prepared, **recipe, rng=rng, progress=False)
        accuracies[name] = evaluate(network, held_out).accuracy
        print(f"{name}: {accuracies[name]:.2%} of the validation images", flush=True)
    return max(accuracies, key=accuracies.get), accuracies


def train_as_written(data, seed: int) -> dict:
    """Train as the origin does, to its own stopping rule, printing what it prints."""
    train, test = (
        (images.astype(np.float64), labels)
        for images, labels in competing_kernels_data(data, N_TRAIN, as_written=True)
    )
    network = AsWritten(rng=np.random.default_rng(seed))
    start, began = network.kernels.copy(), time.perf_counter()
    errors, converged = network.train(*train, log=partial(print, flush=True))
    seconds = time.perf_counter() - began
    tested, restored = network.score(*test), network.score(*test, tanh=True)
    if converged:
        print("converged at iteration: ", len(errors) - 1)
        print("average error: ", errors[-1])
    else:
        print("failed to converge")
    print("average test set error:", tested.error)
    print(f"percent correct: {tested.right_rounded:.2%} rounded, {tested.right:.2%} by the largest")
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "errors": rounded(np.array(errors)),
        "converged_at_iteration": len(errors) - 1 if converged else None,
        "test": asdict(tested),
        "test_with_tanh": asdict(restored),
        **kernels(start, network.kernels),
    }


def train_corrected(data, seed: int, **recipe) -> dict:
    """Train the corrected network; record its curve, its test accuracy and its kernels."""
    train, test = competing_kernels_data(data, N_TRAIN)
    rng = np.random.default_rng(seed)
    network = build("competing-kernels", rng=rng)
    start, began = network["conv1"].params["weight"].copy(), time.perf_counter()
    history = fit(network, train, rng=rng, epochs=PASSES, **recipe)
    seconds = time.perf_counter() - began
    result = evaluate(network, test)
    print(f"seed {seed}: {result.accuracy:.2%} of the test images", flush=True)
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "loss": rounded(np.array(history.loss)),
        "accuracy": rounded(np.array(history.accuracy)),
        "test_loss": result.loss,
        "test_accuracy": result.accuracy,
        **kernels(start, network["conv1"].params["weight"]),
    }


def kernels(start: np.ndarray, end: np.ndarray) -> dict:
    """Return the kernels before and after the training, each nine of 8 x 8."""
    return {
        "kernels_at_start": rounded(start.reshape(9, 8, 8)),
        "kernels": rounded(end.reshape(9, 8, 8)),
    }


def main() -> None:
    """Record all three ways of training the network."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="show no progress bars")
    progress = not parser.parse_args().quiet
    data = load_mnist()
    chosen, validation = choose(data)
    as_written = [train_as_written(data, seed) for seed in SEEDS]
    print("corrected: the right gradient, shuffled images", flush=True)
    corrected = [
        train_corrected(data, seed, batch_size=1, optimizer=SGD(0.01), progress=progress)
        for seed in SEEDS
    ]
    print(f"well trained: {chosen}", flush=True)
    well = [
        train_corrected(
            data, seed, batch_size=10, optimizer=CANDIDATES[chosen](), progress=progress
        )
        for seed in SEEDS
    ]
    write(
        "competing-mnist",
        {
            "command": COMMAND,
            "network": "competing-kernels",
            "data": "MNIST, the first 20,000 images to train on, 10,000 to test on",
            "as_written_recipe": "one image at a time, in the order of the file, learning rate "
            "0.01, until the mean squared error of a pass is not above 0.1",
            "as_written": as_written,
            "corrected_recipe": f"the cross-entropy's gradient, one image at a time, shuffled, "
            f"learning rate 0.01, {PASSES} passes",
            "corrected": corrected,
            "well_trained_recipe": f"mini-batches of 10, {chosen}, the learning rate falling along "
            f"a cosine, {PASSES} passes",
            "validation": {name: round(value, 4) for name, value in validation.items()},
            "validation_data": "the last 4,000 of the 20,000, trained on the first 16,000, seed 0",
            "well_trained": well,
        },
    )


if __name__ == "__main__":
    main()
