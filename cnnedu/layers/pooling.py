"""Pooling: each small window of a feature map is replaced by its largest value, or by its mean.

Read from top to bottom: loops, fast, backward, layer; first for the maximum, then for the mean.
Windows may overlap (stride below the window) or leave gaps; rows and columns that no longer fill a
window at the bottom and right are left out. Shapes: ``x`` (N, C, H, W), ``y`` (N, C, P, Q).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.layers.geometry import Geometry
from cnnedu.shapes import check_images, pair

TIES = ("first", "all")


def _geometry(x: np.ndarray, kernel_size, stride) -> Geometry:
    """Work out where the windows lie; without a stride they touch and do not overlap."""
    check_images(x)
    return Geometry.of(x.shape[2:], kernel_size, kernel_size if stride is None else stride)


def _offsets(geometry: Geometry):
    """Yield, for each entry (i, j) of the window in reading order, the pixels it meets everywhere.

    A window of 2 x 2 gives four slices of the whole batch. Pooling compares these few slices
    instead of visiting every window, and with the images last in memory each slice moves in long
    runs.
    """
    kh, kw = geometry.kernel_size
    for i in range(kh):
        for j in range(kw):
            yield (slice(None), slice(None), *geometry.every_place(i, j))


def _check_ties(ties: str) -> str:
    if ties not in TIES:
        raise ValueError(f'ties must be "first" or "all", got {ties!r}')
    return ties


class PoolCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    x: np.ndarray
    y: np.ndarray
    geometry: Geometry


# ---------------------------------------------------------------------------------------------
# The maximum
# ---------------------------------------------------------------------------------------------


def max_pool2d_loops(x, kernel_size, stride=None) -> np.ndarray:
    """Pool by plain loops: ``y[n, c, p, q]`` is the largest value in its window.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        float32 or float64.
    kernel_size : int or (rows, columns)
        The window.
    stride : int or (rows, columns), optional
        Steps between windows; the window's own size if not given.

    Returns
    -------
    ndarray, shape (N, C, P, Q)

    Notes
    -----
    Lesson 3.
    """
    return _pool_loops(x, kernel_size, stride, np.max)


def _pool_loops(x, kernel_size, stride, reduce) -> np.ndarray:
    geometry = _geometry(x, kernel_size, stride)
    rows, columns = geometry.output_size
    y = np.zeros((*x.shape[:2], rows, columns), x.dtype)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(rows):
                for q in range(columns):
                    down, across = geometry.place(p, q)
                    y[n, c, p, q] = reduce(x[n, c, down, across])
    return y


def max_pool2d_backward_loops(grad_y, x, kernel_size, stride=None, ties="first") -> np.ndarray:
    """Differentiate max pooling by plain loops: the winner of each window gets its gradient.

    Parameters
    ----------
    grad_y : ndarray, shape (N, C, P, Q)
    x, kernel_size, stride
        As given to ``max_pool2d_loops``.
    ties : {"first", "all"}
        See ``max_pool2d_backward``.

    Returns
    -------
    ndarray, shape (N, C, H, W)
    """
    _check_ties(ties)
    geometry = _geometry(x, kernel_size, stride)
    rows, columns = geometry.output_size
    grad_y = check_grad(grad_y, (*x.shape[:2], rows, columns), x.dtype)
    grad_x = np.zeros_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(rows):
                for q in range(columns):
                    down, across = geometry.place(p, q)
                    window = x[n, c, down, across]
                    winners = window == window.max()
                    if ties == "first":
                        first = np.argmax(window)  # in reading order
                        winners = np.arange(window.size).reshape(window.shape) == first
                    grad_x[n, c, down, across] += winners * grad_y[n, c, p, q]
    return grad_x


def max_pool2d_forward(x, kernel_size, stride=None):
    """Pool by a running maximum over the window's entries, for all windows at once.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        float32 or float64, in any memory order.
    kernel_size : int or (rows, columns)
        The window.
    stride : int or (rows, columns), optional
        Steps between windows; the window's own size if not given.

    Returns
    -------
    y : ndarray, shape (N, C, P, Q)
        In the dtype of ``x``.
    cache : PoolCache
        For ``max_pool2d_backward``.

    Notes
    -----
    Lesson 3.
    """
    geometry = _geometry(x, kernel_size, stride)
    first, *others = _offsets(geometry)
    y = x[first].copy(order="K")
    for offset in others:
        np.maximum(y, x[offset], out=y)
    return y, PoolCache(x, y, geometry)


def max_pool2d_backward(grad_y, cache, ties="first") -> np.ndarray:
    """Send each window's gradient back to its largest value.

    Parameters
    ----------
    grad_y : ndarray, shape (N, C, P, Q)
        The gradient of the loss with respect to the output.
    cache : PoolCache
        From ``max_pool2d_forward``.
    ties : {"first", "all"}
        Who gets the gradient where several values are equally large: the first in reading order
        (a correct choice: one of the maximum's subgradients), or every one of them in full (common
        in home-made code, and too much: the window's gradient is then paid out several times; on
        digits most windows are flat background, so it matters).

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Notes
    -----
    Lesson 3 counts the ties.
    """
    _check_ties(ties)
    x, y, geometry = cache
    remaining = check_grad(grad_y, y.shape, x.dtype)
    if ties == "first":
        remaining = remaining.copy(order="K")
    grad_x = np.zeros_like(x)
    for offset in _offsets(geometry):
        share = np.equal(x[offset], y) * remaining
        grad_x[offset] += share
        if ties == "first":
            remaining -= share  # what has found its winner is not given out again
    return grad_x


# ---------------------------------------------------------------------------------------------
# The mean
# ---------------------------------------------------------------------------------------------


def avg_pool2d_loops(x, kernel_size, stride=None) -> np.ndarray:
    """Pool by plain loops: ``y[n, c, p, q]`` is the mean of its window.

    Parameters and result as in ``max_pool2d_loops``.
    """
    return _pool_loops(x, kernel_size, stride, np.mean)


def avg_pool2d_backward_loops(grad_y, x, kernel_size, stride=None) -> np.ndarray:
    """Differentiate mean pooling by plain loops: every pixel of a window gets an equal share.

    Parameters and result as in ``max_pool2d_backward_loops``.
    """
    geometry = _geometry(x, kernel_size, stride)
    rows, columns = geometry.output_size
    grad_y = check_grad(grad_y, (*x.shape[:2], rows, columns), x.dtype)
    area = geometry.kernel_size[0] * geometry.kernel_size[1]
    grad_x = np.zeros_like(x)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for p in range(rows):
                for q in range(columns):
                    down, across = geometry.place(p, q)
                    grad_x[n, c, down, across] += grad_y[n, c, p, q] / area
    return grad_x


def avg_pool2d_forward(x, kernel_size, stride=None):
    """Pool by adding up the window's entries, for all windows at once, and dividing.

    Parameters and results as in ``max_pool2d_forward``.
    """
    geometry = _geometry(x, kernel_size, stride)
    first, *others = _offsets(geometry)
    y = x[first].copy(order="K")
    for offset in others:
        y += x[offset]
    y /= geometry.kernel_size[0] * geometry.kernel_size[1]
    return y, PoolCache(x, y, geometry)


def avg_pool2d_backward(grad_y, cache) -> np.ndarray:
    """Give every pixel of a window an equal share of the window's gradient.

    Parameters and result as in ``max_pool2d_backward``.
    """
    x, y, geometry = cache
    grad_y = check_grad(grad_y, y.shape, x.dtype)
    share = grad_y / (geometry.kernel_size[0] * geometry.kernel_size[1])
    grad_x = np.zeros_like(x)
    for offset in _offsets(geometry):
        grad_x[offset] += share
    return grad_x


# ---------------------------------------------------------------------------------------------
# The layers
# ---------------------------------------------------------------------------------------------


class _Pool2D(Layer):
    kind = "pool"

    def __init__(
        self, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = self.kernel_size if stride is None else pair(stride, "stride")

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (C, P, Q) for (C, H, W)."""
        if len(input_shape) != 3:
            raise ValueError(
                f"{self!r} needs an input of shape (channels, rows, columns), "
                f"got {tuple(input_shape)}"
            )
        geometry = Geometry.of(input_shape[1:], self.kernel_size, self.stride)
        return (input_shape[0], *geometry.output_size)

    def window(self):
        """Return the window's size and stride."""
        return self.kernel_size, self.stride

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        stride = None if self.stride == self.kernel_size else self.stride
        return {"kernel_size": self.kernel_size, "stride": stride}


