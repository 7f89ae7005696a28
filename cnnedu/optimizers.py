"""Optimizers: how parameters move, given their gradients; and schedules for how far.

An optimizer never sees a network, only triples ``(name, parameter, gradient)``. It changes the
parameters in place and remembers, by name, what it needs for the next step.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Triple = tuple[str, np.ndarray, np.ndarray]

# ---------------------------------------------------------------------------------------------
# Schedules: the learning rate as a function of how much of the training is done (0 to 1)
# ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class StepDecay:
    """Start at ``start``; multiply by ``factor`` when each share of the training ``at`` is done."""

    start: float
    factor: float = 0.1
    at: tuple[float, ...] = (0.5, 0.75)

    def __call__(self, progress: float) -> float:
        """Return the learning rate at ``progress`` in [0, 1]."""
        return self.start * self.factor ** sum(progress >= share for share in self.at)


@dataclasses.dataclass(frozen=True)
class CosineDecay:
    """Fall from ``start`` to ``end`` along half a cosine (Loshchilov and Hutter, 2017)."""

    start: float
    end: float = 0.0

    def __call__(self, progress: float) -> float:
        """Return the learning rate at ``progress`` in [0, 1]."""
        return self.end + (self.start - self.end) * (1 + math.cos(math.pi * progress)) / 2


@dataclasses.dataclass(frozen=True)
class Triangular:
    """Rise in a line from ``start`` to ``peak``, then fall in a line to ``end`` (Smith, 2017).

    ``rise`` and ``hold`` are the shares of the training in which the rate rises, and in which it
    stays at the peak before it falls.
    """

    peak: float
    rise: float = 0.3
    hold: float = 0.0
    start: float = 0.0
    end: float = 0.0

    def __call__(self, progress: float) -> float:
        """Return the learning rate at ``progress`` in [0, 1]."""
        if progress < self.rise:
            return self.start + (self.peak - self.start) * progress / self.rise
        fall = 1 - self.rise - self.hold
        if progress <= 1 - fall:
            return self.peak
        return self.end + (self.peak - self.end) * (1 - progress) / fall


# ---------------------------------------------------------------------------------------------
# Optimizers
# ---------------------------------------------------------------------------------------------


def _number(value: Any, name: str, low: float, high: float = math.inf) -> float:
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (real and low <= value < high):
        limit = f"at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g})"
        raise ValueError(f"{name} must be a number {limit}, got {value!r}")
    return float(value)


class Optimizer:
    """The base of all optimizers.

    Parameters
    ----------
    learning_rate : float or callable
        The step size, or a schedule: a function of the share of the training that is done, in [0,
        1].
    weight_decay : float
        How strongly every parameter is pulled toward zero.
    """

    def __init__(
        self, learning_rate: float | Callable[[float], float], *, weight_decay: float = 0.0
    ) -> None:
        if not callable(learning_rate):
            learning_rate = _number(learning_rate, "learning_rate", 0.0)
        self.learning_rate = learning_rate
        self.weight_decay = _number(weight_decay, "weight_decay", 0.0)
        self.memory: dict[str, dict[str, np.ndarray]] = {}
        self.steps = 0

    def rate(self, progress: float = 0.0) -> float:
        """Return the learning rate when ``progress`` (0 to 1) of the training is done."""
        rate = self.learning_rate
        return rate(progress) if callable(rate) else rate

    def step(self, triples: Iterable[Triple], progress: float = 0.0) -> None:
        """Move every parameter once, in place.

        Parameters
        ----------
        triples : iterable of (name, parameter, gradient)
            Parameter and gradient of the same shape. The gradients are left as they are.
        progress : float
            The share of the training that is done, for a schedule.

        Raises
        ------
        ValueError
            If a gradient has another shape than its parameter.
        """
        rate = self.rate(progress)
        self.steps += 1
        for name, parameter, gradient in triples:
            if gradient.shape != parameter.shape:
                raise ValueError(
                    f"the gradient of {name} must have the parameter's shape {parameter.shape}, "
                    f"got {gradient.shape}"
                )
            self.update(name, parameter, gradient, rate)

    def update(self, name: str, parameter: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Move one parameter, in place; each optimizer defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    def remembered(self, name: str, kind: str, parameter: np.ndarray) -> np.ndarray:
        """Return what is remembered of a parameter (zeros at first), to be changed in place."""
        memory = self.memory.setdefault(name, {})
        if kind not in memory:
            memory[kind] = np.zeros_like(parameter)
        return memory[kind]

    def decayed(self, parameter: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        """Add the pull toward zero, ``weight_decay * parameter``, to the gradient."""
        if not self.weight_decay:
            return gradient
        return gradient + parameter.dtype.type(self.weight_decay) * parameter

    def state(self) -> dict[str, Any]:
        """Return what is remembered, to be saved."""
        return {"steps": self.steps, "memory": self.memory}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved ``state``."""
        self.steps = state["steps"]
        self.memory = {
            name: {kind: array.copy() for kind, array in kinds.items()}
            for name, kinds in state["memory"].items()
        }

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"learning_rate": self.learning_rate, "weight_decay": self.weight_decay}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config().items())
        return f"{type(self).__name__}({arguments})"


