"""What is trained, and what is kept of each training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from cnnedu import SGD, Adam, Momentum, evaluate, save
from cnnedu.architectures import ARCHITECTURES, build
from cnnedu.data import Dataset, Warp, load_digits, load_mnist
from cnnedu.network import Sequential
from cnnedu.optimizers import CosineDecay
from cnnedu.pretrained import save_checkpoints
from cnnedu.systems import System, system
from cnnedu.systems.base import as_given, keep_a_sixth
from cnnedu.systems.competing_kernels import converged, score_as_written
from cnnedu.training import Callback, History, Training, WeightRecorder

STEPS = (1, 10, 100, 300, 1000, 3000)
"""After how many mini-batches the weights are kept, beside the start and the end."""
WORST = 100
"""How many of the wrongly read images are kept."""


@dataclass(frozen=True)
class Task:
    """One training to be done: which group of a part, and the seed."""

    part: str
    group: str
    seed: int

    @property
    def title(self) -> str:
        """A short name."""
        return f"{self.part}, {self.group}, seed {self.seed}"

    @property
    def file_name(self) -> str:
        """Where its result is kept until all are there."""
        return f"{self.title.replace(', ', '__').replace(' ', '-')}.json"


@dataclass(frozen=True)
class Setting:
    """How the tasks are to be done."""

    folder: Path
    """For results and networks."""
    quick: bool
    """Small everything, on the embedded digits: to try the program."""
    about: dict
    """Goes into the files of networks."""


@cache
def dataset(quick: bool) -> Dataset:
    """Return MNIST as its files divide it, read once in a process; or the embedded digits."""
    if not quick:
        return load_mnist(progress=False)
    digits = load_digits()
    return replace(digits, train=digits.train[:240], test=digits.test[:120])


def shortened(chosen: System, quick: bool) -> System:
    """Return the system, or one that is trained for a moment only."""
    return replace(chosen, epochs=1 if chosen.epochs < 20 else 2) if quick else chosen


# ---------------------------------------------------------------------------------------------
# What is kept
# ---------------------------------------------------------------------------------------------


def rounded(array) -> list:
    """Return an array as lists of numbers with four decimals."""
    return np.round(np.asarray(array, float), 4).tolist()


def correlations(start: np.ndarray, end: np.ndarray) -> list[float]:
    """Return the correlation of each filter at the end with the same filter at the start."""
    pairs = zip(start.reshape(len(start), -1), end.reshape(len(end), -1), strict=True)
    return [round(float(np.corrcoef(a, b)[0, 1]), 3) for a, b in pairs]


def mistakes(network: Sequential, test) -> dict:
    """Return the confusion matrix, and the wrongly read images, the surest mistakes first.

    Each mistake is (position in the test set, label, prediction, its probability).
    """
    probabilities = network.predict_proba(test.images)
    predictions = probabilities.argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (test.labels, predictions), 1)
    wrong = np.flatnonzero(predictions != test.labels)
    wrong = wrong[np.argsort(-probabilities[wrong].max(axis=1))][:WORST]
    return {
        "confusion": confusion.tolist(),
        "worst": [
            [
                int(n),
                int(test.labels[n]),
                int(predictions[n]),
                round(float(probabilities[n].max()), 4),
            ]
            for n in wrong
        ],
    }


def curves(history: History) -> dict:
    """Return what a history holds for each epoch."""
    names = ("loss", "accuracy", "validation_loss", "validation_accuracy")
    return {name: rounded(getattr(history, name)) for name in names}


class AtSteps(WeightRecorder):
    """Keep the weights after some steps only, and at the end."""

    def on_batch_end(self, training: Training) -> None:
        """Keep a copy when it is time."""
        last = training.epochs * training.batches_per_epoch
        if training.step in STEPS or training.step == last:
            self._keep(training)


class StreamLog(Callback):
    """Loss (bits), accuracy and time of every 1,000 examples while training, one image at a time.

    Attributes
    ----------
    lines : list of (examples, loss, accuracy, milliseconds)
    """

    def __init__(self, every: int = 1000) -> None:
        self.every, self.lines = every, []

    def on_start(self, training: Training) -> None:
        """Start the clock."""
        self.began, self.right = time.perf_counter(), 0

    def on_batch_end(self, training: Training) -> None:
        """Write a line when it is time."""
        if training.batch == 1:
            self.right = 0
        if training.batch % self.every:
            return
        now, right = time.perf_counter(), training.score.right
        bits = np.mean(training.history.batch_loss[-self.every :]) / np.log(2)
        share, milliseconds = (right - self.right) / self.every, 1000 * (now - self.began)
        self.lines.append([training.step, round(bits, 4), round(share, 4), round(milliseconds)])
        self.began, self.right = now, right


# ---------------------------------------------------------------------------------------------
# The trainings
# ---------------------------------------------------------------------------------------------


def trained(
    chosen: System, data: Dataset, seed: int, callbacks: list[Callback]
) -> tuple[Sequential, History, dict]:
    """Train a system; return what is kept of any training beside network and history."""
    rng = np.random.default_rng(seed)
    network = chosen.network(rng=rng)
    start = network["conv1"].params["weight"].copy()
    began = time.perf_counter()
    network, history = chosen.train(
        data, rng=rng, network=network, callbacks=callbacks, progress=False
    )
    seconds = time.perf_counter() - began
    end = network["conv1"].params["weight"]
    return (
        network,
        history,
        {
            "seed": seed,
            "seconds": round(seconds, 1),
            "filter_start_correlation": correlations(start, end),
            "filters_at_start": rounded(start),
            "filters": rounded(end),
        },
    )


def digits_accuracy(network: Sequential, part: str = "all") -> float:
    """Return the share of the embedded digits that a network reads: other people's hands."""
    digits = load_digits()
    parts = [digits.train] + ([digits.test] if part == "all" else [])
    right = sum(evaluate(network, part).accuracy * len(part) for part in parts)
    return right / sum(len(part) for part in parts)


