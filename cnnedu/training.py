"""Training: show a network its images in mini-batches, many times, and take a step after each.

``fit`` is the loop; a ``Training`` is everything that changes while it runs; callbacks look at it
after each batch and each epoch; ``evaluate`` says how good a network is.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from cnnedu.data.batches import iterate_batches
from cnnedu.execution import Workers
from cnnedu.losses import softmax_cross_entropy
from cnnedu.network import Sequential
from cnnedu.optimizers import Optimizer
from cnnedu.shapes import check_finite, check_labels, check_rng, positive
from cnnedu.storage import generator_from_state, load_training, save

Loss = Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]]
Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


# ---------------------------------------------------------------------------------------------
# How good is it?
# ---------------------------------------------------------------------------------------------


class Evaluation(NamedTuple):
    """How well a network does on some data: mean loss per image, and the share of right answers."""

    loss: float
    accuracy: float

    def __repr__(self) -> str:
        return f"Evaluation(loss={self.loss:.4f}, accuracy={self.accuracy:.2%})"


def evaluate(
    network: Sequential, data: Any, *, loss: Loss = softmax_cross_entropy, workers: int = 1
) -> Evaluation:
    """Measure a network's loss and accuracy, with dropout off.

    Parameters
    ----------
    network : Sequential
    data : (images, labels) or a part of a data set
        Images (N, C, H, W) float in the network's range; labels (N,) whole numbers.
    loss : callable
        ``(outputs, labels) -> (loss, grad_outputs)``.
    workers : int
        How many threads compute.

    Returns
    -------
    Evaluation
        ``loss`` and ``accuracy`` (a share between 0 and 1).

    Raises
    ------
    TypeError, ValueError
        If the data are not fit for the network.
    """
    data = check_data(network, data, loss)
    with Workers(network, workers) as team:
        return _evaluate(team, data, loss)


def _evaluate(team: Workers, data, loss: Loss) -> Evaluation:
    score = _Score()
    for images, targets in iterate_batches(data, 1000):
        outputs = team.outputs(images)
        score.add(loss(outputs, targets)[0], outputs, targets)
    return score.result()


@dataclass
class _Score:
    """Loss and right answers, added up over batches."""

    loss: float = 0.0
    right: int = 0
    count: int = 0

    def add(self, loss: float, outputs: np.ndarray, targets: np.ndarray) -> None:
        self.count += len(outputs)
        self.loss += loss * len(outputs)
        if targets.ndim == 1:
            self.right += int(np.count_nonzero(outputs.argmax(axis=1) == targets))
        else:  # targets that are not class numbers: there is no right and wrong to count
            self.right = np.nan

    def result(self) -> Evaluation:
        return Evaluation(self.loss / self.count, self.right / self.count)


def check_data(network: Sequential, data: Any, loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Check data where they enter, before any work is done; return images and targets.

    Targets are class numbers (N,), or, for other losses than softmax_cross_entropy, float arrays in
    the shape of the network's output.
    """
    if not isinstance(network, Sequential):
        raise TypeError(f"network must be a Sequential, got {type(network).__name__}")
    if not callable(loss):
        raise TypeError(f"loss must be a function, like softmax_cross_entropy, got {loss!r}")
    try:
        images, targets = data
    except (TypeError, ValueError):
        raise TypeError(
            "data must be a pair (images, labels) or a part of a data set, such as data.train, "
            f"got {type(data).__name__}"
        ) from None
    images = network.check_images(images)
    targets = np.asarray(targets)
    output_shape = network.output_shape(images.shape[1:])
    if loss is softmax_cross_entropy:
        network.check_ends_in_logits()
        if len(output_shape) != 1:
            raise ValueError(
                f"softmax_cross_entropy needs outputs of shape (N, classes), but this network puts "
                f"out {(len(images), *output_shape)}: end it with Flatten() and Dense(...)"
            )
    elif targets.dtype.kind == "f":
        if targets.shape != (len(images), *output_shape):
            raise ValueError(
                f"targets must have shape {(len(images), *output_shape)}, got {targets.shape}"
            )
        return images, check_finite(targets, "targets").astype(network.dtype, copy=False)
    return images, check_labels(targets, len(images), output_shape[0])


