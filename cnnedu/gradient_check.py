"""Is the backward pass right? Wiggle each number a little and see whether the loss moves as told.

The derivative is approximated by central differences in float64,

    (loss(value + step) - loss(value - step)) / (2 * step),

and compared with what ``differentiate`` says. Lesson 3.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from cnnedu.layers.base import Layer
from cnnedu.losses import softmax_cross_entropy
from cnnedu.shapes import check_finite, check_float, check_rng


@dataclass(frozen=True)
class GradientReport:
    """How far the computed gradients are from the measured ones.

    Attributes
    ----------
    errors : dict of str to float
        For "input" and each parameter: the relative error of its whole gradient,
        ``norm(computed - measured) / max(norm(computed), norm(measured))``.
    worst : dict of str to tuple
        For each, where the two differ most: (index, computed, measured).
    """

    errors: dict[str, float]
    worst: dict[str, tuple[tuple[int, ...], float, float]]

    @property
    def max_error(self) -> float:
        """The largest of the relative errors."""
        return max(self.errors.values())

    def __repr__(self) -> str:
        width = max(len(name) for name in self.errors)
        lines = [f"{'':{width}}  relative error   worst place: computed, measured"]
        for name, error in self.errors.items():
            index, computed, measured = self.worst[name]
            place = "[" + ", ".join(str(number) for number in index) + "]"
            lines.append(f"{name:{width}}  {error:14.1e}   {place}: {computed:.6g}, {measured:.6g}")
        return "\n".join(lines)


def gradient_check(
    layer: Layer,
    x: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    loss=softmax_cross_entropy,
    training: bool = False,
    step: float = 1e-5,
    samples: int | None = None,
    rng: np.random.Generator,
) -> GradientReport:
    """Compare the gradients of a layer or a network with central differences.

    Works on a float64 copy; the layer itself is not touched.

    Parameters
    ----------
    layer : Layer
        A layer, or a whole network.
    x : ndarray, shape (N, ...)
        An input. Few and small images: every number is wiggled, twice.
    labels : ndarray of int, shape (N,), optional
        With labels, the loss is ``loss(output, labels)``. Without, it is ``sum(output * r)`` with
        random numbers ``r``, which tests any layer.
    loss : callable
        ``(outputs, labels) -> (loss, grad_outputs)``.
    training : bool
        Whether dropout is on; its random numbers are then the same at every wiggle.
    step : float
        How far to wiggle.
    samples : int, optional
        Wiggle only so many randomly chosen numbers of each array, for large networks.
    rng : numpy.random.Generator
        For ``r`` and the choice of samples.

    Returns
    -------
    GradientReport
        Below 1e-6 the gradients are right; 1e-2 and more means a mistake. Where a curve has a
        corner (ReLU at 0, two values tied for a maximum), the wiggle can step across it and
        disagree.

    Notes
    -----
    Lesson 3.
    """
    if not isinstance(layer, Layer):
        raise TypeError(f"layer must be a layer or a network, got {type(layer).__name__}")
    check_finite(check_float(x, "x"), "x")
    check_rng(rng)
    layer = _as_float64(layer)
    x = x.astype(np.float64)
    generators = _generators(layer)
    states = [generator.bit_generator.state for generator in generators]

    def compute():
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        return layer.compute(x, training=training)

    y, cache = compute()
    if labels is None:
        weights = rng.normal(size=y.shape)
        grad_y = weights
    else:
        _, grad_y = loss(y, labels)

    def value() -> float:
        output = compute()[0]
        return np.sum(output * weights) if labels is None else loss(output, labels)[0]

    grad_x, grads = layer.differentiate(grad_y, cache)
    arrays = {"input": (x, grad_x)}
    arrays |= {name: (array, grads[name]) for name, array in layer.params.items()}
    errors, worst = {}, {}
    for name, (array, computed) in arrays.items():
        indices = list(np.ndindex(array.shape))
        if samples is not None and samples < len(indices):
            indices = [indices[i] for i in rng.choice(len(indices), samples, replace=False)]
        pairs = np.array([(computed[i], _slope(value, array, i, step)) for i in indices])
        difference = np.abs(pairs[:, 0] - pairs[:, 1])
        scale = max(np.linalg.norm(pairs[:, 0]), np.linalg.norm(pairs[:, 1]))
        errors[name] = float(np.linalg.norm(difference) / scale) if scale else 0.0
        place = int(np.argmax(difference))
        worst[name] = (indices[place], float(pairs[place, 0]), float(pairs[place, 1]))
    return GradientReport(errors, worst)


def _slope(value, array: np.ndarray, index: tuple[int, ...], step: float) -> float:
    """Measure the derivative of ``value()`` with respect to one number, and put the number back."""
    before = array[index]
    array[index] = before + step
    above = value()
    array[index] = before - step
    below = value()
    array[index] = before
    return (above - below) / (2 * step)


def _as_float64(layer: Layer) -> Layer:
    """Return a copy with all parameters in float64 and no memory of any forward pass."""
    layer = copy.deepcopy(layer)
    for part in getattr(layer, "layers", [layer]):
        part.params = {name: array.astype(np.float64) for name, array in part.params.items()}
    return layer


def _generators(layer: Layer) -> list[np.random.Generator]:
    return [part.rng for part in getattr(layer, "layers", [layer]) if hasattr(part, "rng")]
