"""Where weights start: random numbers whose spread fits the number of inputs and outputs.

Every initializer is a function of the same form, so that a layer can be given any of them:
``initializer(shape, fan_in, fan_out, rng)`` returns a float64 array of that shape. ``fan_in``
counts the inputs that each output adds up, ``fan_out`` the outputs that each input reaches.
"""

from __future__ import annotations

import numpy as np


def he_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw normal numbers with variance ``2 / fan_in``: keeps the spread through ReLU layers.

    He et al. (2015), "Delving deep into rectifiers". Lesson 3.
    """
    return rng.normal(0.0, np.sqrt(2.0 / fan_in), shape)


def glorot_uniform(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw uniformly from ``±sqrt(6 / (fan_in + fan_out))``: a middle way for forward and backward.

    Glorot and Bengio (2010), "Understanding the difficulty of training deep feedforward neural
    networks". The default of Lasagne, and of this package. Lesson 3.
    """
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, shape)


def lecun_normal(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw normal numbers with variance ``1 / fan_in``: keeps the spread through linear layers.

    LeCun et al. (1998), "Efficient BackProp".
    """
    return rng.normal(0.0, np.sqrt(1.0 / fan_in), shape)


def normal_over_area(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw normal numbers over the kernel's area, ``randn / k**2``: a common home-made choice.

    For a k x k kernel over one channel the variance is ``1 / fan_in**2``, smaller than any of the
    rules above recommend.
    """
    return rng.normal(0.0, 1.0, shape) / fan_in


def uniform_positive(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw uniformly from ``[0, 1 / fan_in)``: no weight negative, every kernel starts a blur."""
    return rng.uniform(0.0, 1.0, shape) / fan_in


def uniform_unit(shape: tuple[int, ...], fan_in: int, fan_out: int, rng: np.random.Generator):
    """Draw uniformly from (-1, 1), however many inputs there are: right only for tiny inputs."""
    return rng.uniform(-1.0, 1.0, shape)