def run(chosen: System, setting: Setting, seed: int, data: Dataset, ship: bool = False) -> dict:
    """Train and test a system in the usual way."""
    recorder = AtSteps()
    network, history, kept = trained(chosen, data, seed, [recorder] if ship else [])
    result = evaluate(network, data.test)
    kept |= curves(history)
    kept |= {"test_loss": result.loss, "test_accuracy": result.accuracy}
    kept |= {"digits_accuracy": digits_accuracy(network)}
    kept |= mistakes(network, data.test)
    if ship:
        _keep_files(chosen, setting, network, seed, recorder, data.test)
    return kept


def _keep_files(chosen, setting: Setting, network, seed, recorder: AtSteps, test) -> None:
    """Write the trained network, and what it was like along the training."""
    about = setting.about | {"system": chosen.name, "seed": seed, "epochs": chosen.epochs}
    about["test_accuracy"] = evaluate(network, test).accuracy
    about["digits_train_accuracy"] = digits_accuracy(network, "train")
    stem = f"{chosen.name}-seed-{seed}"
    save(network, setting.folder / f"{stem}.npz", about=about)
    accuracy, final = [], {name: array.copy() for name, array in network.params.items()}
    for snapshot in recorder.snapshots:
        for name, array in network.params.items():
            array[...] = snapshot[name].astype(np.float16)  # as it will be read
        accuracy.append(evaluate(network, test).accuracy)
    for name, array in network.params.items():
        array[...] = final[name]
    save_checkpoints(
        setting.folder / f"{stem}-checkpoints.npz",
        name=chosen.name,
        steps=recorder.steps,
        snapshots=recorder.snapshots,
        accuracy=accuracy,
        about=about,
    )


def usual(name: str, *, as_written: bool = False, ship: bool = False, **changes) -> Callable:
    """Return the training of a system on its own data."""

    def train(setting: Setting, seed: int) -> dict:
        chosen = shortened(replace(system(name, as_written), **changes), setting.quick)
        return run(chosen, setting, seed, chosen.data(dataset(setting.quick)), ship)

    return train


