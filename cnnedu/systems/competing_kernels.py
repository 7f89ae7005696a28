"""``competing-kernels``: nine 8 x 8 kernels, of which the best answer at each place goes on.

K. Lewis, "Using a convolutional neural net to identify images" (2023). 45,676 parameters. Trained
on the first 20,000 images of MNIST, it reports a mean squared error of 0.0986 after 13 passes, and
92.57 % of the test images.

What the origin does otherwise than the mathematics would have it:

- Slopes of the wrong number. The derivative of tanh is ``1 - tanh(x)**2``, of softmax (its
  diagonal) ``s * (1 - s)`` with ``s = softmax(x)``. The origin puts in what the activation put
  *out*: tanh and softmax are applied a second time.
- Only the diagonal of softmax's derivative: each probability as if it depended on its own score
  alone.
- The kernels' gradient goes back through dense weights that have just been changed.
- The test leaves out the tanh after the kernels.
- An image counts as right if its ten probabilities, rounded, are the one-hot label: a probability
  below one half counts as wrong even if it is the largest.
- Training and test images are each prepared by their own mean and variance.

The factor 2 of the squared error's derivative is left out too, which only halves the learning rate.
Lesson 7.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnedu.architectures import ARCHITECTURES, CLASSES
from cnnedu.data.dataset import Dataset
from cnnedu.data.preparation import divide_by_variance
from cnnedu.execution import one_matrix_thread
from cnnedu.layers import Standardize
from cnnedu.layers.base import Layer
from cnnedu.losses import softmax_cross_entropy
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD, Adam, CosineDecay
from cnnedu.shapes import check_rng
from cnnedu.storage import load_training
from cnnedu.systems.base import System
from cnnedu.training import Evaluation, History, Training, check_data

KERNELS, SIZE, PLACES, HIDDEN = 9, 8, 21, 100
N_TRAIN = 20_000
MEAN, SCALE = 0.13157939538056931, 24.397430111561178
"""The mean of MNIST's first 20,000 images, and 255 times their variance, pixels in [0, 1]."""
ENOUGH = 0.1
"""As written, the training stops after the first pass whose mean squared error is below this."""

ORIGIN = "K. Lewis, Using a convolutional neural net to identify images, 2023"
DIFFERENCES = (
    "As written, one image at a time in the order of the file, until the mean squared error of a "
    "pass is at most 0.1, for at most 50 passes. Its gradient is not that of its loss: tanh and "
    "softmax are applied twice in their derivatives, of softmax's derivative only the diagonal is "
    "taken, and the kernels' gradient goes back through weights that have just been changed. The "
    "test leaves out the tanh after the kernels, prepares the test images by their own mean and "
    "variance, and counts an image as right if its rounded probabilities are the one-hot label."
)


def first_20000(data: Dataset) -> Dataset:
    """Keep the first 20,000 of the training images."""
    return replace(data, train=data.train[:N_TRAIN])


def _layers(rng: np.random.Generator) -> list[Layer]:
    return [Standardize(MEAN, SCALE), *ARCHITECTURES["competing-kernels"](rng)]


# ---------------------------------------------------------------------------------------------
# As written: one step
# ---------------------------------------------------------------------------------------------


class Weights(NamedTuple):
    """The weights of a network as its origin arranges them: views of the network's own arrays."""

    kernels: np.ndarray
    """Shape (9, 64)."""
    dense_1: np.ndarray
    """Shape (100, 441)."""
    dense_2: np.ndarray
    """Shape (10, 100)."""


def weights_of(network: Sequential) -> Weights:
    """Show a network's weights; what changes them changes the network."""
    params = network.params
    kernels = params["conv1.weight"].reshape(KERNELS, SIZE * SIZE)
    return Weights(kernels, params["dense1.weight"], params["dense2.weight"])


