"""Record what two networks do on the whole of MNIST, for readers of the lessons who do not have it.

Run from the project's folder: ``python -m benchmarks.record_mnist``. It needs MNIST (found or
downloaded by ``load_mnist``) and a few minutes, and writes ``cnnedu/data/recorded/*.json``.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from datetime import date
from pathlib import Path

import numpy as np

import cnnedu
from cnnedu import (
    SGD,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Momentum,
    Sequential,
    evaluate,
    fit,
    softmax_cross_entropy,
)
from cnnedu.architectures import build
from cnnedu.data import load_mnist
from cnnedu.initializers import lecun_normal, normal_over_area
from cnnedu.optimizers import CosineDecay

FOLDER = Path(cnnedu.__file__).parent / "data" / "recorded"
COMMAND = "python -m benchmarks.record_mnist"


def correlations(start: np.ndarray, end: np.ndarray) -> list[float]:
    """Return the correlation of each filter at the end with the same filter at the start."""
    pairs = zip(start.reshape(len(start), -1), end.reshape(len(end), -1), strict=True)
    return [round(float(np.corrcoef(a, b)[0, 1]), 3) for a, b in pairs]


def rounded(array: np.ndarray) -> list:
    """Return an array as lists of numbers with four decimals."""
    return np.round(array.astype(float), 4).tolist()


def notebook_as_written(data, seed: int) -> dict:
    """Train the ``notebook`` network as its origin does: 25 steps of 10 images, 5-image tests."""
    rng = np.random.default_rng(seed)
    network = Sequential(
        [
            Conv2D(1, 6, 3, bias=False, initializer=normal_over_area, rng=rng),
            MaxPool2D(2, ties="all"),
            Flatten(),
            Dense(1014, 10, bias=False, initializer=lecun_normal, rng=rng),
        ],
        input_shape=(1, 28, 28),
    )
    start = network["conv1"].params["weight"].copy()
    optimizer = SGD(0.1)
    five_image_tests = []
    for _ in range(25):
        images, labels = data.train[rng.choice(len(data.train), 10)]
        logits = network.forward(images, training=True)
        network.backward(softmax_cross_entropy(logits, labels)[1])
        optimizer.step([(k, p, network.grads[k]) for k, p in network.params.items()])
        images, labels = data.test[rng.choice(len(data.test), 5)]
        five_image_tests.append(float(np.mean(network.predict(images) == labels)))
    return {
        "seed": seed,
        "five_image_tests": five_image_tests,
        "test_accuracy": evaluate(network, data.test).accuracy,
        "filter_start_correlation": correlations(start, network["conv1"].params["weight"]),
    }


def share_of_ties(data) -> float:
    """Return the share of pooling windows with a tie in the maps of a fresh ``notebook``."""
    network = build("notebook", rng=np.random.default_rng(0))
    maps = network.activations(data.train.images[:1000])["conv1"]
    n, c, h, w = maps.shape
    windows = maps.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    windows = windows.reshape(n, c, h // 2, w // 2, 4)
    winners = (windows == windows.max(axis=-1, keepdims=True)).sum(axis=-1)
    return float(np.mean(winners > 1))


def train_properly(name: str, train, test, seed: int, **recipe) -> dict:
    """Train a network, and record its curve, its test accuracy, and its first filters."""
    rng = np.random.default_rng(seed)
    network = build(name, rng=rng)
    start = network["conv1"].params["weight"].copy()
    began = time.perf_counter()
    history = fit(network, train, rng=rng, **recipe)
    end = network["conv1"].params["weight"]
    predictions = network.predict(test.images)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (test.labels, predictions), 1)
    return {
        "seed": seed,
        "seconds": round(time.perf_counter() - began, 1),
        "loss": rounded(np.array(history.loss)),
        "accuracy": rounded(np.array(history.accuracy)),
        "validation_accuracy": rounded(np.array(history.validation_accuracy)),
        "test_accuracy": float(np.mean(predictions == test.labels)),
        "confusion": confusion.tolist(),
        "filter_start_correlation": correlations(start, end),
        "filters_at_start": rounded(start),
        "filters": rounded(end),
    }


def write(name: str, record: dict) -> None:
    """Write one record beside the package's data."""
    versions = {
        "cnnedu": cnnedu.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }
    record = {"command": COMMAND, "made_with": versions, **record}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(record) + "\n", encoding="utf-8")
    print(f"wrote {name}.json", flush=True)


def record_notebook(progress: bool) -> None:
    """Record the ``notebook`` network: as its origin trains it, and properly."""
    data = load_mnist(split="openml")
    as_written = [notebook_as_written(data, seed) for seed in range(10)]
    print("as written:", [round(run["test_accuracy"], 3) for run in as_written], flush=True)
    train, validation = data.train.split(6000)
    proper = [
        train_properly(
            "notebook",
            train,
            data.test,
            seed,
            epochs=10,
            batch_size=32,
            optimizer=Momentum(CosineDecay(0.05), nesterov=True),
            validation=validation,
            progress=progress,
        )
        for seed in range(3)
    ]
    print("properly:", [run["test_accuracy"] for run in proper], flush=True)
    write(
        "notebook-mnist",
        {
            "network": "notebook",
            "data": "MNIST as OpenML stacks it, 56,000 to train on and 14,000 to test on",
            "share_of_windows_with_ties": round(share_of_ties(data), 3),
            "as_written": as_written,
            "properly_recipe": "50,000 images (6,000 of the 56,000 for validation), 10 epochs of "
            "mini-batches of 32, Nesterov momentum 0.9, learning rate 0.05 falling along a cosine",
            "properly": proper,
        },
    )


def record_lasagne(progress: bool) -> None:
    """Record the ``lasagne`` network: five epochs as its origin trains it."""
    data = load_mnist()
    train, validation = data.train.split(10_000)
    runs = [
        train_properly(
            "lasagne",
            train,
            data.test,
            seed,
            epochs=5,
            batch_size=50,
            optimizer=Momentum(0.01, nesterov=True),
            validation=validation,
            progress=progress,
        )
        for seed in range(3)
    ]
    print("lasagne:", [run["test_accuracy"] for run in runs], flush=True)
    write(
        "lasagne-mnist",
        {
            "network": "lasagne",
            "data": "MNIST, 50,000 images to train on, 10,000 to validate, 10,000 to test on",
            "recipe": "5 epochs of mini-batches of 50, Nesterov momentum 0.9, learning rate 0.01",
            "runs": runs,
        },
    )


def main() -> None:
    """Record both networks, or the one that is named."""
    recorders = {"notebook": record_notebook, "lasagne": record_lasagne}
    parser = argparse.ArgumentParser(prog="python -m benchmarks.record_mnist", description=__doc__)
    parser.add_argument("network", nargs="*", help=f"{' or '.join(recorders)}; both if not given")
    parser.add_argument("--quiet", action="store_true", help="show no progress bars")
    arguments = parser.parse_args()
    unknown = set(arguments.network) - set(recorders)
    if unknown:
        parser.error(f"unknown network {', '.join(unknown)}; choose from {', '.join(recorders)}")
    for name in arguments.network or recorders:
        recorders[name](progress=not arguments.quiet)


if __name__ == "__main__":
    main()