class SGD(Optimizer):
    """Stochastic gradient descent: ``parameter -= learning_rate * gradient``.

    ``weight_decay`` adds ``weight_decay * parameter`` to the gradient. Lesson 4.
    """

    def update(self, name, parameter, gradient, rate):
        """Take one step downhill."""
        parameter -= parameter.dtype.type(rate) * self.decayed(parameter, gradient)


class Momentum(Optimizer):
    """Gradient descent with a velocity that remembers earlier gradients.

    ``velocity = momentum * velocity - learning_rate * gradient``, then ``parameter += velocity``;
    or, with ``nesterov=True``, ``parameter += momentum * velocity - learning_rate * gradient``: a
    look ahead along the velocity (Sutskever et al., 2013, as Lasagne and PyTorch compute it).
    ``weight_decay`` adds ``weight_decay * parameter`` to the gradient.

    Parameters
    ----------
    learning_rate : float or schedule
    momentum : float
        The share of the velocity that is kept, in [0, 1).
    nesterov : bool
    weight_decay : float

    Notes
    -----
    Lesson 4.
    """

    def __init__(
        self,
        learning_rate: float | Callable[[float], float],
        momentum: float = 0.9,
        *,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.momentum = _number(momentum, "momentum", 0.0, 1.0)
        self.nesterov = bool(nesterov)

    def update(self, name, parameter, gradient, rate):
        """Push the velocity along the gradient, and the parameter along the velocity."""
        number = parameter.dtype.type
        push = number(-rate) * self.decayed(parameter, gradient)
        velocity = self.remembered(name, "velocity", parameter)
        velocity *= number(self.momentum)
        velocity += push
        if self.nesterov:
            push += number(self.momentum) * velocity
            parameter += push
        else:
            parameter += velocity

    def config(self):
        """Return the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "momentum": self.momentum,
            "nesterov": self.nesterov,
            "weight_decay": self.weight_decay,
        }


class Adam(Optimizer):
    """Steps scaled, for each number, by the recent size of its gradient (Kingma and Ba, 2015).

    With ``m`` and ``v`` the running means of the gradient and of its square, corrected for their
    start at zero: ``parameter -= learning_rate * m / (sqrt(v) + epsilon)``. ``weight_decay`` pulls
    the parameter itself, ``parameter -= learning_rate * weight_decay * parameter``, apart from the
    scaling ("AdamW"; Loshchilov and Hutter, 2019).

    Parameters
    ----------
    learning_rate : float or schedule
    betas : (float, float)
        The share of the running means of gradient and square that is kept at each step.
    epsilon : float
        Keeps the division finite.
    weight_decay : float

    Notes
    -----
    Lesson 4.
    """

    def __init__(
        self,
        learning_rate: float | Callable[[float], float] = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        *,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.betas = tuple(_number(beta, "betas", 0.0, 1.0) for beta in betas)
        self.epsilon = _number(epsilon, "epsilon", 0.0)

    def update(self, name, parameter, gradient, rate):
        """Update both running means and take the scaled step."""
        number = parameter.dtype.type
        beta_m, beta_v = self.betas
        m = self.remembered(name, "m", parameter)
        v = self.remembered(name, "v", parameter)
        m += number(1 - beta_m) * (gradient - m)
        v += number(1 - beta_v) * (gradient * gradient - v)
        unbiased_m = m / number(1 - beta_m**self.steps)
        unbiased_v = v / number(1 - beta_v**self.steps)
        if self.weight_decay:
            parameter *= number(1 - rate * self.weight_decay)
        parameter -= number(rate) * unbiased_m / (np.sqrt(unbiased_v) + number(self.epsilon))

    def config(self):
        """Return the constructor's arguments."""
        return {
            "learning_rate": self.learning_rate,
            "betas": self.betas,
            "epsilon": self.epsilon,
            "weight_decay": self.weight_decay,
        }
