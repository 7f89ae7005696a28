"""What every layer is: two pure functions and the memory between them.

A layer computes outputs from inputs (``compute``) and gradients from gradients (``differentiate``).
Neither changes the layer. ``forward`` and ``backward`` wrap them for training: ``forward``
remembers what ``backward`` will need, ``backward`` uses it up and leaves the parameters' gradients
in ``grads``.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np


class Layer:
    """The base of all layers.

    Attributes
    ----------
    kind : str
        The short name of this sort of layer; in a network it becomes "conv1", "conv2", ...
    params : dict of str to ndarray
        What training changes, for example "weight" and "bias".
    grads : dict of str to ndarray
        The gradient of the loss with respect to each parameter, after ``backward``. Each
        ``backward`` overwrites them (PyTorch adds to them instead; lesson 3 says why that matters).
    """

    kind = "layer"

    def __init__(self) -> None:
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self._cache: Any = None

    # What a new kind of layer defines

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return ``(y, cache)``: the output, and what ``differentiate`` needs to know.

        Parameters
        ----------
        x : ndarray, shape (N, ...)
            A batch of inputs.
        training : bool
            Whether layers that behave differently in training (dropout) should do so.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define compute")

    def differentiate(
        self, grad_y: np.ndarray, cache: Any, *, input_gradient: bool = True
    ) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        """Return ``(grad_x, grads)``: the gradients with respect to the input and each parameter.

        Parameters
        ----------
        grad_y : ndarray
            The gradient of the loss with respect to the output, of the output's shape.
        cache : object
            What ``compute`` returned beside that output.
        input_gradient : bool
            The first layer of a network can save this work: nobody asks for its ``grad_x`` in
            training. It is None then.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define differentiate")

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one output for the shape of one input (no batch axis), uncomputed."""
        return tuple(input_shape)

    def window(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return (reach, stride), each (rows, columns): how far one output sees, and how far on.

        None means that every output sees the whole input.
        """
        return (1, 1), (1, 1)

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments, as plain numbers and texts that can be saved."""
        return {}

    # What all layers share

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Compute the output and remember what ``backward`` needs.

        The input is not copied: leave it unchanged until ``backward`` has been called.
        """
        y, self._cache = self.compute(x, training=training)
        return y

    def backward(self, grad_y: np.ndarray, *, input_gradient: bool = True) -> np.ndarray | None:
        """Turn the gradient at the output into the gradient at the input; fill ``grads``.

        Raises
        ------
        RuntimeError
            Without a ``forward`` before it: each ``backward`` uses up what one ``forward`` kept.
        """
        if self._cache is None:
            raise RuntimeError(
                f"{type(self).__name__}.backward needs the forward pass it belongs to: call "
                "forward first, and once again before each further backward"
            )
        cache, self._cache = self._cache, None
        grad_x, self.grads = self.differentiate(grad_y, cache, input_gradient=input_gradient)
        return grad_x

    @property
    def parameter_count(self) -> int:
        """How many numbers training changes in this layer."""
        return sum(array.size for array in self.params.values())

    def __repr__(self) -> str:
        """Write the layer as one would make it: what is required, then what is not the default."""
        arguments = []
        for name, value in self.config().items():
            default = inspect.signature(type(self)).parameters[name].default
            if default is inspect.Parameter.empty:
                arguments.append(repr(_short(value)))
            elif _short(value) != _short(default):
                arguments.append(f"{name}={_short(value)!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"


def _short(value: Any) -> Any:
    """Write (3, 3) as 3."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


def check_grad(grad_y: np.ndarray, expected: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Check that a gradient has the shape of the output it belongs to; return it in ``dtype``."""
    if not isinstance(grad_y, np.ndarray) or grad_y.shape != tuple(expected):
        came = grad_y.shape if isinstance(grad_y, np.ndarray) else type(grad_y).__name__
        raise ValueError(
            f"grad_y must have the shape of the output it belongs to, {tuple(expected)}, got {came}"
        )
    return grad_y.astype(dtype, copy=False)
