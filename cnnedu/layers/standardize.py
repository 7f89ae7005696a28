"""Standardize: other numbers for the pixels, the same way for every image."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_float


class Standardize(Layer):
    """Subtract ``mean`` and divide by ``scale``: ``y = (x - mean) / scale``.

    Placed first in a network, it makes preparing the images the network's own business: whoever
    uses the network gives it pixels in [0, 1], one image or many, and nobody can forget the step or
    take other numbers for it than in training.

    Parameters
    ----------
    mean : float
        Usually the mean of all pixels of the images that are trained on.
    scale : float
        Not zero; usually the standard deviation of those pixels.

    Raises
    ------
    ValueError
        If a number is not finite, or ``scale`` is zero.

    Notes
    -----
    Input and output of any shape, no parameters: training changes neither number. Lesson 7.

    Examples
    --------
    >>> Standardize(0.5, 0.25).forward(np.array([[0.0, 0.5, 1.0]]))
    array([[-2.,  0.,  2.]])
    """

    kind = "standardize"

    def __init__(self, mean: float, scale: float) -> None:
        super().__init__()
        self.mean = _finite(mean, "mean")
        self.scale = _finite(scale, "scale")
        if self.scale == 0:
            raise ValueError("scale must not be zero: pixels that are all alike have no spread")

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return ``(x - mean) / scale`` in the dtype of ``x``, and the cache."""
        check_float(x, "x")
        y = x - x.dtype.type(self.mean)
        y /= x.dtype.type(self.scale)
        return y, (x.shape, x.dtype)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_y / scale``, and no parameter gradients."""
        shape, dtype = cache
        return check_grad(grad_y, shape, dtype) / dtype.type(self.scale), {}

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"mean": self.mean, "scale": self.scale}


def _finite(value: Any, name: str) -> float:
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    return float(value)
