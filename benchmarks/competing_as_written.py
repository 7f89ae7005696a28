"""The network of competing kernels as its origin trains it, mistakes and all, for comparison.

The layers are those of ``cnnedu.architectures.build("competing-kernels")``: nine 8 x 8 kernels, the
largest answer at each place, tanh, 441 -> 100, tanh, 100 -> 10, softmax. It is trained image by
image. What the origin does otherwise than the mathematics would have it:

- Slopes of the wrong number. The derivative of tanh is ``1 - tanh(x)**2``, of softmax (its
  diagonal) ``s * (1 - s)`` with ``s = softmax(x)``. The origin puts in what the activation put
  *out*: tanh and softmax are applied a second time.
- Only the diagonal of softmax's derivative: each probability as if it depended on its own score
  alone.
- The kernels' gradient goes back through dense weights that have just been changed.
- The test leaves out the tanh after the kernels.
- An image counts as right if its ten probabilities, rounded, are the one-hot label: a probability
  below one half counts as wrong even if it is the largest.

The factor 2 of the squared error's derivative is left out too, which only halves the learning rate.
Computed in float64, as there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

KERNELS, SIZE, PLACES, HIDDEN, CLASSES = 9, 8, 21, 100, 10
LEARNING_RATE = 0.01
MAX_PASSES = 50
ENOUGH = 0.1
"""The training stops after the first pass whose mean squared error is below this."""


def all_patches(images: np.ndarray) -> np.ndarray:
    """Show the patches of images (N, 1, 28, 28) as a view of shape (N, 8, 8, 21, 21)."""
    windows = sliding_window_view(images[:, 0], (SIZE, SIZE), axis=(1, 2))
    return windows.transpose(0, 3, 4, 1, 2)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Return ``exp(scores) / sum(exp(scores))`` of each row, without protection from overflow."""
    powers = np.exp(scores)
    return powers / powers.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Score:
    """How the network does on a test set; each share lies between 0 and 1."""

    error: float
    """The mean over the images of the summed squared error."""
    right_rounded: float
    """The share of images whose rounded probabilities are the one-hot label."""
    right: float
    """The share of images whose largest probability is the label's."""


class AsWritten:
    """The network's weights, and how its origin changes and uses them.

    Parameters
    ----------
    rng : numpy.random.Generator
        Every weight starts uniform in [-1, 1).

    Attributes
    ----------
    kernels : ndarray, shape (9, 64)
    weights_01 : ndarray, shape (441, 100)
    weights_12 : ndarray, shape (100, 10)
    """

    def __init__(self, *, rng: np.random.Generator) -> None:
        self.kernels = rng.uniform(-1, 1, (KERNELS, SIZE * SIZE))
        self.weights_01 = rng.uniform(-1, 1, (PLACES * PLACES, HIDDEN))
        self.weights_12 = rng.uniform(-1, 1, (HIDDEN, CLASSES))
        self._step_01 = np.empty_like(self.weights_01)

    def train_image(self, patches: np.ndarray, target: np.ndarray) -> float:
        """Take one step, and return the squared error before it.

        Parameters
        ----------
        patches : ndarray, shape (64, 441)
            The image's patches as columns.
        target : ndarray, shape (10,)
            The one-hot label.
        """
        answers = self.kernels @ patches
        winners = answers.argmax(axis=0)
        layer_0 = np.tanh(answers[winners, np.arange(len(winners))])
        layer_1 = np.tanh(layer_0 @ self.weights_01)
        layer_2 = softmax(layer_1 @ self.weights_12)

        delta = layer_2 - target
        again = softmax(layer_2)
        grad_scores = delta * again * (1 - again)
        slope_1 = 1 - np.tanh(layer_1) ** 2
        grad_hidden = (self.weights_12 @ grad_scores) * slope_1
        self.weights_12 -= np.outer(layer_1, LEARNING_RATE * grad_scores)
        np.multiply(layer_0[:, None], LEARNING_RATE * grad_hidden, out=self._step_01)
        self.weights_01 -= self._step_01

        # Once more through the weights, which are now the new ones.
        grad_hidden = (self.weights_12 @ grad_scores) * slope_1
        grad_places = (self.weights_01 @ grad_hidden) * (1 - np.tanh(layer_0) ** 2)
        grad_answers = (winners == np.arange(KERNELS)[:, None]) * grad_places
        self.kernels -= LEARNING_RATE * (grad_answers @ patches.T)
        return float(delta @ delta)

    def train_pass(self, images: np.ndarray, labels: np.ndarray) -> float:
        """Go once through all images in their order; return the mean squared error.

        Parameters
        ----------
        images : ndarray, shape (N, 1, 28, 28)
            float64, prepared by ``competing_kernels_data``.
        labels : ndarray, shape (N,)
        """
        targets, error = np.eye(CLASSES)[labels], 0.0
        for patches, target in zip(all_patches(images), targets, strict=True):
            error += self.train_image(patches.reshape(SIZE * SIZE, -1), target)
        return error / len(images)

    def train(self, images: np.ndarray, labels: np.ndarray, log=None) -> tuple[list[float], bool]:
        """Train until the error is small enough, at most 50 passes.

        ``log``, if given, is called with the number of each pass, from 0, and its error.

        Returns
        -------
        errors : list of float
            The mean squared error of each pass.
        converged : bool
            As the origin says it: a training that gets there in its very last pass has "failed".
        """
        errors: list[float] = []
        while len(errors) < MAX_PASSES and not (errors and errors[-1] <= ENOUGH):
            errors.append(self.train_pass(images, labels))
            if log is not None:
                log(len(errors) - 1, errors[-1])
        return errors, len(errors) < MAX_PASSES

    def probabilities(self, images: np.ndarray, *, tanh: bool) -> np.ndarray:
        """Return the probabilities (N, 10), with the tanh after the kernels or without it."""
        found = []
        for start in range(0, len(images), 200):
            patches = all_patches(images[start : start + 200])
            n = len(patches)
            answers = self.kernels @ patches.reshape(n, SIZE * SIZE, -1)
            layer_0 = answers.max(axis=1)
            layer_0 = np.tanh(layer_0) if tanh else layer_0
            found.append(softmax(np.tanh(layer_0 @ self.weights_01) @ self.weights_12))
        return np.concatenate(found)

    def score(self, images: np.ndarray, labels: np.ndarray, *, tanh: bool = False) -> Score:
        """Test as the origin does; or, with ``tanh``, the network that was trained."""
        y, targets = self.probabilities(images, tanh=tanh), np.eye(CLASSES)[labels]
        return Score(
            error=float(((y - targets) ** 2).sum(axis=1).mean()),
            right_rounded=float((y.round() == targets).all(axis=1).mean()),
            right=float((y.argmax(axis=1) == labels).mean()),
        )
