"""Convolution: a kernel slides over an image and answers at every place with one number.

Read from top to bottom, simple to fast: the loops say what is computed, the fast form computes the
same numbers with one matrix product, the layer wraps it. (What deep learning calls convolution is
cross-correlation: the kernel is not flipped. Lesson 1 shows both.)

Shapes: images ``x`` (N, C, H, W), ``weight`` (F, C, kh, kw), ``bias`` (F,), output ``y`` (N, F, P,
Q).
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnedu.initializers import glorot_uniform
from cnnedu.layers import winograd
from cnnedu.layers.base import Layer, check_grad
from cnnedu.layers.geometry import CHANNELS_FIRST, Frame, Geometry
from cnnedu.layers.winograd import Winograd
from cnnedu.shapes import (
    check_dtype,
    check_float,
    check_images,
    check_padding,
    check_rng,
    pair,
    positive,
    to_back,
    to_front,
)
from cnnedu.workspace import FRESH


def _check(x, weight, bias) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Check that the three belong together; return weight and bias in the dtype of ``x``."""
    check_float(weight, "weight")
    if weight.ndim != 4 or 0 in weight.shape:
        raise ValueError(
            "weight must have shape (out_channels, in_channels, kernel rows, kernel columns), "
            f"got {weight.shape}; for one kernel use weight[None, None]"
        )
    check_images(x, weight.shape[1])
    if bias is not None:
        check_float(bias, "bias")
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"bias must have shape ({len(weight)},), one number per output channel, "
                f"got {bias.shape}"
            )
        bias = bias.astype(x.dtype, copy=False)
    return x, weight.astype(x.dtype, copy=False), bias


# ---------------------------------------------------------------------------------------------
# What is computed: loops
# ---------------------------------------------------------------------------------------------


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, dilation=1) -> np.ndarray:
    """Convolve by plain loops: at each place, multiply patch and kernel and add everything up.

    ``y[n, f, p, q] = bias[f] + sum over c, i, j of
    weight[f, c, i, j] * x[n, c, p * stride + i * dilation, q * stride + j * dilation]``
    (``x`` already padded). Slow, and the definition that everything else is measured against.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images, float32 or float64.
    weight : ndarray, shape (F, C, kh, kw)
        One kernel of C channels for each of the F feature maps.
    bias : ndarray, shape (F,), optional
    stride, dilation : int or (rows, columns)
        Steps between places; steps between the pixels under neighboring kernel entries.
    padding : int, (rows, columns), "valid" or "same"
        Zeros around the image.

    Returns
    -------
    ndarray, shape (N, F, P, Q)
        The feature maps, in the dtype of ``x``.

    Notes
    -----
    Lesson 3.
    """
    x, weight, bias = _check(x, weight, bias)
    geometry = Geometry.of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    padded = geometry.pad(x)
    rows, columns = geometry.output_size
    y = np.zeros((len(x), len(weight), rows, columns), x.dtype)
    for n in range(len(x)):
        for f in range(len(weight)):
            for p in range(rows):
                for q in range(columns):
                    down, across = geometry.place(p, q)
                    patch = padded[n, :, down, across]
                    y[n, f, p, q] = np.sum(patch * weight[f])
            if bias is not None:
                y[n, f] += bias[f]
    return y


def conv2d_backward_loops(grad_y, x, weight, stride=1, padding=0, dilation=1):
    """Differentiate the convolution by plain loops: every output sends its gradient back.

    Each output was ``sum(patch * kernel) + bias``. So its gradient ``g`` adds ``g * patch`` to the
    kernel's gradient, ``g * kernel`` to the patch's, and ``g`` to the bias's.

    Parameters
    ----------
    grad_y : ndarray, shape (N, F, P, Q)
        The gradient of the loss with respect to the output.
    x, weight, stride, padding, dilation
        As given to ``conv2d_loops``.

    Returns
    -------
    grad_x : ndarray, shape (N, C, H, W)
    grad_weight : ndarray, shape (F, C, kh, kw)
    grad_bias : ndarray, shape (F,)

    Notes
    -----
    Lesson 3.
    """
    x, weight, _ = _check(x, weight, None)
    geometry = Geometry.of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    rows, columns = geometry.output_size
    grad_y = check_grad(grad_y, (len(x), len(weight), rows, columns), x.dtype)
    padded = geometry.pad(x)
    grad_padded = np.zeros_like(padded)
    grad_weight = np.zeros_like(weight)
    grad_bias = np.zeros(len(weight), x.dtype)
    for n in range(len(x)):
        for f in range(len(weight)):
            for p in range(rows):
                for q in range(columns):
                    down, across = geometry.place(p, q)
                    g = grad_y[n, f, p, q]
                    grad_weight[f] += g * padded[n, :, down, across]
                    grad_padded[n, :, down, across] += g * weight[f]
                    grad_bias[f] += g
    return geometry.unpad(grad_padded), grad_weight, grad_bias


