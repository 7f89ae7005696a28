"""Competition: at every place the feature maps compete, and only the largest answer goes on.

After a convolution this makes the kernels compete: each place of the image goes to the kernel that
fits it best, which alone learns from it. Max pooling compares the places in a window of one map;
here the maps are compared at one place (maxout; Goodfellow et al., 2013). Read from top to bottom:
loops, fast, backward, layer. Shapes: ``x`` (N, C, H, W), ``y`` (N, 1, H, W).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_images


def max_over_channels_loops(x) -> np.ndarray:
    """Compare by plain loops: ``y[n, 0, p, q]`` is the largest of ``x[n, :, p, q]``.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature maps, float32 or float64.

    Returns
    -------
    ndarray, shape (N, 1, H, W)

    Notes
    -----
    Lesson 7.
    """
    images, channels, rows, columns = check_images(x).shape
    y = np.zeros((images, 1, rows, columns), x.dtype)
    for n in range(images):
        for p in range(rows):
            for q in range(columns):
                winner = 0
                for c in range(1, channels):
                    if x[n, c, p, q] > x[n, winner, p, q]:  # a tie changes nothing
                        winner = c
                y[n, 0, p, q] = x[n, winner, p, q]
    return y


def max_over_channels_backward_loops(grad_y, x) -> np.ndarray:
    """Differentiate by plain loops: the winner of each place gets its gradient, the others nothing.

    Parameters
    ----------
    grad_y : ndarray, shape (N, 1, H, W)
        The gradient of the loss with respect to the output.
    x : ndarray, shape (N, C, H, W)
        As given to ``max_over_channels_loops``.

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Notes
    -----
    Lesson 7.
    """
    images, _, rows, columns = check_images(x).shape
    grad_y = check_grad(grad_y, (images, 1, rows, columns), x.dtype)
    grad_x = np.zeros_like(x)
    for n in range(images):
        for p in range(rows):
            for q in range(columns):
                winner = np.argmax(x[n, :, p, q])  # the first of the largest
                grad_x[n, winner, p, q] = grad_y[n, 0, p, q]
    return grad_x


class CompetitionCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    wins: np.ndarray
    """Bool, shape (N, C, H, W): at each place True for one channel, the winner."""
    dtype: np.dtype


def max_over_channels_forward(x):
    """Compare all places at once, and remember who won.

    Where several channels are equally large, the first of them wins.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Feature maps, float32 or float64, in any memory order.

    Returns
    -------
    y : ndarray, shape (N, 1, H, W)
        The largest answer at each place, in the dtype of ``x``.
    cache : CompetitionCache
        For ``max_over_channels_backward``; ``cache.wins.argmax(axis=1)`` is the map of the winners.

    Notes
    -----
    Lesson 7.
    """
    y = check_images(x).max(axis=1, keepdims=True)
    wins = np.equal(x, y)
    taken = wins[:, :1].copy()
    for c in range(1, x.shape[1]):
        contestant = wins[:, c : c + 1]
        np.greater(contestant, taken, out=contestant)  # only what nobody before it has won
        taken |= contestant
    return y, CompetitionCache(wins, x.dtype)


def max_over_channels_backward(grad_y, cache) -> np.ndarray:
    """Send each place's gradient back to its winner: ``grad_x = wins * grad_y``.

    Parameters
    ----------
    grad_y : ndarray, shape (N, 1, H, W)
        The gradient of the loss with respect to the output.
    cache : CompetitionCache
        From ``max_over_channels_forward``.

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Notes
    -----
    Lesson 7.
    """
    wins, dtype = cache
    return wins * check_grad(grad_y, (len(wins), 1, *wins.shape[2:]), dtype)


class MaxOverChannels(Layer):
    """Keep, at every place, only the largest of all channels: after ``Conv2D``, kernels compete.

    Notes
    -----
    Input (N, C, H, W), output (N, 1, H, W), no parameters. Where several channels are equally
    large, the first wins, and it alone gets the gradient. Lesson 7.

    Examples
    --------
    >>> maps = np.array([[1.0, 5.0], [4.0, 5.0], [3.0, 6.0]]).reshape(1, 3, 1, 2)
    >>> MaxOverChannels().forward(maps)
    array([[[[4., 6.]]]])
    """

    kind = "max"

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the winners' answers (N, 1, H, W) and the cache."""
        return max_over_channels_forward(x)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` (N, C, H, W) and no parameter gradients."""
        return max_over_channels_backward(grad_y, cache), {}

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (1, H, W) for (C, H, W)."""
        if len(input_shape) != 3:
            raise ValueError(
                f"{self!r} needs an input of shape (channels, rows, columns), "
                f"got {tuple(input_shape)}"
            )
        return (1, *input_shape[1:])
