"""What a system is: a network together with its data, its training and its way of counting."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cnnedu.architectures import IMAGE
from cnnedu.data.augmentation import Warp
from cnnedu.data.dataset import Dataset
from cnnedu.layers.base import Layer
from cnnedu.network import Sequential
from cnnedu.optimizers import Optimizer
from cnnedu.shapes import check_rng
from cnnedu.training import Callback, Evaluation, History, evaluate, fit

SLIGHTLY = Warp(rotation=4, scale=0.03, shear=0.03, shift=0.7, elastic=0.3, stroke=(0, 0), share=5)
"""Changes that small networks, which cannot learn much by heart, still profit from."""


def as_given(data: Dataset) -> Dataset:
    """Take the data as they are divided already."""
    return data


def keep_a_sixth(data: Dataset) -> Dataset:
    """Set the last sixth of the training images apart for validation: 10,000 of MNIST's 60,000."""
    train, validation = data.train.split(max(1, len(data.train) // 6))
    return replace(data, train=train, validation=validation)


@dataclass(frozen=True)
class System:
    """A network with its data preparation, its training and its stopping rule.

    Attributes
    ----------
    name : str
    as_written : bool
        Whether this form does all as its origin does, mistakes included.
    origin : str
        Where the system comes from.
    differences : str
        What the form as written does otherwise than the corrected one.
    epochs, batch_size, learning_rate
        What ``train`` takes if nothing else is said. The learning rate is where the schedule begins
        or peaks, if there is one.
    layers : callable
        ``rng -> list of layers``, the untrained network.
    optimizer : callable
        ``learning_rate -> Optimizer``, with the schedule.
    split : callable
        ``Dataset -> Dataset``, as this system divides it.
    enlarge : callable
        ``Dataset -> Dataset``, with more images to train on.
    drop_last : bool
        Whether a last batch that is not full is left out.
    augment : callable, optional
        Random changes of the images that are trained on, as ``fit`` takes them.
    augment_until : float
        The share of the training after which images are left as they are.
    """

    name: str
    as_written: bool
    origin: str
    differences: str
    epochs: int
    batch_size: int
    learning_rate: float
    layers: Callable[[np.random.Generator], list[Layer]]
    optimizer: Callable[[float], Optimizer]
    split: Callable[[Dataset], Dataset] = as_given
    enlarge: Callable[[Dataset], Dataset] = as_given
    drop_last: bool = False
    augment: Callable | None = None
    augment_until: float = 1.0

    def network(self, *, rng: np.random.Generator) -> Sequential:
        """Return the untrained network, for pixels in [0, 1], shape (N, 1, 28, 28)."""
        return Sequential(self.layers(check_rng(rng)), input_shape=IMAGE)

    def data(self, dataset: Dataset) -> Dataset:
        """Divide a data set as this system does.

        Parameters
        ----------
        dataset : Dataset
            Pixels in [0, 1], as ``load_mnist()`` and ``load_digits()`` give them.

        Returns
        -------
        Dataset
            ``train``, with what the system adds to it; ``test``; and ``validation``, which is None
            if the system keeps none.
        """
        return self.enlarge(self.split(dataset))

    def train(
        self,
        data: Dataset,
        *,
        rng: np.random.Generator,
        network: Sequential | None = None,
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        workers: int = 1,
        callbacks: Iterable[Callback] = (),
        progress: bool = True,
        resume: str | os.PathLike | None = None,
    ) -> tuple[Sequential, History]:
        """Train the network as this system does.

        Parameters
        ----------
        data : Dataset
            As ``data()`` returns it.
        rng : numpy.random.Generator
            For the weights, if no network is given, and for the training. To resume, give one with
            the same seed as at first.
        network : Sequential, optional
            Trained in place; made by ``network(rng=rng)`` if not given. Give one to have it in hand
            when the training is interrupted.
        epochs, learning_rate, batch_size : optional
            Instead of the system's own.
        workers, callbacks, progress, resume
            As ``cnnedu.fit`` takes them.

        Returns
        -------
        network : Sequential
        history : History
        """
        chosen = self.choose(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size)
        network = self.network(rng=rng) if network is None else network
        history = fit(
            network,
            data.train,
            epochs=chosen.epochs,
            batch_size=chosen.batch_size,
            optimizer=chosen.optimizer(chosen.learning_rate),
            rng=rng,
            augment=self.augment,
            augment_until=self.augment_until,
            validation=data.validation,
            callbacks=callbacks,
            progress=progress,
            drop_last=self.drop_last,
            workers=workers,
            resume=resume,
        )
        return network, history

    def choose(self, **settings: Any) -> System:
        """Return this system with other settings where they are not None."""
        given = {name: value for name, value in settings.items() if value is not None}
        return replace(self, **given)

    def evaluate(self, network: Sequential, part: Any, *, workers: int = 1) -> Evaluation:
        """Return loss and accuracy on some images, counted as this system counts them.

        Parameters
        ----------
        network : Sequential
        part : (images, labels) or a part of a data set
            Pixels in [0, 1].
        workers : int
            How many threads compute.
        """
        return evaluate(network, part, workers=workers)
