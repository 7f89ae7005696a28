"""Fine-tuning: go on training a network on a few images of one's own, and judge it honestly.

A network that has learned from many people's digits can learn a little from one more person's. How
much that helps cannot be seen on the images that it has just been tuned on, which it now knows by
heart: ``leave_one_out`` judges each image by a network that has not seen it; ``leaking`` does what
looks so much better. Lesson 8.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from cnnedu.layers import Dropout
from cnnedu.losses import softmax_cross_entropy
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD
from cnnedu.shapes import check_rng, positive
from cnnedu.training import Augment, check_data, fit

STEPS = 10
LEARNING_RATE = 0.01
"""Ten small steps: enough to know ten images, too few to forget the others."""


@dataclass(frozen=True, eq=False)
class Judgment:
    """What was predicted for each of some images, beside what is right.

    Attributes
    ----------
    predictions : ndarray of int64, shape (N,)
    probabilities : ndarray, shape (N, classes)
        The probability of each class.
    labels : ndarray of int64, shape (N,)
    """

    predictions: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def right(self) -> int:
        """How many predictions are the labels."""
        return int(np.count_nonzero(self.predictions == self.labels))

    @property
    def accuracy(self) -> float:
        """The share of predictions that are the labels."""
        return self.right / len(self.labels)

    def __repr__(self) -> str:
        return f"Judgment({self.right} of {len(self.labels)} right)"


def judge(network: Sequential, images: np.ndarray, labels: np.ndarray) -> Judgment:
    """Predict images with a network as it is.

    Parameters
    ----------
    network : Sequential
    images : ndarray, shape (N, C, H, W)
    labels : ndarray of int, shape (N,)

    Returns
    -------
    Judgment
    """
    images, labels = check_data(network, (images, labels), softmax_cross_entropy)
    return _judgment(network.predict_proba(images), labels)


def fine_tune(
    network: Sequential,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    augment: Augment | None = None,
) -> Sequential:
    """Train a copy of a network further on a few images.

    Parameters
    ----------
    network : Sequential
        Left as it is.
    images : ndarray, shape (N, C, H, W)
        A handful, prepared like those that the network was trained on.
    labels : ndarray of int, shape (N,)
    rng : numpy.random.Generator
        For ``augment``, and the order in which the images are added up.
    steps : int
        Steps of plain gradient descent, each on all the images.
    learning_rate : float
    augment : callable, optional
        Random changes of the images at each step, as ``fit`` takes them.

    Returns
    -------
    Sequential
        The tuned copy, with the dropout of the original.

    Raises
    ------
    TypeError, ValueError
        If the images or labels are not fit for the network.
    FloatingPointError
        If the learning rate is so high that the loss is no longer a number.

    Notes
    -----
    A handful of images seldom shows every class, and a class that is missing would be unlearned:
    each step says "not that one" to it. So the loss compares only the classes that are there,
    ``softmax_cross_entropy(logits[:, present], labels)``. Dropout is off meanwhile: it keeps a
    training of thousands of steps from learning its images by heart, but ten steps with it only
    wander about. Lesson 8.
    """
    images, labels = check_data(network, (images, labels), softmax_cross_entropy)
    positive(steps, "steps")
    check_rng(rng)
    tuned = copy.deepcopy(network)
    rates = _switch_dropout_off(tuned)
    fit(
        tuned,
        (images, labels),
        epochs=steps,
        batch_size=len(images),
        optimizer=SGD(learning_rate),
        rng=rng,
        loss=_PresentClasses(labels),
        augment=augment,
        progress=False,
    )
    for layer, rate in rates:
        layer.rate = rate
    return tuned


def leave_one_out(
    network: Sequential,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator,
    steps: int = STEPS,
    learning_rate: float = LEARNING_RATE,
    augment: Augment | None = None,
    folds: int | None = None,
) -> Judgment:
    """Predict each image with a network that was fine-tuned on the others.

    Parameters
    ----------
    network : Sequential
        Left as it is.
    images : ndarray, shape (N, C, H, W)
        At least two.
    labels : ndarray of int, shape (N,)
    rng, steps, learning_rate, augment
        As for ``fine_tune``.
    folds : int, optional
        Leave out not one image at a time but one of so many groups of about equal size, drawn at
        random: cheaper if there are many images.

    Returns
    -------
    Judgment
        The honest one: no network has seen the images it is asked about.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two images, or they are not fit for the network.

    Notes
    -----
    M. Stone, "Cross-validatory choice and assessment of statistical predictions", Journal of the
    Royal Statistical Society B 36 (1974). Lesson 8.
    """
    images, labels = check_data(network, (images, labels), softmax_cross_entropy)
    count = len(images)
    if count < 2:
        raise ValueError("leave_one_out needs at least 2 images, one to learn from, got 1")
    folds = count if folds is None else min(count, positive(folds, "folds"))
    if folds < 2:
        raise ValueError(f"folds must be at least 2, one to learn from, got {folds}")
    order = np.arange(count) if folds == count else check_rng(rng).permutation(count)
    rows: list[np.ndarray | None] = [None] * count
    for group in np.array_split(order, folds):
        others = np.setdiff1d(np.arange(count), group)
        tuned = fine_tune(
            network,
            images[others],
            labels[others],
            rng=rng,
            steps=steps,
            learning_rate=learning_rate,
            augment=augment,
        )
        for index, row in zip(group, tuned.predict_proba(images[group]), strict=True):
            rows[index] = row
    return _judgment(np.stack(rows), labels)


def leaking(
    network: Sequential,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    times: int = 3,
    learning_rate: float = LEARNING_RATE,
) -> Judgment:
    """Train on each image a few times and predict that same image straight afterward.

    **Not a way to judge anything**: every image is asked about right after its answer has been
    told. It is here to be shown beside ``leave_one_out``.

    Parameters
    ----------
    network : Sequential
        Left as it is.
    images : ndarray, shape (N, C, H, W)
        One after the other; the network keeps what it learned from those before.
    labels : ndarray of int, shape (N,)
    times : int
        Steps of gradient descent on each image alone.
    learning_rate : float

    Returns
    -------
    Judgment
        Usually close to perfect, whatever the images are.

    Notes
    -----
    M. Cvet's program ``cnn-rs`` (2023) does this with its option ``--cheat``, three times for each
    image. The more general name is leakage: what is judged has been learned from (Kaufman et al.,
    2012). Lesson 8.
    """
    images, labels = check_data(network, (images, labels), softmax_cross_entropy)
    tuned, rows = copy.deepcopy(network), []
    _switch_dropout_off(tuned)
    for n in range(len(images)):
        one = images[n : n + 1], labels[n : n + 1]
        fit(
            tuned,
            one,
            epochs=times,
            batch_size=1,
            optimizer=SGD(learning_rate),
            rng=np.random.default_rng(0),  # there is nothing to shuffle
            progress=False,
        )
        rows.append(tuned.predict_proba(one[0])[0])
    return _judgment(np.stack(rows), labels)


class _PresentClasses:
    """Softmax cross-entropy among the classes that some labels contain."""

    def __init__(self, labels: np.ndarray) -> None:
        self.present = np.unique(labels)

    def __call__(self, logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
        if len(self.present) < 2:  # among one class there is nothing to learn
            return softmax_cross_entropy(logits, labels)
        places = np.searchsorted(self.present, labels)
        loss, grad = softmax_cross_entropy(logits[:, self.present], places)
        grad_logits = np.zeros_like(logits)
        grad_logits[:, self.present] = grad
        return loss, grad_logits


def _switch_dropout_off(network: Sequential) -> list[tuple[Dropout, float]]:
    """Set the rate of all dropout to zero; return the layers with the rates they had."""
    dropouts = [(layer, layer.rate) for layer in network if isinstance(layer, Dropout)]
    for layer, _ in dropouts:
        layer.rate = 0.0
    return dropouts


def _judgment(probabilities: np.ndarray, labels: np.ndarray) -> Judgment:
    return Judgment(probabilities.argmax(axis=1), probabilities, labels)
