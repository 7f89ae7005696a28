"""Activations: a curve applied to every number; and softmax: scores become probabilities.

Each derivative is written with the layer's own output where that is shorter: tanh' = 1 - y**2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_float


def softmax(logits: np.ndarray, axis: int = 1) -> np.ndarray:
    """Turn scores into probabilities: ``exp(logits) / sum(exp(logits))``.

    The largest score is subtracted first. It changes nothing in the result (the factor cancels) but
    keeps exp from overflowing.

    Parameters
    ----------
    logits : ndarray, shape (N, classes)
        Scores, float32 or float64.
    axis : int
        The axis of the classes.

    Returns
    -------
    ndarray
        Same shape and dtype; sums to 1 along ``axis``.

    Notes
    -----
    Lesson 3.
    """
    check_float(logits, "logits")
    y = np.exp(logits - logits.max(axis=axis, keepdims=True))
    y /= y.sum(axis=axis, keepdims=True)
    return y


class _Activation(Layer):
    """A curve whose derivative can be written with its output ``y`` alone."""

    def curve(self, x: np.ndarray) -> np.ndarray:
        """Return the curve's value at every number."""
        raise NotImplementedError

    def slope(self, y: np.ndarray) -> np.ndarray:
        """Return the curve's derivative, told from its value."""
        raise NotImplementedError

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the curve at every number of ``x``, and the cache."""
        y = self.curve(check_float(x, "x"))
        return y, y

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x = grad_y * slope`` and no parameter gradients."""
        y = cache
        return check_grad(grad_y, y.shape, y.dtype) * self.slope(y), {}


class ReLU(_Activation):
    """``y = max(x, 0)``: what is negative becomes zero. The gradient at zero itself is taken as 0.

    Nair and Hinton (2010). Lesson 3.
    """

    kind = "relu"

    def curve(self, x):
        """Return ``max(x, 0)``."""
        return np.maximum(x, 0)

    def slope(self, y):
        """Return True (1) where ``y`` is positive."""
        return y > 0


class Tanh(_Activation):
    """``y = tanh(x)``, between -1 and 1. Lesson 3."""

    kind = "tanh"

    def curve(self, x):
        """Return ``tanh(x)``."""
        return np.tanh(x)

    def slope(self, y):
        """Return ``1 - y**2``."""
        return 1 - y * y


class Sigmoid(_Activation):
    """``y = 1 / (1 + exp(-x))``, between 0 and 1. Lesson 3."""

    kind = "sigmoid"

    def curve(self, x):
        """Return ``1 / (1 + exp(-x))``, written with tanh, which cannot overflow."""
        half = x.dtype.type(0.5)
        return half * (1 + np.tanh(half * x))

    def slope(self, y):
        """Return ``y * (1 - y)``."""
        return y * (1 - y)


class Softmax(Layer):
    """Scores into probabilities, along the channels or classes (axis 1).

    Networks here end in logits and leave softmax to the loss, where both together are simpler and
    safer (lesson 4). This layer is for looking at softmax itself, with its full derivative.

    Notes
    -----
    ``grad_x = y * (grad_y - sum(grad_y * y))``. Input and output (N, classes). Lesson 3.
    """

    kind = "softmax"

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the probabilities and the cache."""
        check_float(x, "x")
        if x.ndim < 2:
            raise ValueError(f"x must have shape (images, classes), got {x.shape}: use x[None]")
        y = softmax(x)
        return y, y

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` and no parameter gradients."""
        y = cache
        grad_y = check_grad(grad_y, y.shape, y.dtype)
        return y * (grad_y - np.sum(grad_y * y, axis=1, keepdims=True)), {}
