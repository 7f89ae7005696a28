"""The networks of the course, by name: small ones that other people have described and trained.

Each is the *corrected* form of its origin: the same layers and the same number of parameters, with
the gradients that the loss really has.
"""

from __future__ import annotations

import numpy as np

from cnnedu.initializers import normal_over_area, uniform_positive, uniform_unit
from cnnedu.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxOverChannels,
    MaxPool2D,
    ReLU,
    Tanh,
)
from cnnedu.layers.base import Layer
from cnnedu.network import Sequential
from cnnedu.shapes import check_rng

IMAGE = (1, 28, 28)
CLASSES = 10


def _notebook(rng: np.random.Generator) -> list[Layer]:
    """Six 3 x 3 kernels, pooling, one dense layer; no bias, no ReLU. 10,194 parameters."""
    return [
        Conv2D(1, 6, 3, bias=False, initializer=normal_over_area, rng=rng),
        MaxPool2D(2),
        Flatten(),
        Dense(6 * 13 * 13, CLASSES, bias=False, rng=rng),
    ]


def _cnn_rs(rng: np.random.Generator) -> list[Layer]:
    """Sixteen 3 x 3 kernels, pooling, one dense layer with bias; no ReLU. 27,194 parameters."""
    return [
        Conv2D(1, 16, 3, bias=False, initializer=uniform_positive, rng=rng),
        MaxPool2D(2),
        Flatten(),
        Dense(16 * 13 * 13, CLASSES, rng=rng),
    ]


def _competing_kernels(rng: np.random.Generator) -> list[Layer]:
    """Nine 8 x 8 kernels, one of which wins at each place, two dense layers. 45,676 parameters."""
    start = {"bias": False, "initializer": uniform_unit, "rng": rng}
    return [
        Conv2D(1, 9, 8, **start),
        MaxOverChannels(),
        Tanh(),
        Flatten(),
        Dense(21 * 21, 100, **start),
        Tanh(),
        Dense(100, CLASSES, **start),
    ]


def _lasagne(rng: np.random.Generator, *, dropout: tuple[float, float] = (0.5, 0.5)) -> list[Layer]:
    """Two convolutions of 32 kernels 5 x 5, two dense layers, dropout. 160,362 parameters."""
    return [
        Conv2D(1, 32, 5, rng=rng),
        ReLU(),
        MaxPool2D(2),
        Conv2D(32, 32, 5, rng=rng),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dropout(dropout[0], rng=rng),
        Dense(32 * 4 * 4, 256, rng=rng),
        ReLU(),
        Dropout(dropout[1], rng=rng),
        Dense(256, CLASSES, rng=rng),
    ]


ARCHITECTURES = {
    "notebook": _notebook,
    "cnn-rs": _cnn_rs,
    "competing-kernels": _competing_kernels,
    "lasagne": _lasagne,
}


def build(name: str, *, rng: np.random.Generator) -> Sequential:
    """Build one of the course's networks, untrained, for images of shape (1, 28, 28).

    Parameters
    ----------
    name : str
        - "notebook": six 3 x 3 kernels -> pooling -> 10; 10,194 parameters (lessons 3 to 5).
        - "cnn-rs": sixteen 3 x 3 kernels -> pooling -> 10; 27,194 parameters.
        - "competing-kernels": nine 8 x 8 kernels -> the largest at each place -> tanh -> 100 ->
          tanh -> 10, no biases; 45,676 parameters (lesson 7). Its weights start in (-1, 1), which
          suits images prepared by ``cnnedu.data.divide_by_variance``, as its system does.
        - "lasagne": 32 kernels 5 x 5 -> pooling -> 32 kernels 5 x 5 -> pooling -> 256 -> 10, with
          ReLU and dropout; 160,362 parameters (after the example network of the Lasagne library).
    rng : numpy.random.Generator
        For the weights, and for dropout during training.

    Returns
    -------
    Sequential

    Raises
    ------
    ValueError
        If there is no network of that name.
    """
    if name not in ARCHITECTURES:
        known = ", ".join(repr(known) for known in ARCHITECTURES)
        raise ValueError(f"name must be one of {known}, got {name!r}")
    return Sequential(ARCHITECTURES[name](check_rng(rng)), input_shape=IMAGE)
