"""Winograd's convolution: fewer multiplications, by computing small tiles in another form.

A convolution multiplies two polynomials. A polynomial of degree d is known from its values at d + 1
points, and values multiply one by one. So: evaluate the patch and the kernel at q points, multiply
the values, and find the polynomial that goes through the products (Toom and Cook, 1963-66;
Winograd, 1980; for networks Lavin and Gray, 2016). For a tile of m outputs and a kernel of k, q = m
+ k - 1 points do, and evaluating and going back are products with small constant matrices A, G, B:

    tile = A @ ((G @ kernel) * (B @ patch))

In two dimensions the matrices are applied to rows and then to columns. For k = 5 and m = 4 it takes
8 * 8 = 64 multiplications a tile instead of 4 * 4 * 25 = 400. The backward pass uses the transposed
matrices. Lesson 11.

The price is accuracy: the relative error in float32 is about 1e-6 for k = 3 and 2.5e-6 for k = 5
(the direct form: 3e-7); the tests bound it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnedu.layers.geometry import ROWS_FIRST, Frame, Geometry
from cnnedu.workspace import FRESH

TILE = 4
"""Outputs along a side of a tile."""
POINTS = (0, 1, -1, 2, -2, 1 / 2, -1 / 2)
"""Where polynomials are evaluated, with infinity (the leading coefficient) as one point more."""
KERNELS = (3, 5)
"""The kernel sizes that are worth it."""
FEWEST_PAIRS = 64
"""Pairs of channel and kernel below which the direct form is taken."""
# What it costs to write a number of a column, or to transform one, in multiplications: chosen so
# that the estimate crosses 1 where measured times do (forward and backward, 4 to 64 channels, sides
# 8 to 28).
DIRECT_COPY = 10
TRANSFORM = 25


@lru_cache
def matrices(kernel: int, dtype: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A (m, q), G (q, kernel) and B (q, q) for tiles of m = ``TILE`` outputs.

    ``correlate(patch, kernel) = A @ ((G @ kernel) * (B @ patch))`` for a patch of q = m + kernel -
    1.
    """
    q = TILE + kernel - 1
    points = np.array(POINTS[: q - 1])

    def powers(count: int) -> np.ndarray:
        """Evaluate the powers 0 ... count - 1 at the points; at infinity only the last remains."""
        return np.vstack([points[:, None] ** np.arange(count), np.eye(count)[-1]])

    # Multiplying polynomials is A.T after powers(q)'s inverse; correlation is its transpose.
    a, g, b = powers(TILE).T, powers(kernel), np.linalg.inv(powers(q)).T
    scale = np.sqrt(np.abs(b).sum(axis=1) / np.abs(g).sum(axis=1))  # share the sizes out evenly
    g, b = g * scale[:, None], b / scale[:, None]
    return tuple(np.ascontiguousarray(matrix, dtype) for matrix in (a, g, b))


def applies(geometry: Geometry) -> bool:
    """Tell whether this convolution can be computed so."""
    plain = geometry.stride == geometry.dilation == (1, 1)
    return plain and all(k in KERNELS for k in geometry.kernel_size)