# ---------------------------------------------------------------------------------------------
# The loop
# ---------------------------------------------------------------------------------------------


@dataclass
class History:
    """What happened during a training: one number per epoch, and the loss of every batch.

    Attributes
    ----------
    loss, accuracy : list of float
        Means over the epoch's batches *while training*: dropout on, weights still moving.
    validation_loss, validation_accuracy : list of float
        On the validation data after each epoch, dropout off; empty without validation data.
    learning_rate, seconds : list of float
        At the end of each epoch; how long it took.
    batch_loss : list of float
        The loss of every single batch.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)

    def __repr__(self) -> str:
        if not self.loss:
            return "History(no epochs)"
        parts = [f"loss={self.loss[-1]:.4f}", f"accuracy={self.accuracy[-1]:.2%}"]
        if self.validation_loss:
            parts.append(f"validation_loss={self.validation_loss[-1]:.4f}")
            parts.append(f"validation_accuracy={self.validation_accuracy[-1]:.2%}")
        return f"History({len(self.loss)} epochs, last: {', '.join(parts)})"


@dataclass
class Training:
    """Everything that changes while ``fit`` runs; what callbacks are given.

    Attributes
    ----------
    network, optimizer, rng, history
        As given to ``fit``, and what it will return.
    epochs : int
        How many there will be.
    batches_per_epoch : int
    augment_until : float
        As given to ``fit``.
    epoch : int
        Epochs finished.
    batch : int
        Batches finished in the current epoch.
    gradients : dict of str to ndarray
        Of the last step, by the parameters' full names.
    stop : bool
        Set it, and ``fit`` returns after the current epoch.
    """

    network: Sequential
    optimizer: Optimizer
    rng: np.random.Generator
    epochs: int
    batches_per_epoch: int
    augment_until: float = 1.0
    history: History = field(default_factory=History)
    epoch: int = 0
    batch: int = 0
    gradients: dict[str, np.ndarray] = field(default_factory=dict)
    stop: bool = False
    score: _Score = field(default_factory=_Score)
    rng_at_epoch_start: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.params = self.network.params  # the arrays themselves; steps change them in place

    @property
    def step(self) -> int:
        """Batches finished since the training began."""
        return self.epoch * self.batches_per_epoch + self.batch

    @property
    def progress(self) -> float:
        """The share of the training that is done, 0 to 1."""
        return self.step / (self.epochs * self.batches_per_epoch)

    def state(self) -> dict:
        """Return all that is needed, beside the network, to go on to the same bits."""
        return {
            "epochs": self.epochs,
            "batches_per_epoch": self.batches_per_epoch,
            "epoch": self.epoch,
            "batch": self.batch,
            "score": asdict(self.score),
            # As an array: a list of a million numbers would be written as text.
            "history": {**asdict(self.history), "batch_loss": np.array(self.history.batch_loss)},
            "optimizer": {"kind": type(self.optimizer).__name__, **self.optimizer.state()},
            "rng": self.rng.bit_generator.state,
            "rng_at_epoch_start": self.rng_at_epoch_start,
        }

    def restore(self, saved: Sequential, state: dict) -> None:
        """Go on from a state: put the saved numbers into the network, optimizer and generator.

        Raises
        ------
        ValueError
            If the file comes from another network, optimizer, or number of batches.
        """
        mine, theirs = self.network.params, saved.params
        fits = [type(layer) for layer in self.network] == [type(layer) for layer in saved]
        if not fits or [a.shape for a in mine.values()] != [a.shape for a in theirs.values()]:
            raise ValueError("the saved training belongs to another network than the one given")
        for name, wanted, came in (
            ("optimizer", type(self.optimizer).__name__, state["optimizer"]["kind"]),
            ("number of batches per epoch", self.batches_per_epoch, state["batches_per_epoch"]),
            (
                "random generator",
                type(self.rng.bit_generator).__name__,
                state["rng"]["bit_generator"],
            ),
        ):
            if wanted != came:
                raise ValueError(
                    f"the saved training has another {name}, {came}, than the one given, {wanted}"
                )
        for name, array in mine.items():
            array[...] = theirs[name]
        for layer, other in zip(self.network, saved, strict=True):
            if hasattr(layer, "rng"):
                layer.rng = other.rng
        self.optimizer.restore(state["optimizer"])
        self.rng.bit_generator.state = state["rng"]
        batch_loss = np.asarray(state["history"]["batch_loss"], np.float64).tolist()
        self.history = History(**{**state["history"], "batch_loss": batch_loss})
        self.epoch, self.batch = state["epoch"], state["batch"]
        self.score = _Score(**state["score"])
        self.rng_at_epoch_start = state["rng_at_epoch_start"]


def fit(
    network: Sequential,
    data: Any,
    *,
    epochs: int,
    batch_size: int,
    optimizer: Optimizer,
    rng: np.random.Generator,
    loss: Loss = softmax_cross_entropy,
    augment: Augment | None = None,
    augment_until: float = 1.0,
    validation: Any = None,
    callbacks: Iterable[Callback] = (),
    progress: bool = True,
    drop_last: bool = False,
    workers: int = 1,
    resume: str | os.PathLike | None = None,
) -> History:
    """Train a network, in place.

    Each epoch goes through all the data once, newly shuffled, in mini-batches. For each batch:
    forward, loss, backward, one step of the optimizer.

    Parameters
    ----------
    network : Sequential
    data : (images, labels) or a part of a data set
        Images (N, C, H, W) float; labels (N,) whole numbers.
    epochs : int
        How often to go through the data.
    batch_size : int
        How many images each step is computed from. The last batch of an epoch may be smaller.
    optimizer : Optimizer
        For example ``Momentum(0.01, nesterov=True)``.
    rng : numpy.random.Generator
        Shuffles the data, and seeds what ``augment`` draws.
    loss : callable
        ``(outputs, labels) -> (loss, grad_outputs)``, a mean over the images and its gradient: it
        is called on pieces of a batch, whose means are then put together.
    augment : callable, optional
        ``(images, rng) -> images``: changes the images of each training batch a little, keeping
        shape and dtype, for example ``cnnedu.data.Warp()``. Its generator depends on the epoch and
        the batch alone, so that a resumed training draws the same.
    augment_until : float
        The share of the training after which images are shown as they are. What is turned or bent
        becomes a little blurred, and a network should end with images as sharp as those it will be
        asked about (as Touvron et al., 2019, found for their sizes). Lesson 6.
    validation : (images, labels) or a part of a data set, optional
        Measured after each epoch; never trained on.
    callbacks : iterable of Callback
    progress : bool
        Whether to show a progress bar.
    drop_last : bool
        Whether to leave out a last batch that is not full.
    workers : int
        How many threads compute, each a share of every batch. The same seed and number of workers
        give the same weights, bit for bit; other numbers of workers agree within rounding.
    resume : path, optional
        A file that the callback ``Checkpoint`` wrote during the same training: go on from there, to
        the same numbers, bit for bit, as if it had not been interrupted.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If something is not as expected; found before any work is done.
    FloatingPointError
        If the loss is no longer a number, because the learning rate is too high.

    Notes
    -----
    Ctrl-C leaves the network with the weights of the last finished step. Lesson 4.
    """
    epochs, batch_size = positive(epochs, "epochs"), positive(batch_size, "batch_size")
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer must be one, like Momentum(0.01), got {optimizer!r}")
    check_rng(rng)
    positive(workers, "workers")
    if augment is not None and not callable(augment):
        raise TypeError(
            f"augment must be a function of images and rng, like Warp(), got {augment!r}"
        )
    if not 0 <= augment_until <= 1:
        raise ValueError(f"augment_until must be a share from 0 to 1, got {augment_until!r}")
    callbacks = _check_callbacks(callbacks)
    images, targets = check_data(network, data, loss)
    if validation is not None:
        validation = check_data(network, validation, loss)
    per_epoch = len(images) // batch_size if drop_last else -(-len(images) // batch_size)
    if not per_epoch:
        raise ValueError(
            f"there is no full batch: batch_size is {batch_size}, but there are only "
            f"{len(images)} images and drop_last leaves the rest out"
        )

    training = Training(network, optimizer, rng, epochs, per_epoch, augment_until)
    if resume is not None:
        try:
            training.restore(*load_training(resume))
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"the training in {resume} is damaged ({error!r}) and cannot be gone on with"
            ) from error
    for callback in callbacks:
        callback.on_start(training)
    with Workers(network, workers) as team, _progress_bar(training, progress) as bar:
        while training.epoch < epochs and not training.stop:
            start = time.perf_counter()
            if training.batch == 0:
                training.rng_at_epoch_start = rng.bit_generator.state
            for batch in _batches(training, (images, targets), batch_size, drop_last, augment):
                _train_step(training, team, batch, loss)
                bar.update()
                for callback in callbacks:
                    callback.on_batch_end(training)
            _finish_epoch(training, team, validation, loss, time.perf_counter() - start)
            bar.set_postfix_str(_last_numbers(training.history))
            for callback in callbacks:
                callback.on_epoch_end(training)
    return training.history


def _check_callbacks(callbacks: Any) -> list[Callback]:
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks must be a list of them, [...], got {callbacks!r}")
    callbacks = list(callbacks)
    for callback in callbacks:
        if not isinstance(callback, Callback):
            remedy = "; write it with brackets" if isinstance(callback, type) else ""
            raise TypeError(f"each callback must be a Callback, got {callback!r}{remedy}")
    return callbacks


def _batches(training: Training, data, batch_size: int, drop_last: bool, augment: Augment | None):
    """Return the epoch's batches; after a resume, the rest of them."""
    shuffler = training.rng
    if training.batch:  # the epoch's order was drawn before the interruption: draw it again
        shuffler = generator_from_state(training.rng_at_epoch_start)
    batches = iterate_batches(data, batch_size, rng=shuffler, drop_last=drop_last)
    batches = islice(batches, training.batch, None)
    if augment is None:
        return batches
    return _augmented(training, batches, augment, int(shuffler.integers(2**63)))


