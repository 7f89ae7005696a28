"""``notebook``: six 3 x 3 kernels, pooling, softmax; 25 steps of ten random images.

A public lecture notebook, "Convolutional Neural Network", that builds the layers in NumPy loops.
10,194 parameters. Its curve comes from five test images after each step, so that it can only take
the values 0, 0.2, ... 1. The corrected form's recipe was chosen by a sixth of the training images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cnnedu.architectures import ARCHITECTURES, CLASSES
from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.mnist import openml_order
from cnnedu.initializers import lecun_normal, normal_over_area
from cnnedu.layers import Conv2D, Dense, Flatten, MaxPool2D
from cnnedu.layers.base import Layer
from cnnedu.network import Sequential
from cnnedu.optimizers import SGD, Adam, CosineDecay
from cnnedu.systems.base import SLIGHTLY, System
from cnnedu.training import Callback, History, Training

ORIGIN = 'the lecture notebook "Convolutional Neural Network" (NumPy, mnist_784 from OpenML)'
DIFFERENCES = (
    "As written, it sees 250 images in all: 25 steps of ten, drawn at random, at a learning rate "
    "of 0.1, and is tested on five random images after each; in a pooling window with several "
    "equal largest numbers each of them gets the whole gradient; and training and test images are "
    "drawn from one heap of all the images there are, so that the same people wrote both."
)
TEST_COUNT = 5
"""How many images the curve of the form as written is tested on."""


def one_heap(data: Dataset) -> Dataset:
    """Put all images together, shuffle them, and set a fifth apart for the test.

    With MNIST in its standard order this gives what ``train_test_split(X, y, test_size=0.2,
    random_state=42)`` makes of OpenML's ``mnist_784``: 56,000 and 14,000 images.
    """
    images = np.concatenate([data.train.images, data.test.images])
    labels = np.concatenate([data.train.labels, data.test.labels])
    train, test = (Part(images[chosen], labels[chosen]) for chosen in openml_order(len(labels)))
    return replace(data, train=train, test=test)


def _as_written(rng: np.random.Generator) -> list[Layer]:
    return [
        Conv2D(1, 6, 3, bias=False, initializer=normal_over_area, rng=rng),
        MaxPool2D(2, ties="all"),
        Flatten(),
        Dense(6 * 13 * 13, CLASSES, bias=False, initializer=lecun_normal, rng=rng),
    ]


class FewImageTests(Callback):
    """Test on five random images after each step; the results go to ``validation_accuracy``."""

    def __init__(self, test: Part, seed: int) -> None:
        self.test, self.seed = test, seed

    def on_batch_end(self, training: Training) -> None:
        """Draw five images and count."""
        rng = np.random.default_rng([self.seed, training.step])  # the same after a resume
        images, labels = self.test[rng.choice(len(self.test), TEST_COUNT)]
        right = training.network.predict(images) == labels
        training.history.validation_accuracy.append(float(right.mean()))


@dataclass(frozen=True)
class AsWritten(System):
    """The notebook's own training; its ``epochs`` are steps, each of other random images.

    The images of all steps are drawn at once, with repetition; ``fit`` then goes through them
    once. ``history.validation_accuracy`` holds the tests on five images, one for each step.
    """

    def train(
        self, data, *, rng, epochs=None, batch_size=None, network=None, callbacks=(), **options
    ) -> tuple[Sequential, History]:
        """Train so many steps (25 if not given); for the rest as ``System.train``."""
        chosen = self.choose(epochs=epochs, batch_size=batch_size)
        network = self.network(rng=rng) if network is None else network
        drawn = rng.choice(len(data.train), chosen.epochs * chosen.batch_size)
        tests = FewImageTests(data.test, int(rng.integers(2**32)))
        return super().train(
            replace(data, train=data.train[drawn], validation=None),
            rng=rng,
            epochs=1,
            batch_size=chosen.batch_size,
            network=network,
            callbacks=[tests, *callbacks],
            **options,
        )


CORRECTED = System(
    name="notebook",
    as_written=False,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=20,
    batch_size=50,
    learning_rate=0.01,
    layers=ARCHITECTURES["notebook"],
    optimizer=lambda rate: Adam(CosineDecay(rate), weight_decay=0.05),
    augment=SLIGHTLY,
)
AS_WRITTEN = AsWritten(
    name="notebook",
    as_written=True,
    origin=ORIGIN,
    differences=DIFFERENCES,
    epochs=25,
    batch_size=10,
    learning_rate=0.1,
    layers=_as_written,
    optimizer=SGD,
    split=one_heap,
)
