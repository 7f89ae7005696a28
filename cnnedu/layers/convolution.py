"""Convolution: a kernel slides over an image and answers at every place with one number.

Read from top to bottom, simple to fast: the loops say what is computed, the fast form computes the
same numbers with one matrix product, the layer wraps it. (What deep learning calls convolution is
cross-correlation: the kernel is not flipped. Lesson 1 shows both.)

Shapes: images ``x`` (N, C, H, W), ``weight`` (F, C, kh, kw), ``bias`` (F,), output ``y`` (N, F, P,
Q).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from cnnedu.initializers import glorot_uniform
from cnnedu.layers.base import Layer, check_grad
from cnnedu.layers.geometry import Geometry
from cnnedu.shapes import check_float, check_images, check_padding, pair, positive


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


class ConvCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    columns: np.ndarray
    """Shape (C * kh * kw, P * Q * N): under every place of every image, the patch as a column."""
    weight: np.ndarray
    geometry: Geometry
    input_shape: tuple[int, int, int, int]


def windows(padded: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Show all patches of all images as one array of shape (C, kh, kw, P, Q, N), copying nothing.

    Only the strides are new: moving one kernel row down is ``dilation`` image rows, moving one
    output row down is ``stride`` image rows. Neighboring patches share their pixels in memory.

    Parameters
    ----------
    padded : ndarray, shape (N, C, H, W)
    geometry : Geometry

    Returns
    -------
    ndarray
        A read-only view.

    Notes
    -----
    Lesson 1 builds the same view for one image.
    """
    n_step, c_step, h_step, w_step = padded.strides
    (s_h, s_w), (d_h, d_w) = geometry.stride, geometry.dilation
    shape = (padded.shape[1], *geometry.kernel_size, *geometry.output_size, len(padded))
    strides = (c_step, h_step * d_h, w_step * d_w, h_step * s_h, w_step * s_w, n_step)
    return as_strided(padded, shape, strides, writeable=False)


def conv2d_forward(x, weight, bias=None, stride=1, padding=0, dilation=1):
    """Convolve by one matrix product: ``y = weight @ columns + bias``.

    Every patch is written as a column (im2col; Chellapilla et al., 2006), every kernel as a row.
    The product of the two matrices then holds every answer of every kernel at every place, and the
    machine's matrix routine is far better at it than any loop. In memory the images lie last, so
    the columns are filled in long runs.

    Parameters
    ----------
    x : ndarray, shape (N, C, H, W)
        Images, float32 or float64, in any memory order.
    weight : ndarray, shape (F, C, kh, kw)
    bias : ndarray, shape (F,), optional
    stride, dilation : int or (rows, columns)
    padding : int, (rows, columns), "valid" or "same"

    Returns
    -------
    y : ndarray, shape (N, F, P, Q)
        In the dtype of ``x``; in memory the images axis is last.
    cache : ConvCache
        For ``conv2d_backward``.

    Raises
    ------
    TypeError
        For integers or other dtypes than float32 and float64.
    ValueError
        If the shapes do not belong together, or the kernel does not fit the image.

    Notes
    -----
    Lessons 1 (strided windows) and 3 (the layer).
    """
    x, weight, bias = _check(x, weight, bias)
    geometry = Geometry.of(x.shape[2:], weight.shape[2:], stride, padding, dilation)
    patches = windows(geometry.pad(x), geometry)
    c, kh, kw, p, q, n = patches.shape
    columns = np.empty((c * kh * kw, p * q * n), x.dtype)
    np.copyto(columns.reshape(patches.shape), patches)
    y = weight.reshape(len(weight), -1) @ columns
    if bias is not None:
        y += bias[:, None]
    y = np.moveaxis(y.reshape(len(weight), p, q, n), -1, 0)
    return y, ConvCache(columns, weight, geometry, x.shape)


def conv2d_backward(grad_y, cache, *, input_gradient=True):
    """Differentiate the convolution by the same two matrices.

    ``grad_weight = grad_y @ columns.T``; ``grad_columns = weight.T @ grad_y``, and each column is
    added back to the pixels it was taken from (col2im), where overlapping patches sum up.

    Parameters
    ----------
    grad_y : ndarray, shape (N, F, P, Q)
        The gradient of the loss with respect to the output.
    cache : ConvCache
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
    columns, weight, geometry, (n, c, _, _) = cache
    f = len(weight)
    rows, cols = geometry.output_size
    grad_y = check_grad(grad_y, (n, f, rows, cols), columns.dtype)
    grad_y = np.moveaxis(grad_y, 0, -1).reshape(f, -1)
    grad_weight = (grad_y @ columns.T).reshape(weight.shape)
    grad_bias = grad_y.sum(axis=1)
    if not input_gradient:
        return None, grad_weight, grad_bias

    kh, kw = geometry.kernel_size
    grad_columns = (weight.reshape(f, -1).T @ grad_y).reshape(c, kh, kw, rows, cols, n)
    padded_size = np.add(geometry.input_size, np.add(geometry.before, geometry.after))
    grad_padded = np.zeros((c, *padded_size, n), columns.dtype)
    for i in range(kh):
        for j in range(kw):
            down, across = geometry.every_place(i, j)
            grad_padded[:, down, across] += grad_columns[:, i, j]
    return geometry.unpad(np.moveaxis(grad_padded, -1, 0)), grad_weight, grad_bias


# ---------------------------------------------------------------------------------------------
# The layer
# ---------------------------------------------------------------------------------------------


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
        dtype=np.float32,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.in_channels = positive(in_channels, "in_channels")
        self.out_channels = positive(out_channels, "out_channels")
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.stride = pair(stride, "stride")
        self.padding = check_padding(padding)
        self.dilation = pair(dilation, "dilation")
        self.bias = bool(bias)

        area = self.kernel_size[0] * self.kernel_size[1]
        shape = (self.out_channels, self.in_channels, *self.kernel_size)
        start = initializer(shape, self.in_channels * area, self.out_channels * area, rng)
        self.params["weight"] = start.astype(dtype)
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
        geometry = Geometry.of(
            input_shape[1:], self.kernel_size, self.stride, self.padding, self.dilation
        )
        return (self.out_channels, *geometry.output_size)

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
        }