def saving(kernels: int, channels: int, geometry: Geometry) -> float:
    """Estimate how many times less work than the direct form this is, from counts alone.

    Zero for a handful of channels and kernels: there is little to save, and the direct form has the
    advantage that whole numbers stay whole.
    """
    if channels * kernels < FEWEST_PAIRS:
        return 0.0
    (p, q), (kh, kw) = geometry.output_size, geometry.kernel_size
    tiles = -(-p // TILE) * -(-q // TILE)
    points = tiles * (TILE + kh - 1) * (TILE + kw - 1)
    direct = p * q * channels * kernels * kh * kw + DIRECT_COPY * p * q * channels * kh * kw
    return direct / (points * channels * kernels + TRANSFORM * points * (channels + kernels))


class WinogradCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    points_x: np.ndarray
    """The patches' values at the points, (tile row, point row, tile column, point column, C, N)."""
    points_weight: np.ndarray
    """The kernels' values at the points, (point row, point column, F, C)."""
    weight: np.ndarray
    form: Winograd


class Winograd:
    """Winograd's form, for images of one shape.

    Parameters and attributes as those of ``cnnedu.layers.convolution.Direct``. One band of tiles
    after the other goes through all the steps, so that what one step has written is still in the
    processor's cache when the next one reads it. What are called rows below are patches or outputs
    that have been transformed along one axis only.
    """

    order = ROWS_FIRST

    def __init__(
        self, geometry, weight_shape, images, dtype, pool=(1, 1), *, workspace=FRESH
    ) -> None:
        (f, c, kh, kw), n, (p, q) = weight_shape, images, geometry.output_size
        self.geometry, self.pool, self.workspace, self.dtype = geometry, pool, workspace, dtype
        self.matrices = matrices(kh, dtype.str), matrices(kw, dtype.str)
        t_r, t_c = -(-p // TILE), -(-q // TILE)
        q_r, q_c = TILE + kh - 1, TILE + kw - 1
        extra = (TILE * t_r - p, TILE * t_c - q)
        self.frame = Frame(geometry, c, n, dtype, extra=extra, workspace=workspace)
        patches = self.frame.padded.transpose(2, 3, 1, 0)  # contiguous (height, width, C, N)
        height, width = patches.shape[:2]
        self.bands = _tiles(patches.reshape(height, -1), 0, t_r, q_r)
        self.rows_x = self._array("rows_x", q_r, width, c * n)
        self.tiles = _tiles(self.rows_x, 1, t_c, q_c)
        self.points_x = self._array("points_x", t_r, q_r, t_c, q_c, c, n)
        self.points_y = self._array("points_y", q_r, t_c, q_c, f, n)
        self.rows_y = self._array("rows_y", q_r, t_c, TILE, f * n)
        self.outputs, self.answers = self._outputs("outputs", t_r, t_c, f, n)

    def _outputs(self, name: str, t_r, t_c, f, n) -> tuple[np.ndarray, np.ndarray]:
        """Return room for bands of outputs, (t_r, TILE, ...), and ``answers`` in it."""
        whole = self._array(name, t_r * TILE, t_c * TILE, f, n)
        a, b = self.pool
        p, q = (size // by for size, by in zip(self.geometry.output_size, self.pool, strict=True))
        windows = whole[: p * a, : q * b].reshape(p, a, q, b, f, n)
        return whole.reshape(t_r, TILE, -1), windows.transpose(1, 3, 4, 0, 2, 5)

    def forward(self, x, weight) -> WinogradCache:
        """Fill ``answers`` for images ``x`` (N, C, H, W)."""
        (a_r, g_r, b_r), (a_c, g_c, b_c) = self.matrices
        q_r, t_c, q_c, f, n = self.points_y.shape
        _, c, kh, kw = weight.shape
        kernels = weight.transpose(2, 3, 0, 1).reshape(kh, kw * f * c)
        points_weight = np.matmul(g_c, (g_r @ kernels).reshape(q_r, kw, f * c))
        points_weight = points_weight.reshape(q_r, 1, q_c, f, c)
        points_y = self.points_y.reshape(q_r, t_c, q_c, f * n)

        self.frame.filled(x)
        for band, points_x, outputs in zip(self.bands, self.points_x, self.outputs, strict=True):
            np.matmul(b_r, band, out=self.rows_x.reshape(q_r, -1))
            np.matmul(b_c, self.tiles, out=points_x.reshape(q_r, t_c, q_c, c * n))
            np.matmul(points_weight, points_x, out=self.points_y)
            np.matmul(a_c, points_y, out=self.rows_y)
            np.matmul(a_r, self.rows_y.reshape(q_r, -1), out=outputs)
        return WinogradCache(self.points_x, points_weight, weight, self)

    def backward(self, grad_answers, cache, *, input_gradient=True):
        """Differentiate: every step of ``forward`` transposed, in the opposite order."""
        (a_r, g_r, _), (a_c, g_c, _) = self.matrices
        q_r, t_c, q_c, f, n = self.points_y.shape
        _, c, kh, kw = cache.weight.shape
        outputs = self._whole_tiles(grad_answers)
        points_y = self.points_y.reshape(q_r, t_c, q_c, f * n)
        products = self._array("grad_points", q_r, t_c, q_c, f, c)
        grad_points = np.zeros((q_r, q_c, f, c), self.dtype)
        grad_x = self._array("padded", *self.frame.padded.transpose(2, 3, 1, 0).shape)
        grad_x[:] = 0

        for place, (points_x, grad_y) in enumerate(zip(self.points_x, outputs, strict=True)):
            np.matmul(a_r.T, grad_y, out=self.rows_y.reshape(q_r, -1))
            np.matmul(a_c.T, self.rows_y, out=points_y)
            np.matmul(self.points_y, points_x.swapaxes(-1, -2), out=products)
            grad_points += products.sum(axis=1)
            if input_gradient:
                rows = grad_x[TILE * place : TILE * place + q_r]
                self._add_patches(rows, cache.points_weight)
        grad_weight = g_r.T @ np.matmul(g_c.T, grad_points.reshape(q_r, q_c, -1)).reshape(q_r, -1)
        grad_weight = grad_weight.reshape(kh, kw, f, c).transpose(2, 3, 0, 1)
        grad_x = self.geometry.unpad(grad_x.transpose(3, 2, 0, 1)) if input_gradient else None
        return grad_x, np.ascontiguousarray(grad_weight)

    def _add_patches(self, grad_x: np.ndarray, points_weight: np.ndarray) -> None:
        """Add the gradients of a band's patches to its rows (q, width, C, N)."""
        (_, _, b_r), (_, _, b_c) = self.matrices
        q_r, t_c, q_c, _, n = self.points_y.shape
        points_x = self._array("grad_points_x", q_r, t_c, q_c, grad_x.shape[2], n)
        np.matmul(points_weight.swapaxes(-1, -2), self.points_y, out=points_x)
        tiles = self._array("grad_tiles", q_r, t_c, q_c, grad_x.shape[2] * n)
        np.matmul(b_c.T, points_x.reshape(tiles.shape), out=tiles)
        rows = self._array("rows_x", *self.rows_x.shape)
        rows[:] = 0
        for tile in range(t_c):
            place = rows[:, TILE * tile : TILE * tile + q_c]
            np.add(place, tiles[:, tile], out=place)
        whole = self._array("grad_band", q_r, rows[0].size)
        np.matmul(b_r.T, rows.reshape(whole.shape), out=whole)
        np.add(grad_x, whole.reshape(grad_x.shape), out=grad_x)

    def _array(self, name: str, *shape: int) -> np.ndarray:
        return self.workspace.array(name, shape, self.dtype)

    def _whole_tiles(self, grad_answers: np.ndarray) -> np.ndarray:
        """Return the gradients of whole tiles: zero for outputs outside of every window."""
        a, b, f, p, q, n = grad_answers.shape
        bands = self.outputs
        if grad_answers is not self.answers:
            bands, inside = self._outputs("grad_outputs", len(bands), self.rows_y.shape[1], f, n)
            np.copyto(inside, grad_answers)
        whole = bands.reshape(len(bands) * TILE, -1, f, n)
        whole[a * p :] = 0
        whole[: a * p, b * q :] = 0
        return bands


def _tiles(array: np.ndarray, axis: int, count: int, size: int) -> np.ndarray:
    """Show an axis as ``count`` tiles of ``size``, ``TILE`` apart, so overlapping; no copy."""
    step = array.strides[axis]
    shape = (*array.shape[:axis], count, size, *array.shape[axis + 1 :])
    strides = (*array.strides[:axis], TILE * step, step, *array.strides[axis + 1 :])
    return as_strided(array, shape, strides, writeable=False)
