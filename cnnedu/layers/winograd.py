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

from cnnedu.layers.geometry import Geometry
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
    geometry: Geometry
    input_shape: tuple[int, int, int, int]


def _tiles(array: np.ndarray, axis: int, count: int, size: int) -> np.ndarray:
    """Show an axis as ``count`` tiles of ``size``, ``TILE`` apart, so overlapping; no copy."""
    step = array.strides[axis]
    shape = (*array.shape[:axis], count, size, *array.shape[axis + 1 :])
    strides = (*array.strides[:axis], TILE * step, step, *array.strides[axis + 1 :])
    return as_strided(array, shape, strides, writeable=False)


def _rows_first(x: np.ndarray, height: int, width: int, name: str, workspace) -> np.ndarray:
    """Return ``x`` (N, C, H, W) as a contiguous (height, width, C, N) with zeros added."""
    n, c, h, w = x.shape
    rows_first = x.transpose(2, 3, 1, 0)
    if (h, w) == (height, width) and rows_first.flags.c_contiguous:
        return rows_first
    whole = workspace.array(name, (height, width, c, n), x.dtype)
    whole[h:], whole[:h, w:] = 0, 0
    whole[:h, :w] = rows_first
    return whole


def forward(x, weight, geometry: Geometry, *, workspace=FRESH):
    """Convolve ``x`` (N, C, H, W) with ``weight`` (F, C, kh, kw); return ``y`` and the cache."""
    n, c, f, dtype = len(x), x.shape[1], len(weight), x.dtype
    (p, q), (kh, kw) = geometry.output_size, geometry.kernel_size
    (a_r, g_r, b_r), (a_c, g_c, b_c) = matrices(kh, dtype.str), matrices(kw, dtype.str)
    t_r, t_c, q_r, q_c = -(-p // TILE), -(-q // TILE), len(b_r), len(b_c)
    height, width = TILE * t_r + kh - 1, TILE * t_c + kw - 1

    padded = geometry.pad(x, workspace=workspace)
    patches = _rows_first(padded, height, width, "patches", workspace)
    rows = workspace.array("rows", (t_r, q_r, width * c * n), dtype)
    np.matmul(b_r, _tiles(patches.reshape(height, -1), 0, t_r, q_r), out=rows)
    points_x = workspace.array("points_x", (t_r, q_r, t_c, q_c, c, n), dtype)
    rows = rows.reshape(t_r * q_r, width, c * n)
    np.matmul(b_c, _tiles(rows, 1, t_c, q_c), out=points_x.reshape(t_r * q_r, t_c, q_c, c * n))

    kernels = weight.transpose(2, 3, 0, 1).reshape(kh, kw * f * c)
    points_weight = np.matmul(g_c, (g_r @ kernels).reshape(q_r, kw, f * c))
    points_weight = points_weight.reshape(q_r, q_c, f, c)

    points_y = workspace.array("points_y", (t_r, q_r, t_c, q_c, f, n), dtype)
    np.matmul(points_weight[:, None], points_x, out=points_y)

    rows_y = workspace.array("rows_y", (t_r * q_r, t_c, TILE, f * n), dtype)
    np.matmul(a_c, points_y.reshape(t_r * q_r, t_c, q_c, f * n), out=rows_y)
    y = workspace.array("tiles_y", (t_r, TILE, t_c * TILE * f * n), dtype)
    np.matmul(a_r, rows_y.reshape(t_r, q_r, -1), out=y)
    y = y.reshape(t_r * TILE, t_c * TILE, f, n)[:p, :q].transpose(3, 2, 0, 1)
    return y, WinogradCache(points_x, points_weight, weight, geometry, x.shape)


def backward(grad_y, cache: WinogradCache, *, input_gradient=True, workspace=FRESH):
    """Differentiate: every step of ``forward`` transposed, in the opposite order."""
    points_x, points_weight, weight, geometry, (n, c, _, _) = cache
    f, dtype = len(weight), weight.dtype
    kh, kw = geometry.kernel_size
    (a_r, g_r, b_r), (a_c, g_c, b_c) = matrices(kh, dtype.str), matrices(kw, dtype.str)
    t_r, q_r, t_c, q_c = points_x.shape[:4]

    grad_y = _rows_first(grad_y, t_r * TILE, t_c * TILE, "grad_tiles", workspace)
    rows_y = workspace.array("rows_y", (t_r, q_r, t_c * TILE * f * n), dtype)
    np.matmul(a_r.T, grad_y.reshape(t_r, TILE, -1), out=rows_y)
    points_y = workspace.array("points_y", (t_r * q_r, t_c, q_c, f * n), dtype)
    np.matmul(a_c.T, rows_y.reshape(t_r * q_r, t_c, TILE, f * n), out=points_y)
    points_y = points_y.reshape(t_r, q_r, t_c, q_c, f, n)

    grad_points = workspace.array("grad_points", (t_r, q_r, t_c, q_c, f, c), dtype)
    np.matmul(points_y, points_x.swapaxes(-1, -2), out=grad_points)
    grad_points = grad_points.sum(axis=(0, 2)).reshape(q_r, q_c, f * c)
    grad_weight = g_r.T @ np.matmul(g_c.T, grad_points).reshape(q_r, -1)
    grad_weight = grad_weight.reshape(kh, kw, f, c).transpose(2, 3, 0, 1)
    if not input_gradient:
        return None, grad_weight

    points_x = workspace.array("grad_points_x", points_x.shape, dtype)
    np.matmul(points_weight.swapaxes(-1, -2)[:, None], points_y, out=points_x)
    tiles = workspace.array("grad_rows_tiles", (t_r * q_r, t_c, q_c, c * n), dtype)
    np.matmul(b_c.T, points_x.reshape(tiles.shape), out=tiles)
    rows = _sum_tiles(tiles, 1, "grad_rows", workspace)
    tiles = workspace.array("grad_tiles_x", (t_r, q_r, rows[0].size), dtype)
    np.matmul(b_r.T, rows.reshape(tiles.shape), out=tiles)
    grad_padded = _sum_tiles(tiles, 0, "grad_padded", workspace)
    grad_padded = grad_padded.reshape(len(grad_padded), -1, c, n).transpose(3, 2, 0, 1)
    return geometry.unpad(grad_padded), np.ascontiguousarray(grad_weight)


def _sum_tiles(tiles: np.ndarray, axis: int, name: str, workspace) -> np.ndarray:
    """Add overlapping tiles back to one axis: ``_tiles`` transposed."""
    count, size = tiles.shape[axis : axis + 2]
    shape = (*tiles.shape[:axis], TILE * (count - 1) + size, *tiles.shape[axis + 2 :])
    whole = workspace.array(name, shape, tiles.dtype)
    before = (slice(None),) * axis
    whole[(*before, slice(size))] = tiles[(*before, 0)]
    whole[(*before, slice(size, None))] = 0
    for tile in range(1, count):
        place = whole[(*before, slice(TILE * tile, TILE * tile + size))]
        np.add(place, tiles[(*before, tile)], out=place)
    return whole