# ---------------------------------------------------------------------------------------------
# The same numbers, fast: one matrix product over all places of all images
# ---------------------------------------------------------------------------------------------


def windows(padded: np.ndarray, geometry: Geometry, pool: tuple[int, int] = (1, 1)) -> np.ndarray:
    """Show all patches of all images as one array, copying nothing: only the strides are new.

    Moving one kernel row down is ``dilation`` image rows, moving one output row down is ``stride``
    image rows. Neighboring patches share their pixels in memory.

    Parameters
    ----------
    padded : ndarray, shape (N, C, H, W)
    geometry : Geometry
    pool : (rows, columns)
        If a pooling of this size follows, the places that it will compare are put apart.

    Returns
    -------
    ndarray, shape (C, kh, kw, pool rows, pool columns, P, Q, N)
        A read-only view; P and Q count the windows of the pooling.

    Notes
    -----
    Lesson 1 builds the same view for one image.
    """
    n_step, c_step, h_step, w_step = padded.strides
    (a, b), (kh, kw), (p, q) = pool, geometry.kernel_size, geometry.output_size
    down, right = h_step * geometry.stride[0], w_step * geometry.stride[1]
    kernel_steps = (h_step * geometry.dilation[0], w_step * geometry.dilation[1])
    shape = (padded.shape[1], kh, kw, a, b, p // a, q // b, len(padded))
    strides = (c_step, *kernel_steps, down, right, a * down, b * right, n_step)
    return as_strided(padded, shape, strides, writeable=False)


class DirectCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    columns: np.ndarray
    """Shape (C * kh * kw, places * N): the patches, each written as a column."""
    weight: np.ndarray
    form: Direct


class Direct:
    """The direct form: every kernel's answer at every place by ``weight @ columns``.

    Every patch is written as a column (im2col; Chellapilla et al., 2006), every kernel as a row.
    The product of the two matrices then holds every answer of every kernel at every place, and the
    machine's matrix routine is far better at it than any loop. In memory the images lie last, so
    the columns are filled in long runs.

    Its arrays, and all views of them, are made once for images of one shape.

    Parameters
    ----------
    geometry : Geometry
    weight_shape : (F, C, kh, kw)
    images : int
    dtype : dtype
    pool : (rows, columns)
        If a pooling of this size follows, the places that it will compare are put apart, and those
        that fill no window are left out.
    workspace : Workspace

    Attributes
    ----------
    answers : ndarray, shape (pool rows, pool columns, F, P, Q, N)
        P and Q count the windows of the pooling.
    """

    order = CHANNELS_FIRST

    def __init__(
        self, geometry, weight_shape, images, dtype, pool=(1, 1), *, workspace=FRESH
    ) -> None:
        f, c = weight_shape[:2]
        self.geometry, self.pool, self.workspace = geometry, pool, workspace
        self.frame = Frame(geometry, c, images, dtype, order=CHANNELS_FIRST, workspace=workspace)
        self.patches = windows(self.frame.padded, geometry, pool)
        c, kh, kw, *places = self.patches.shape
        self.columns = workspace.array("columns", (c * kh * kw, prod(places)), dtype)
        self.columns_by_entry = self.columns.reshape(self.patches.shape)
        self.products = workspace.array("answers", (f, prod(places)), dtype)
        self.answers = self.products.reshape(f, *places).transpose(1, 2, 0, 3, 4, 5)

    def forward(self, x, weight) -> DirectCache:
        """Fill ``answers`` for images ``x`` (N, C, H, W)."""
        self.frame.filled(x)
        np.copyto(self.columns_by_entry, self.patches)
        np.matmul(weight.reshape(len(weight), -1), self.columns, out=self.products)
        return DirectCache(self.columns, weight, self)

    def backward(self, grad_answers, cache, *, input_gradient=True):
        """Differentiate by the same two matrices.

        ``grad_weight = grad_answers @ columns.T``; ``grad_columns = weight.T @ grad_answers``, and
        each column is added back to the pixels it was taken from (col2im), where overlapping
        patches sum up.

        Returns
        -------
        grad_x : ndarray, shape (N, C, H, W), or None
        grad_weight : ndarray, shape (F, C, kh, kw)
        """
        weight = cache.weight
        grad_products = grad_answers.transpose(2, 0, 1, 3, 4, 5).reshape(self.products.shape)
        grad_weight = np.matmul(grad_products, self.columns.T).reshape(weight.shape)
        if not input_gradient:
            return None, grad_weight
        grad_columns, grad_padded, sums = self._way_back
        np.matmul(weight.reshape(len(weight), -1).T, grad_products, out=grad_columns)
        grad_padded.fill(0)
        for pixels, entries in sums:
            np.add(pixels, entries, out=pixels)
        return self.geometry.unpad(grad_padded), grad_weight

    @cached_property
    def _way_back(self):
        """Return the columns' gradients, the padded images', and which to add to which."""
        # In a workspace this is the memory of the columns, which have been used by now.
        columns = self.workspace.array("columns", self.columns.shape, self.columns.dtype)
        padded = np.empty_like(self.frame.padded)
        entries = columns.reshape(self.patches.shape).transpose(3, 4, 1, 2, 7, 0, 5, 6)
        sums = []
        for first in np.ndindex(self.pool):
            for entry in np.ndindex(self.geometry.kernel_size):
                down, across = self.geometry.every_place(*entry, first, self.pool)
                sums.append((padded[:, :, down, across], entries[(*first, *entry)]))
        return columns, padded, sums


# ---------------------------------------------------------------------------------------------
# Which way to compute, and the function that users call
# ---------------------------------------------------------------------------------------------

FORMS = {"direct": Direct, "winograd": Winograd}
ALGORITHMS = ("auto", *FORMS)


def choose_algorithm(
    weight_shape: tuple[int, ...], geometry: Geometry, algorithm: str = "auto"
) -> str:
    """Return "direct" or "winograd": what is asked for, or what pays for these shapes.

    Winograd's transforms cost the same whatever the number of kernels, and its savings grow with
    channels times kernels; and it computes whole tiles, of which a small map uses only a part.

    Raises
    ------
    ValueError
        If Winograd is asked for where it does not apply.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
    applies = winograd.applies(geometry)
    if algorithm == "winograd" and not applies:
        raise ValueError(
            f"winograd needs stride 1, dilation 1 and kernels of 3 or 5, got kernel "
            f"{geometry.kernel_size}, stride {geometry.stride}, dilation {geometry.dilation}; "
            'use algorithm="direct"'
        )
    if algorithm != "auto":
        return algorithm
    f, c = weight_shape[:2]
    pays = applies and winograd.saving(f, c, geometry) > 1
    return "winograd" if pays else "direct"


def conv2d_forward(
    x,
    weight,
    bias=None,
    stride=1,
    padding=0,
    dilation=1,
    *,
    algorithm="direct",
    workspace=FRESH,
):
    """Convolve fast: ``y[n, f] = sum over c of correlate(x[n, c], weight[f, c]) + bias[f]``.

    The same numbers as ``conv2d_loops``, by one matrix product over all places ("direct") or with
    fewer multiplications over small tiles ("winograd").

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images, float32 or float64, in any memory order.
    weight : ndarray, shape (F, C, kh, kw)
    bias : ndarray, shape (F,), optional
    stride, dilation : int or (rows, columns)
    padding : int, (rows, columns), "valid" or "same"
    algorithm : {"direct", "winograd", "auto"}
        How to compute it; "auto" takes what pays for these shapes.
    workspace : Workspace
        Where the memory comes from; fresh memory if not given.

    Returns
    -------
    y : ndarray, shape (N, F, P, Q)
        In the dtype of ``x``; in memory the images axis is last.
    cache : DirectCache or WinogradCache
        For ``conv2d_backward``.

    Raises
    ------
    TypeError
        For integers or other dtypes than float32 and float64.
    ValueError
        If the shapes do not belong together, or the kernel does not fit the image.

    Notes
    -----
    Lessons 1 (strided windows), 3 (the layer) and 11 (all the ways to be fast).
    """
    x, weight, bias = _check(x, weight, bias)
    geometry = Geometry.of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    form = FORMS[choose_algorithm(weight.shape, geometry, algorithm)]
    form = workspace.plan(form, geometry, weight.shape, len(x), x.dtype)
    cache = form.forward(x, weight)
    y = to_front(form.answers[0, 0])
    if bias is not None:
        y += bias[:, None, None]
    return y, cache


def conv2d_backward(grad_y, cache, *, input_gradient=True):
    """Differentiate the convolution, the way it was computed.

    Parameters
    ----------
    grad_y : ndarray, shape (N, F, P, Q)
        The gradient of the loss with respect to the output.
    cache : DirectCache or WinogradCache
        From ``conv2d_forward``.
    input_gradient : bool
        False leaves out ``grad_x`` (None), the larger half of the work.

    Returns
    -------
    grad_x : ndarray, shape (N, C, H, W), or None
    grad_weight : ndarray, shape (F, C, kh, kw)
    grad_bias : ndarray, shape (F,)

    Notes
    -----
    Lesson 3.
    """
    form, weight = cache.form, cache.weight
    f, p, q, n = form.answers.shape[2:]
    grad_y = check_grad(grad_y, (n, f, p, q), weight.dtype)
    grad_bias = grad_y.sum(axis=(0, 2, 3))
    grad_answers = to_back(grad_y)[None, None]
    grad_x, grad_weight = form.backward(grad_answers, cache, input_gradient=input_gradient)
    return grad_x, grad_weight, grad_bias


# ---------------------------------------------------------------------------------------------
# The layer
# ---------------------------------------------------------------------------------------------


_geometry = lru_cache(Geometry.of)  # a training asks for the same one several times


class Conv2D(Layer):
    """A convolution layer: ``out_channels`` kernels, each over all ``in_channels`` of the input.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the input; kernels, and so feature maps of the output.
    kernel_size : int or (rows, columns)
    stride, dilation : int or (rows, columns)
        Steps between places; steps between the pixels under neighboring kernel entries.
    padding : int, (rows, columns), "valid" or "same"
        Zeros around the image; "same" gives ceil(size / stride) outputs.
    bias : bool
        Whether each feature map has a number added.
    initializer : callable
        Where the weights start (``cnnedu.initializers``); biases start at zero.
    algorithm : {"auto", "direct", "winograd"}
        How ``fit``, ``evaluate`` and ``predict`` compute it; "auto" takes what pays. The results
        agree within rounding. The layer by itself, and whoever looks inside, computes "auto" the
        direct way: equal patches then have equal answers, and what no kernel sees has gradient 0.
    dtype : dtype
        Of the parameters: float32 for training, float64 for checks.
    rng : numpy.random.Generator
        Where the random numbers come from.

    Attributes
    ----------
    params : dict
        "weight" (out_channels, in_channels, kernel rows, kernel columns), and "bias"
        (out_channels,).

    Notes
    -----
    Input (N, in_channels, H, W), output (N, out_channels, P, Q). Lesson 3.

    Examples
    --------
    >>> layer = Conv2D(1, 6, kernel_size=3, rng=np.random.default_rng(0))
    >>> layer.params["weight"].shape, layer.output_shape((1, 28, 28))
    ((6, 1, 3, 3), (6, 26, 26))
    """

    kind = "conv"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        dilation: int | tuple[int, int] = 1,
        *,
        bias: bool = True,
        initializer=glorot_uniform,
        algorithm: str = "auto",
        dtype=np.float32,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        if algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
        self.algorithm = algorithm
        self.in_channels = positive(in_channels, "in_channels")
        self.out_channels = positive(out_channels, "out_channels")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = check_padding(padding)
        self.dilation = pair(dilation, "dilation")
        self.bias = bool(bias)

        area = self.kernel_size[0] * self.kernel_size[1]
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        check_rng(rng)
        start = initializer(shape, self.in_channels * area, self.out_channels * area, rng)
        self.params["weight"] = start.astype(check_dtype(dtype))
        if self.bias:
            self.params["bias"] = np.zeros(self.out_channels, dtype)

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the feature maps (N, out_channels, P, Q) and the cache."""
        return conv2d_forward(
            x,
            self.params["weight"],
            self.params.get("bias"),
            self.stride,
            self.padding,
            self.dilation,
            algorithm="direct" if self.algorithm == "auto" else self.algorithm,
        )

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` (N, in_channels, H, W) and the gradients of "weight" and "bias"."""
        grad_x, grad_weight, grad_bias = conv2d_backward(
            grad_y, cache, input_gradient=input_gradient
        )
        grads = {"weight": grad_weight, "bias": grad_bias}
        return grad_x, {name: grads[name] for name in self.params}

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (out_channels, P, Q) for (in_channels, H, W)."""
        if len(input_shape) != 3 or input_shape[0] != self.in_channels:
            raise ValueError(
                f"{self!r} needs an input of shape ({self.in_channels}, rows, columns), "
                f"got {tuple(input_shape)}"
            )
        return (self.out_channels, *self.geometry(input_shape).output_size)

    def geometry(self, input_shape: tuple[int, ...]) -> Geometry:
        """Return where the kernels are put on an image of shape (C, H, W)."""
        return _geometry(
            tuple(input_shape[1:]), self.kernel_size, self.stride, self.padding, self.dilation
        )

    def choose(self, input_shape: tuple[int, ...]) -> str:
        """Return the algorithm for images of shape (C, H, W): "direct" or "winograd"."""
        shape = self.params["weight"].shape
        return choose_algorithm(shape, self.geometry(input_shape), self.algorithm)

    def window(self):
        """Return the kernel's reach and stride."""
        reach = tuple(d * (k - 1) + 1 for k, d in zip(self.kernel_size, self.dilation, strict=True))
        return reach, self.stride

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "in_channels": self.in_channels,
            "out_channels": self.out_channels,
            "kernel_size": self.kernel_size,
            "stride": self.stride,
            "padding": self.padding,
            "dilation": self.dilation,
            "bias": self.bias,
            "algorithm": self.algorithm,
        }