def ingredients() -> dict[str, dict]:
    """Return what the best training of ``lasagne`` adds to the plain one, step by step."""
    best = system("lasagne")
    warp = vars(best.augment)
    return {
        "plain": {
            "layers": ARCHITECTURES["lasagne"],
            "optimizer": lambda rate: Momentum(rate, nesterov=True),
            "learning_rate": 0.01,
            "batch_size": 50,
            "augment": None,
            "augment_until": 1.0,
            "enlarge": as_given,
        },
        "and a learning rate that rises and falls": {
            "optimizer": best.optimizer,
            "learning_rate": best.learning_rate,
            "batch_size": best.batch_size,
        },
        "and warped images": {"augment": Warp(**warp | {"stroke": (0, 0)})},
        "and less dropout": {"layers": best.layers},
        "and sharp images at the end": {"augment_until": best.augment_until},
        "and other pens": {"augment": best.augment},
        "and other hands": {"enlarge": best.enlarge},
    }


def with_ingredients(last: str) -> Callable:
    """Return a short training of ``lasagne`` with all ingredients up to the last."""

    def train(setting: Setting, seed: int) -> dict:
        changes: dict = {}
        for name, step in ingredients().items():
            changes |= step
            if name == last:
                break
        chosen = replace(system("lasagne"), epochs=12, split=keep_a_sixth, **changes)
        chosen = shortened(chosen, setting.quick)
        data = chosen.data(dataset(setting.quick))
        network, history, kept = trained(chosen, data, seed, [])
        found = {"digits_accuracy": digits_accuracy(network), **curves(history)}
        return {"seed": seed, "seconds": kept["seconds"], **found}

    return train


def cnn_rs_as_written(setting: Setting, seed: int) -> dict:
    """Train ``cnn-rs`` as its origin does; keep its log, for one seed."""
    chosen = shortened(system("cnn-rs", as_written=True), setting.quick)
    data, log = chosen.data(dataset(setting.quick)), StreamLog(100 if setting.quick else 1000)
    network, history, kept = trained(chosen, data, seed, [log])
    result = evaluate(network, data.test)
    kept |= curves(history)
    kept |= {"test_loss": result.loss, "test_accuracy": result.accuracy}
    return kept | {"log": log.lines if seed == 0 else []}


def notebook_as_written(setting: Setting, seed: int) -> dict:
    """Train ``notebook`` for its 25 steps."""
    chosen = shortened(system("notebook", as_written=True), setting.quick)
    data = one_heap(setting.quick)
    network, history, kept = trained(chosen, data, seed, [])
    return {
        "seed": seed,
        "five_image_tests": history.validation_accuracy,
        "test_accuracy": evaluate(network, data.test).accuracy,
        "filter_start_correlation": kept["filter_start_correlation"],
    }


def notebook_properly(setting: Setting, seed: int) -> dict:
    """Train ``notebook`` properly, on the data that its origin has."""
    chosen = shortened(system("notebook"), setting.quick)
    return run(chosen, setting, seed, one_heap(setting.quick))


@cache
def one_heap(quick: bool) -> Dataset:
    """Return the data as ``notebook`` divides them."""
    return system("notebook", as_written=True).data(dataset(quick))


