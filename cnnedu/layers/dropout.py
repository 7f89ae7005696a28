"""Dropout: in training, each number is set to zero with some probability."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_float, check_rng, to_front


class Dropout(Layer):
    """Set each number to zero with probability ``rate`` in training; do nothing otherwise.

    What is kept is divided by ``1 - rate``, so that the expected value stays the same and nothing
    needs to change when the network is used ("inverted" dropout).

    Parameters
    ----------
    rate : float
        The probability of zero, in [0, 1).
    rng : numpy.random.Generator
        Seeds the layer's own generator, ``layer.rng``, which is part of its state and saved with
        it.

    Attributes
    ----------
    drawn : ndarray of uint16, or None
        Random numbers to use instead of drawing: ``cnnedu.execution`` draws for a whole batch
        before it cuts the batch into pieces.

    Notes
    -----
    Hinton et al. (2012), Srivastava et al. (2014). Lessons 4 and 6.
    """

    kind = "dropout"

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"rate must lie in [0, 1): the share that is dropped, got {rate!r}")
        self.rate = float(rate)
        self.rng = np.random.default_rng(check_rng(rng).integers(2**63))
        self.drawn: np.ndarray | None = None

    def draw(self, shape: tuple[int, ...]) -> np.ndarray:
        """Draw one random number of 16 bits for each number of an input of shape (N, ...).

        Raw bits are several times cheaper than random floats, and 65,536 steps fine enough to
        compare with a rate.
        """
        n, *features = shape
        bits = np.frombuffer(self.rng.bytes(2 * prod(shape)), np.uint16)
        return to_front(bits.reshape(*features, n))  # images last, as x lies in memory

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return ``x`` with or without the dropped numbers, and the cache."""
        check_float(x, "x")
        if not training or self.rate == 0:
            return x.copy(order="K"), (x.shape, x.dtype, None)
        random = self.draw(x.shape) if self.drawn is None else self.drawn
        scale = (random >= round(self.rate * 2**16)) * x.dtype.type(1 / (1 - self.rate))
        return x * scale, (x.shape, x.dtype, scale)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_y`` where numbers were kept, zero where they were dropped."""
        shape, dtype, scale = cache
        grad_y = check_grad(grad_y, shape, dtype)
        return (grad_y.copy(order="K") if scale is None else grad_y * scale), {}

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"rate": self.rate}
