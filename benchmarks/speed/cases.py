"""What is measured: networks, batches, optimizers, threads."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from cnnedu import (
    SGD,
    AvgPool2D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Momentum,
    ReLU,
    Sequential,
    Tanh,
)
from cnnedu.architectures import ARCHITECTURES, build


def _color(rng: np.random.Generator) -> list:
    """Three convolutions of 3 x 3 with padding, for color images of 32 x 32."""
    return [
        Conv2D(3, 16, 3, padding="same", rng=rng),
        ReLU(),
        MaxPool2D(2),
        Conv2D(16, 32, 3, padding="same", rng=rng),
        ReLU(),
        MaxPool2D(2),
        Conv2D(32, 64, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dense(64 * 4 * 4, 10, rng=rng),
    ]


def _lenet(rng: np.random.Generator) -> list:
    """Build a network in the manner of LeNet-5 (LeCun et al., 1998): tanh and mean pooling."""
    return [
        Conv2D(1, 6, 5, padding=2, rng=rng),
        Tanh(),
        AvgPool2D(2),
        Conv2D(6, 16, 5, rng=rng),
        Tanh(),
        AvgPool2D(2),
        Flatten(),
        Dense(16 * 5 * 5, 120, rng=rng),
        Tanh(),
        Dense(120, 84, rng=rng),
        Tanh(),
        Dense(84, 10, rng=rng),
    ]


def _odd(rng: np.random.Generator) -> list:
    """Sizes that fit nothing: strides, odd windows, a kernel of 7, maps that pooling cuts off."""
    return [
        Conv2D(2, 24, 7, stride=2, padding=1, rng=rng),
        MaxPool2D(3),
        ReLU(),
        Conv2D(24, 40, 3, rng=rng),
        ReLU(),
        Flatten(),
        Dropout(0.25, rng=rng),
        Dense(40 * 4 * 3, 10, rng=rng),
    ]


OTHERS = {
    "color": (_color, (3, 32, 32)),
    "lenet": (_lenet, (1, 28, 28)),
    "odd": (_odd, (2, 41, 37)),
}
"""Networks that nothing in the package was made for: how general is the speed?"""


def make_network(name: str, *, dropout: bool = True) -> Sequential:
    """Build a network by name, the same weights every time, with or without its dropout."""
    rng = np.random.default_rng(0)
    if name in ARCHITECTURES:
        network = build(name, rng=rng)
    else:
        make, shape = OTHERS[name]
        network = Sequential(make(rng), input_shape=shape)
    if not dropout:
        layers = [layer for layer in network if not isinstance(layer, Dropout)]
        network = Sequential(layers, input_shape=network.input_shape)
    return network


def make_data(shape: tuple[int, ...], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Make random images and labels: what is in them does not change the time they take."""
    rng = np.random.default_rng(1)
    return rng.random((count, *shape), dtype=np.float32), rng.integers(0, 10, count)


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    network: str
    batch: int
    optimizer: str = "sgd"
    threads: int = 1
    mode: str = "training"
    classics: bool = False
    """Whether the textbook forms are measured too (some are slow)."""

    @property
    def name(self) -> str:
        """A short name, unique in the table."""
        mode = "" if self.mode == "training" else f"-{self.mode}"
        return f"{self.network}-{self.batch}{mode}-{self.threads}t"

    def make_optimizer(self):
        """Return the optimizer; one image at a time takes smaller steps."""
        if self.optimizer == "nesterov":
            return Momentum(0.01, nesterov=True)
        return SGD(self.learning_rate)

    @property
    def learning_rate(self) -> float:
        """The step size."""
        return 0.001 if self.batch == 1 else 0.01

    def as_dict(self) -> dict:
        """Return the case as plain numbers and texts."""
        return {"name": self.name, **asdict(self)}


CASES = [
    Case("lasagne", 50, "nesterov", 1, classics=True),
    Case("lasagne", 50, "nesterov", 2),
    Case("lasagne", 500, "nesterov", 1),
    Case("lasagne", 500, "nesterov", 2),
    Case("lasagne", 500, "nesterov", 1, "prediction"),
    Case("lasagne", 500, "nesterov", 2, "prediction"),
    Case("cnn-rs", 1, classics=True),
    Case("notebook", 1, classics=True),
    Case("cnn-rs", 32, classics=True),
    Case("notebook", 32, classics=True),
    Case("color", 64, "nesterov", 1),
    Case("color", 64, "nesterov", 2),
    Case("lenet", 32, "nesterov", 1),
    Case("odd", 20, "nesterov", 1),
]

MEMORY_CASES = [
    Case("lasagne", 50, "nesterov", 1, classics=True),
    Case("lasagne", 50, "nesterov", 2),
    Case("lasagne", 500, "nesterov", 1, classics=True),
    Case("lasagne", 500, "nesterov", 2),
]
MEMORY_IMAGES = 1000
"""How many images are trained on while memory is measured."""
START_CASES = [
    Case("lasagne", 50, "nesterov", 1),
    Case("lasagne", 50, "nesterov", 2),
    Case("cnn-rs", 32),
    Case("notebook", 1),
]