def _augmented(training: Training, batches, augment: Augment, seed: int):
    """Yield the batches with their images changed, each by a generator of its own."""
    for images, targets in batches:
        if training.progress >= training.augment_until:
            yield images, targets
            continue
        changed = augment(images, np.random.default_rng([seed, training.batch]))
        if not isinstance(changed, np.ndarray) or changed.shape != images.shape:
            came = getattr(changed, "shape", type(changed).__name__)
            raise ValueError(f"augment must return images of shape {images.shape}, got {came}")
        if changed.dtype != images.dtype:
            raise TypeError(f"augment must return images of {images.dtype}, got {changed.dtype}")
        yield check_finite(changed, "what augment returns"), targets


def _train_step(training: Training, team: Workers, batch, loss: Loss) -> None:
    """Compute the gradients of one batch and take one step."""
    images, targets = batch
    value, outputs, gradients = team.gradients(images, targets, loss)
    if not math.isfinite(value):
        raise FloatingPointError(
            f"the loss became {value} in epoch {training.epoch + 1}, batch "
            f"{training.batch + 1}: the learning rate "
            f"{training.optimizer.rate(training.progress):g} is probably too high"
        )
    triples = [(name, training.params[name], gradient) for name, gradient in gradients.items()]
    training.optimizer.step(triples, training.progress)
    training.gradients = gradients
    training.batch += 1
    training.score.add(value, outputs, targets)
    training.history.batch_loss.append(value)


