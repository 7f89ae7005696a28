"""How weights and gradients flow through a training: their size and spread, layer by layer.

A network whose first layers get gradients a thousand times smaller than its last ones does not
learn there; one whose gradients grow is about to fall over.
"""

from __future__ import annotations

import numpy as np

from cnnedu.shapes import positive
from cnnedu.training import Callback, Training

LEVELS = (5, 25, 50, 75, 95)


class FlowRecorder(Callback):
    """Note the size and spread of each weight array, and of its gradient, along a training.

    Of all the numbers of an array five stay: the percentiles in ``LEVELS``; and their root mean
    square, ``sqrt(mean(array**2))``, which unlike the norm does not grow with the array's length.

    Parameters
    ----------
    every : int
        Note after every so many batches, the first one included.
    biases : bool
        Whether to note biases, too.

    Attributes
    ----------
    steps : list of int
        After how many batches each note was made.
    weight_size, gradient_size : dict of str to list of float
        By full name ("conv1.weight"), the root mean square at each step; the gradient is that of
        the step just taken.
    weight_spread, gradient_spread : dict of str to list of ndarray, shape (5,)
        The percentiles.
    """

    def __init__(self, every: int = 1, *, biases: bool = False) -> None:
        self.every = positive(every, "every")
        self.biases = bool(biases)
        self._clear()

    def _clear(self) -> None:
        self.steps: list[int] = []
        self.weight_size: dict[str, list[float]] = {}
        self.gradient_size: dict[str, list[float]] = {}
        self.weight_spread: dict[str, list[np.ndarray]] = {}
        self.gradient_spread: dict[str, list[np.ndarray]] = {}

    def on_start(self, training: Training) -> None:
        """Begin anew."""
        self._clear()

    def on_batch_end(self, training: Training) -> None:
        """Note everything when it is time."""
        if self.steps and training.step % self.every:
            return
        self.steps.append(training.step)
        for name, weights in training.network.params.items():
            if name.endswith(".bias") and not self.biases:
                continue
            gradients = training.gradients[name]
            for array, sizes, spreads in (
                (weights, self.weight_size, self.weight_spread),
                (gradients, self.gradient_size, self.gradient_spread),
            ):
                size = float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))
                sizes.setdefault(name, []).append(size)
                spreads.setdefault(name, []).append(np.percentile(array, LEVELS))
