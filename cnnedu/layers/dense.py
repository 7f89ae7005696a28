"""The dense (fully connected) layer: every output adds up every input, each with its own weight.

Read from top to bottom: loops, fast, backward, layer.
Shapes: ``x`` (N, in_features), ``weight`` (out_features, in_features), ``y`` (N, out_features).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cnnedu.initializers import glorot_uniform
from cnnedu.layers.base import Layer, check_grad
from cnnedu.shapes import check_dtype, check_float, check_rng, check_vectors, positive


class DenseCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    x: np.ndarray
    weight: np.ndarray
    bias: bool


def _check(x, weight, bias):
    check_float(weight, "weight")
    if weight.ndim != 2:
        raise ValueError(f"weight must have shape (out_features, in_features), got {weight.shape}")
    check_vectors(x, weight.shape[1])
    if bias is not None:
        check_float(bias, "bias")
        if bias.shape != weight.shape[:1]:
            raise ValueError(
                f"bias must have shape ({len(weight)},), one number per output, got {bias.shape}"
            )
        bias = bias.astype(x.dtype, copy=False)
    return x, weight.astype(x.dtype, copy=False), bias


def dense_loops(x, weight, bias=None) -> np.ndarray:
    """Compute a dense layer by plain loops: ``y[n, o] = bias[o] + sum of weight[o, i] * x[n, i]``.

    Parameters
    ----------
    x : ndarray, shape (N, in_features)
    weight : ndarray, shape (out_features, in_features)
    bias : ndarray, shape (out_features,), optional

    Returns
    -------
    ndarray, shape (N, out_features)

    Notes
    -----
    Lesson 3.
    """
    x, weight, bias = _check(x, weight, bias)
    y = np.zeros((len(x), len(weight)), x.dtype)
    for n in range(len(x)):
        for o in range(len(weight)):
            for i in range(weight.shape[1]):
                y[n, o] += weight[o, i] * x[n, i]
            if bias is not None:
                y[n, o] += bias[o]
    return y


def dense_forward(x, weight, bias=None):
    """Compute a dense layer by one matrix product: ``y = x @ weight.T + bias``.

    Parameters as in ``dense_loops``.

    Returns
    -------
    y : ndarray, shape (N, out_features)
        In the dtype of ``x``; in memory the images axis is last.
    cache : DenseCache
        For ``dense_backward``.

    Notes
    -----
    Lesson 3.
    """
    x, weight, bias = _check(x, weight, bias)
    y = np.dot(weight, x.T)  # (out_features, N): the images last
    if bias is not None:
        y += bias[:, None]
    return y.T, DenseCache(x, weight, bias is not None)


def dense_backward(grad_y, cache, *, input_gradient=True):
    """Differentiate: ``grad_weight = grad_y.T @ x``, ``grad_x = grad_y @ weight``.

    Parameters
    ----------
    grad_y : ndarray, shape (N, out_features)
    cache : DenseCache
        From ``dense_forward``.
    input_gradient : bool
        False leaves out ``grad_x`` (None).

    Returns
    -------
    grad_x : ndarray, shape (N, in_features), or None
    grad_weight : ndarray, shape (out_features, in_features)
    grad_bias : ndarray, shape (out_features,), or None without a bias

    Notes
    -----
    Lesson 3.
    """
    x, weight, bias = cache
    grad_y = check_grad(grad_y, (len(x), len(weight)), x.dtype)
    grad_x = np.dot(weight.T, grad_y.T).T if input_gradient else None
    grad_weight = np.dot(grad_y.T, x)  # for few images np.dot is quicker than @
    return grad_x, grad_weight, grad_y.sum(axis=0) if bias else None


class Dense(Layer):
    """A dense layer: ``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
        Numbers per image that come in and go out.
    bias : bool
        Whether each output has a number added.
    initializer : callable
        Where the weights start (``cnnedu.initializers``); biases start at zero.
    dtype : dtype
        Of the parameters: float32 for training, float64 for checks.
    rng : numpy.random.Generator
        Where the random numbers come from.

    Attributes
    ----------
    params : dict
        "weight" (out_features, in_features), and "bias" (out_features,).

    Notes
    -----
    Input (N, in_features), output (N, out_features). Lesson 3.
    """

    kind = "dense"

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        initializer=glorot_uniform,
        dtype=np.float32,
        rng: np.random.Generator,
    ) -> None:
        super().__init__()
        self.in_features = positive(in_features, "in_features")
        self.out_features = positive(out_features, "out_features")
        self.bias = bool(bias)
        shape = (self.out_features, self.in_features)
        check_rng(rng)
        start = initializer(shape, self.in_features, self.out_features, rng)
        self.params["weight"] = start.astype(check_dtype(dtype))
        if self.bias:
            self.params["bias"] = np.zeros(self.out_features, dtype)

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the outputs (N, out_features) and the cache."""
        return dense_forward(x, self.params["weight"], self.params.get("bias"))

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` (N, in_features) and the gradients of "weight" and "bias"."""
        grad_x, grad_weight, grad_bias = dense_backward(
            grad_y, cache, input_gradient=input_gradient
        )
        grads = {"weight": grad_weight}
        if self.bias:
            grads["bias"] = grad_bias
        return grad_x, grads

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (out_features,) for (in_features,)."""
        if tuple(input_shape) != (self.in_features,):
            remedy = "; put Flatten() before it" if len(input_shape) > 1 else ""
            raise ValueError(
                f"{self!r} needs an input of shape ({self.in_features},), "
                f"got {tuple(input_shape)}{remedy}"
            )
        return (self.out_features,)

    def window(self):
        """Return None: every output sees every input."""
        return None

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "in_features": self.in_features,
            "out_features": self.out_features,
            "bias": self.bias,
        }