def share_of_ties(setting: Setting, seed: int) -> dict:
    """Return the share of pooling windows with a tie in the maps of a fresh ``notebook``."""
    network = build("notebook", rng=np.random.default_rng(seed))
    maps = network.activations(one_heap(setting.quick).train.images[:1000])["conv1"]
    n, c, h, w = maps.shape
    windows = maps.reshape(n, c, h // 2, 2, w // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    windows = windows.reshape(n, c, h // 2, w // 2, 4)
    winners = (windows == windows.max(axis=-1, keepdims=True)).sum(axis=-1)
    return {"share": round(float(np.mean(winners > 1)), 3)}


def _kernels(kept: dict) -> dict:
    """Name the filters as the competing kernels' records do: nine of 8 x 8."""
    return {
        "seed": kept["seed"],
        "seconds": kept["seconds"],
        "kernels_at_start": np.reshape(kept["filters_at_start"], (9, 8, 8)).tolist(),
        "kernels": np.reshape(kept["filters"], (9, 8, 8)).tolist(),
    }


def competing_as_written(setting: Setting, seed: int) -> dict:
    """Train ``competing-kernels`` as its origin does, to its own stopping rule."""
    chosen = shortened(system("competing-kernels", as_written=True), setting.quick)
    data = chosen.data(dataset(setting.quick))
    network, history, kept = trained(chosen, data, seed, [])
    tests = {
        "test": score_as_written(network, data.test),
        "test_with_tanh": score_as_written(network, data.test, tanh=True),
    }
    passed = converged(history) and len(history.loss) < chosen.epochs  # as the origin says it
    return {
        **_kernels(kept),
        "errors": rounded(history.loss),
        "converged_at_iteration": len(history.loss) - 1 if passed else None,
        **{name: score._asdict() for name, score in tests.items()},
    }


def competing(**changes) -> Callable:
    """Return the training of the corrected ``competing-kernels``, perhaps with other settings."""

    def train(setting: Setting, seed: int) -> dict:
        kept = usual("competing-kernels", ship=not changes, **changes)(setting, seed)
        names = ("loss", "accuracy", "test_loss", "test_accuracy", "confusion", "worst")
        return _kernels(kept) | {name: kept[name] for name in names}

    return train


CANDIDATES = {
    "SGD(0.1)": lambda: SGD(CosineDecay(0.1)),
    "SGD(0.3)": lambda: SGD(CosineDecay(0.3)),
    "Adam(0.002)": lambda: Adam(CosineDecay(0.002)),
    "Adam(0.01)": lambda: Adam(CosineDecay(0.01)),
    "Adam(0.01, weight_decay=0.03)": lambda: Adam(CosineDecay(0.01), weight_decay=0.03),
    "Adam(0.01, weight_decay=0.1)": lambda: Adam(CosineDecay(0.01), weight_decay=0.1),
}
"""Optimizers to choose from for ``competing-kernels``; each learning rate falls along a cosine."""


def competing_choice(setting: Setting, seed: int) -> dict:
    """Try optimizers on the last fifth of the 20,000 images, trained on the others."""
    chosen = shortened(system("competing-kernels"), setting.quick)
    data = chosen.data(dataset(setting.quick))
    train, validation = data.train.split(len(data.train) // 5)
    found = {}
    for name, make in CANDIDATES.items():
        candidate = replace(chosen, optimizer=lambda rate, make=make: make())
        network, _ = candidate.train(
            replace(data, train=train), rng=np.random.default_rng(seed), progress=False
        )
        found[name] = round(evaluate(network, validation).accuracy, 4)
    return {"validation": found}


@dataclass(frozen=True)
class Group:
    """Some trainings that differ in their seed only."""

    part: str
    name: str
    train: Callable[[Setting, int], dict]
    seeds: int
    seconds: float
    """About how long one takes, to know what is still to come."""


GROUPS = [
    Group("lasagne", "best", usual("lasagne", ship=True), 3, 380),
    Group("lasagne", "as written", usual("lasagne", as_written=True), 10, 35),
    *(Group("lasagne", name, with_ingredients(name), 2, 80) for name in ingredients()),
    Group("cnn-rs", "as written", cnn_rs_as_written, 3, 110),
    Group("cnn-rs", "5 epochs", usual("cnn-rs", epochs=5), 3, 25),
    Group("cnn-rs", "10 epochs", usual("cnn-rs", ship=True), 3, 50),
    Group("competing-kernels", "as written", competing_as_written, 3, 90),
    Group(
        "competing-kernels",
        "corrected",
        competing(batch_size=1, optimizer=lambda rate: SGD(rate)),
        3,
        80,
    ),
    Group("competing-kernels", "well trained", competing(), 3, 15),
    Group("competing-kernels", "choice", competing_choice, 1, 80),
    Group("notebook", "properly", notebook_properly, 3, 60),
    Group("notebook", "to ship", usual("notebook", ship=True), 1, 60),
    Group("notebook", "as written", notebook_as_written, 10, 2),
    Group("notebook", "ties", share_of_ties, 1, 2),
]
PARTS = tuple(dict.fromkeys(group.part for group in GROUPS))


def group_of(task: Task) -> Group:
    """Return the group that a task belongs to."""
    return next(g for g in GROUPS if (g.part, g.name) == (task.part, task.group))


def tasks_of(parts, quick: bool) -> list[Task]:
    """Return the tasks of some parts, the longest first, so that both processes end together."""
    chosen = sorted((g for g in GROUPS if g.part in parts), key=lambda g: -g.seconds)
    return [Task(g.part, g.name, seed) for g in chosen for seed in range(1 if quick else g.seeds)]