def all_patches(images: np.ndarray) -> np.ndarray:
    """Show the patches of images (N, 1, 28, 28) as a view of shape (N, 8, 8, 21, 21)."""
    windows = sliding_window_view(images[:, 0], (SIZE, SIZE), axis=(1, 2))
    return windows.transpose(0, 3, 4, 1, 2)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return ``exp(scores) / sum(exp(scores))`` of each row, without protection from overflow."""
    powers = np.exp(scores)
    return powers / powers.sum(axis=-1, keepdims=True)


def step_as_written(
    weights: Weights, patches: np.ndarray, target: np.ndarray, learning_rate: float
) -> tuple[float, np.ndarray]:
    """Take one step, in place, and return the squared error and the probabilities before it.

    Parameters
    ----------
    weights : Weights
    patches : ndarray, shape (64, 441)
        The image's patches as columns.
    target : ndarray, shape (10,)
        The one-hot label.
    learning_rate : float
    """
    kernels, dense_1, dense_2 = weights
    answers = kernels @ patches
    winners = answers.argmax(axis=0)
    layer_0 = np.tanh(answers[winners, np.arange(len(winners))])
    layer_1 = np.tanh(dense_1 @ layer_0)
    layer_2 = softmax(dense_2 @ layer_1)

    delta = layer_2 - target
    again = softmax(layer_2)
    grad_scores = delta * again * (1 - again)
    slope_1 = 1 - np.tanh(layer_1) ** 2
    grad_hidden = (grad_scores @ dense_2) * slope_1
    dense_2 -= np.outer(learning_rate * grad_scores, layer_1)
    dense_1 -= np.outer(learning_rate * grad_hidden, layer_0)

    # Once more through the weights, which are now the new ones.
    grad_hidden = (grad_scores @ dense_2) * slope_1
    grad_places = (grad_hidden @ dense_1) * (1 - np.tanh(layer_0) ** 2)
    grad_answers = (winners == np.arange(KERNELS)[:, None]) * grad_places
    kernels -= learning_rate * (grad_answers @ patches.T)
    return float(delta @ delta), layer_2


# ---------------------------------------------------------------------------------------------
# As written: the training and the test
# ---------------------------------------------------------------------------------------------


class Score(NamedTuple):
    """How a network does on a test set, counted in the origin's way and in the usual one."""

    error: float
    """The mean over the images of the summed squared error."""
    right_rounded: float
    """The share of images whose rounded probabilities are the one-hot label."""
    right: float
    """The share of images whose largest probability is the label's."""


def probabilities(network: Sequential, images: np.ndarray, *, tanh: bool = False) -> np.ndarray:
    """Return the probabilities (N, 10), without the tanh after the kernels or with it.

    Parameters
    ----------
    network : Sequential
    images : ndarray, shape (N, 1, 28, 28)
        float64, prepared by ``divide_by_variance``.
    tanh : bool
    """
    kernels, dense_1, dense_2 = weights_of(network)
    found = []
    for start in range(0, len(images), 200):
        patches = all_patches(images[start : start + 200])
        layer_0 = (kernels @ patches.reshape(len(patches), SIZE * SIZE, -1)).max(axis=1)
        layer_0 = np.tanh(layer_0) if tanh else layer_0
        found.append(softmax(np.tanh(layer_0 @ dense_1.T) @ dense_2.T))
    return np.concatenate(found)


def score_as_written(network: Sequential, part: Any, *, tanh: bool = False) -> Score:
    """Test as the origin does; or, with ``tanh``, the network that was trained.

    Parameters
    ----------
    network : Sequential
    part : (images, labels) or a part of a data set
        Pixels in [0, 1]; they are prepared by their own mean and variance.
    tanh : bool
    """
    images, labels = part
    y = probabilities(network, divide_by_variance(images.astype(np.float64)), tanh=tanh)
    targets = np.eye(CLASSES)[labels]
    return Score(
        error=float(((y - targets) ** 2).sum(axis=1).mean()),
        right_rounded=float((y.round() == targets).all(axis=1).mean()),
        right=float((y.argmax(axis=1) == labels).mean()),
    )


