"""Flatten: the feature maps of an image become one long row of numbers."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_float, to_back, to_front


class Flatten(Layer):
    """Turn (N, C, H, W) into (N, C * H * W): channel by channel, row by row.

    Notes
    -----
    No parameters; the numbers do not change. Lesson 3.
    """

    kind = "flatten"

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the rows (N, C * H * W) and the cache."""
        check_float(x, "x")
        if x.ndim < 2:
            raise ValueError(f"x must have shape (images, ...), got {x.shape}: use x[None] for one")
        # Copied, so that whoever changes the result does not change x; images stay last in memory.
        y = to_back(x).copy().reshape(-1, len(x)).T
        return y, (x.shape, x.dtype)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` in the shape of the input, and no parameter gradients."""
        shape, dtype = cache
        grad_y = check_grad(grad_y, (shape[0], prod(shape[1:])), dtype)
        return to_front(grad_y.T.copy().reshape(*shape[1:], shape[0])), {}

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C * H * W,) for (C, H, W)."""
        return (prod(input_shape),)
