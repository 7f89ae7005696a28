"""``cnn-rs``: sixteen 3 x 3 kernels, pooling, softmax; trained one image at a time in Rust.

M. Cvet, "Convolutional neural networks from the ground up" (Better Programming, 2023), and its
program, github.com/mikecvet/cnn-rs. 27,194 parameters. Its own log shows 98 to 99 % after a few
epochs, of the images that it is being trained on; on the test images the same training reaches
97.1 % after five. The corrected form's recipe was chosen by the last 10,000 training images.
"""

from __future__ import annotations

import numpy as np

from cnnedu.architectures import ARCHITECTURES, CLASSES
from cnnedu.initializers import uniform_positive
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D
from cnnedu.layers.base import Layer
from cnnedu.optimizers import SGD, Adam, CosineDecay
from cnnedu.systems.base import SLIGHTLY, System

ORIGIN = (
    "M. Cvet, Convolutional neural networks from the ground up, Better Programming, 2023; "
    "github.com/mikecvet/cnn-rs"
)
DIFFERENCES = (
    "As written, it is trained one image at a time, at a learning rate of 0.01 that never falls; "
    "in a pooling window with several equal largest numbers each of them gets the whole gradient; "
    "the dense layer starts with a variance of 2 / (2704 * 10), where the rule that is meant (He "
    "et al., 2015) says 2 / 2704; and its log gives the loss in bits and the accuracy on the "
    "images that are being trained on."
)


def normal_over_all(shape, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Draw normal numbers with variance ``2 / (number of weights)``: the origin's dense layer."""
    return rng.normal(0.0, np.sqrt(2.0 / (fan_in * fan_out)), shape)


def _as_written(rng: np.random.Generator) -> list[Layer]:
    return [
        Conv2D(1, 16, 3, bias=False, initializer=uniform_positive, rng=rng),
        MaxPool2D(2, ties="all"),
        Flatten(),
        Dense(16 * 13 * 13, CLASSES, initializer=normal_over_all, rng=rng),
    ]


CORRECTED = System(
    name="cnn-rs",
    as_written=False,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=10,
    batch_size=50,
    learning_rate=0.01,
    layers=ARCHITECTURES["cnn-rs"],
    optimizer=lambda rate: Adam(CosineDecay(rate), weight_decay=0.05),
    augment=SLIGHTLY,
)
AS_WRITTEN = System(
    name="cnn-rs",
    as_written=True,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=5,
    batch_size=1,
    learning_rate=0.01,
    layers=_as_written,
    optimizer=SGD,
)