@dataclass(frozen=True)
class AsWritten(System):
    """The origin's own training, in float64, and its own test.

    ``history.loss`` holds the mean squared error of each pass, ``history.accuracy`` the share of
    images right, by the largest probability, while training.
    """

    def network(self, *, rng: np.random.Generator) -> Sequential:
        """Return the untrained network in float64, for pixels in [0, 1]."""
        network = super().network(rng=check_rng(rng))
        for layer in network:
            layer.params = {name: array.astype(float) for name, array in layer.params.items()}
        return network

    def train(
        self,
        data,
        *,
        rng,
        network=None,
        epochs=None,
        learning_rate=None,
        batch_size=None,
        workers=1,
        callbacks=(),
        progress=True,
        resume=None,
    ) -> tuple[Sequential, History]:
        """Train pass by pass, at most ``epochs`` (50); for the rest as ``System.train``.

        Raises
        ------
        ValueError
            If ``batch_size`` is not 1. (``workers`` has no use here: one image at a time leaves
            nothing to share.)
        """
        chosen = self.choose(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size)
        if chosen.batch_size != 1:
            raise ValueError(
                f"as written, competing-kernels takes one image at a time: batch_size must be 1, "
                f"got {chosen.batch_size}"
            )
        network = self.network(rng=rng) if network is None else network
        images, labels = check_data(network, data.train, softmax_cross_entropy)
        prepared = divide_by_variance(images.astype(np.float64)), labels
        optimizer = chosen.optimizer(chosen.learning_rate)
        training = Training(network, optimizer, rng, chosen.epochs, len(images))
        if resume is not None:
            training.restore(*load_training(resume))
            training.stop = converged(training.history) and not training.batch
        callbacks = list(callbacks)
        for callback in callbacks:
            callback.on_start(training)
        with one_matrix_thread(), _progress_bar(training, progress) as bar:
            while training.epoch < training.epochs and not training.stop:
                _one_pass(training, prepared, callbacks, bar)
                training.stop = training.stop or converged(training.history)
        return network, training.history

    def evaluate(self, network: Sequential, part: Any, *, workers: int = 1) -> Evaluation:
        """Return the mean squared error and the share of right answers as the origin counts them.

        See ``score_as_written`` for the usual count, and for the network with its tanh.
        """
        score = score_as_written(network, part)
        return Evaluation(score.error, score.right_rounded)


def converged(history: History) -> bool:
    """Tell whether the last pass was good enough for the stopping rule."""
    return bool(history.loss) and history.loss[-1] <= ENOUGH


def _one_pass(training: Training, data, callbacks, bar) -> None:
    """Go through the images in their order, from where the training stands."""
    weights, rate, began = weights_of(training.network), training.optimizer.rate(), time.time()
    (images, labels), targets, done = data, np.eye(CLASSES), training.batch
    for patches, label in zip(all_patches(images)[done:], labels[done:], strict=True):
        columns = patches.reshape(SIZE * SIZE, -1)
        with np.errstate(over="ignore", invalid="ignore"):
            error, y = step_as_written(weights, columns, targets[label], rate)
        if not math.isfinite(error):
            raise FloatingPointError(
                f"the error became {error} in pass {training.epoch + 1}, image "
                f"{training.batch + 1}: the learning rate {rate:g} is probably too high"
            )
        training.batch += 1
        training.score.add(error, y[None], label[None])
        training.history.batch_loss.append(error)
        bar.update()
        for callback in callbacks:
            callback.on_batch_end(training)
    result = training.score.result()
    training.history.loss.append(result.loss)
    training.history.accuracy.append(result.accuracy)
    training.history.learning_rate.append(rate)
    training.history.seconds.append(time.time() - began)
    training.score, training.batch = type(training.score)(), 0
    training.epoch += 1
    bar.set_postfix_str(f"pass {training.epoch}: mean squared error {result.loss:.4f}")
    for callback in callbacks:
        callback.on_epoch_end(training)


def _progress_bar(training: Training, show: bool):
    from tqdm.auto import tqdm  # imported late: importing the package stays as quick as NumPy

    total = training.epochs * training.batches_per_epoch
    return tqdm(total=total, initial=training.step, unit="image", disable=not show)


CORRECTED = System(
    name="competing-kernels",
    as_written=False,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=13,
    batch_size=10,
    learning_rate=0.01,
    layers=_layers,
    optimizer=lambda rate: Adam(CosineDecay(rate), weight_decay=0.03),
    split=first_20000,
)
AS_WRITTEN = AsWritten(
    name="competing-kernels",
    as_written=True,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=50,
    batch_size=1,
    learning_rate=0.01,
    layers=_layers,
    optimizer=SGD,
    split=first_20000,
)