def _finish_epoch(training: Training, team: Workers, validation, loss, seconds) -> None:
    history, result = training.history, training.score.result()
    history.loss.append(result.loss)
    history.accuracy.append(result.accuracy)
    history.learning_rate.append(training.optimizer.rate(training.progress))
    history.seconds.append(seconds)
    if validation is not None:
        measured = _evaluate(team, validation, loss)
        history.validation_loss.append(measured.loss)
        history.validation_accuracy.append(measured.accuracy)
    training.score, training.batch = _Score(), 0
    training.epoch += 1


class _NoProgressBar(nullcontext):
    """What ``fit`` talks to if no progress is to be shown."""

    def __enter__(self) -> _NoProgressBar:
        return self

    def update(self) -> None:
        pass

    def set_postfix_str(self, text: str) -> None:
        pass


def _progress_bar(training: Training, show: bool):
    if not show:
        return _NoProgressBar()
    from tqdm.auto import tqdm  # imported late: importing the package stays as quick as NumPy

    total = training.epochs * training.batches_per_epoch
    return tqdm(total=total, initial=training.step, unit="batch")


def _last_numbers(history: History) -> str:
    text = f"epoch {len(history.loss)}: loss {history.loss[-1]:.4f}"
    if history.validation_accuracy:
        text += f", validation accuracy {history.validation_accuracy[-1]:.2%}"
    return text