class MaxPool2D(_Pool2D):
    """Replace each window by its largest value.

    Parameters
    ----------
    kernel_size : int or (rows, columns)
        The window.
    stride : int or (rows, columns), optional
        Steps between windows; the window's own size if not given.
    ties : {"first", "all"}
        Who gets the gradient where several values are equally large; see ``max_pool2d_backward``.

    Notes
    -----
    Input (N, C, H, W), output (N, C, P, Q), no parameters. Lesson 3.
    """

    def __init__(self, kernel_size, stride=None, *, ties: str = "first") -> None:
        super().__init__(kernel_size, stride)
        self.ties = _check_ties(ties)

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the pooled maps (N, C, P, Q) and the cache."""
        return max_pool2d_forward(x, self.kernel_size, self.stride)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` (N, C, H, W) and no parameter gradients."""
        return max_pool2d_backward(grad_y, cache, self.ties), {}

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().config(), "ties": self.ties}


class AvgPool2D(_Pool2D):
    """Replace each window by its mean.

    Parameters
    ----------
    kernel_size : int or (rows, columns)
        The window.
    stride : int or (rows, columns), optional
        Steps between windows; the window's own size if not given.

    Notes
    -----
    Input (N, C, H, W), output (N, C, P, Q), no parameters. Lesson 3.
    """

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the pooled maps (N, C, P, Q) and the cache."""
        return avg_pool2d_forward(x, self.kernel_size, self.stride)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` (N, C, H, W) and no parameter gradients."""
        return avg_pool2d_backward(grad_y, cache), {}