# ---------------------------------------------------------------------------------------------
# Callbacks
# ---------------------------------------------------------------------------------------------


class Callback:
    """Something to do during a training. Override what you need."""

    def on_start(self, training: Training) -> None:
        """Do something before the first batch."""

    def on_batch_end(self, training: Training) -> None:
        """Do something after each step."""

    def on_epoch_end(self, training: Training) -> None:
        """Do something after each epoch, when its numbers are in the history."""


class EarlyStopping(Callback):
    """Stop when a number has not improved for some epochs, and bring back the best weights.

    Parameters
    ----------
    patience : int
        How many epochs without improvement to wait.
    monitor : str
        A list of the history: "validation_loss", "validation_accuracy", "loss", ... A loss should
        fall, an accuracy rise.
    """

    def __init__(self, patience: int = 3, *, monitor: str = "validation_loss") -> None:
        self.patience = positive(patience, "patience")
        self.monitor = monitor

    def on_start(self, training: Training) -> None:
        """Forget any earlier training."""
        if not hasattr(training.history, self.monitor):
            known = ", ".join(asdict(training.history))
            raise ValueError(f"monitor must be one of {known}, got {self.monitor!r}")
        self.best, self.best_epoch, self.weights = -np.inf, 0, {}

    def on_epoch_end(self, training: Training) -> None:
        """Compare with the best so far."""
        values = getattr(training.history, self.monitor)
        if not values:
            raise ValueError(f"there is no {self.monitor} to watch: give fit validation data")
        value = values[-1] if "accuracy" in self.monitor else -values[-1]
        if value > self.best:
            self.best, self.best_epoch = value, training.epoch
            self.weights = {name: array.copy() for name, array in training.network.params.items()}
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop = True
        if training.stop or training.epoch == training.epochs:
            for name, array in training.network.params.items():
                array[...] = self.weights.get(name, array)


class Checkpoint(Callback):
    """Save network and training, so that ``fit(..., resume=path)`` can go on after an interruption.

    Parameters
    ----------
    path : path
        One file, replaced each time, atomically.
    every : int, optional
        Save after every so many batches; after each epoch if not given.
    """

    def __init__(self, path: str | os.PathLike, *, every: int | None = None) -> None:
        self.path = path
        self.every = None if every is None else positive(every, "every")

    def on_start(self, training: Training) -> None:
        """Save once, so that a path that cannot be written is found before any work is done."""
        save(training.network, self.path, training=training.state())

    def on_batch_end(self, training: Training) -> None:
        """Save after every so many batches."""
        inside = training.batch < training.batches_per_epoch  # the epoch's end is saved below
        if self.every and training.step % self.every == 0 and inside:
            save(training.network, self.path, training=training.state())

    def on_epoch_end(self, training: Training) -> None:
        """Save after each epoch."""
        save(training.network, self.path, training=training.state())


class WeightRecorder(Callback):
    """Keep copies of the weights along a training, to look at afterward.

    Parameters
    ----------
    every : int
        Keep a copy after every so many batches; the start is always kept.

    Attributes
    ----------
    steps : list of int
        After how many batches each copy was made; 0 is the start.
    snapshots : list of dict of str to ndarray
        The parameters by full name, "conv1.weight" and so on.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = positive(every, "every")
        self.steps: list[int] = []
        self.snapshots: list[dict[str, np.ndarray]] = []

    def on_start(self, training: Training) -> None:
        """Begin anew, and keep the start."""
        self.steps, self.snapshots = [], []
        self._keep(training)

    def on_batch_end(self, training: Training) -> None:
        """Keep a copy when it is time."""
        if training.step % self.every == 0:
            self._keep(training)

    def _keep(self, training: Training) -> None:
        self.steps.append(training.step)
        self.snapshots.append(
            {name: array.copy() for name, array in training.network.params.items()}
        )
