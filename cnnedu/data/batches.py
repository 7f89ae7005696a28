"""Cut a set of images and labels into mini-batches, in order or shuffled."""

import operator
from collections.abc import Iterator

import numpy as np

PICKED = 16
"""How many examples are at least picked from shuffled data at a time."""


def iterate_batches(
    data,
    batch_size: int,
    *,
    rng: np.random.Generator | None = None,
    drop_last: bool = False,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the examples of `data` in mini-batches, each example once.

    Parameters
    ----------
    data : Part or (images, labels)
        Two arrays with the same first dimension, N.
    batch_size : int
        Examples in each batch, at least 1. The last batch holds what remains.
    rng : numpy.random.Generator, optional
        Shuffles the order of the examples. Without it they come in their own order.
    drop_last : bool
        Leave out the last batch if it is smaller than `batch_size`.

    Yields
    ------
    images : ndarray, shape (B, ...)
    labels : ndarray, shape (B, ...)
        B is `batch_size`, or less for the last batch. Batches in order are views of the data and
        cost no memory; shuffled batches are copies.

    Raises
    ------
    TypeError
        If `batch_size` is no whole number, `rng` no Generator, or `data` no pair.
    ValueError
        If `batch_size` is less than 1, or images and labels differ in number.

    Notes
    -----
    Arguments are checked, and the order is drawn from `rng`, when the function is called, not when
    the first batch is asked for. Lesson 4 explains why the order should change in every epoch.

    Examples
    --------
    >>> images, labels = np.zeros((5, 1, 2, 2)), np.arange(5)
    >>> [batch_labels.tolist() for _, batch_labels in iterate_batches((images, labels), 2)]
    [[0, 1], [2, 3], [4]]
    """
    images, labels = _as_pair(data)
    batch_size = _as_batch_size(batch_size)
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"expected rng to be a NumPy random generator, got {type(rng).__name__}; "
            "pass rng=np.random.default_rng(0)"
        )
    count = len(images)
    order = None if rng is None else rng.permutation(count)
    stop = count - count % batch_size if drop_last else count
    return _batches(images, labels, order, stop, batch_size)


def _batches(images, labels, order, stop, batch_size):
    # Picking examples one by one costs more than cutting a batch off: small ones are picked many at
    # a time.
    together = batch_size * max(1, PICKED // batch_size)
    for first in range(0, stop, together):
        chosen = slice(first, min(first + together, stop))
        if order is not None:
            chosen = order[chosen]
        some_images, some_labels = images[chosen], labels[chosen]
        for start in range(0, len(some_labels), batch_size):
            end = start + batch_size
            yield some_images[start:end], some_labels[start:end]


def _as_pair(data) -> tuple[np.ndarray, np.ndarray]:
    try:
        images, labels = data
    except (TypeError, ValueError):
        raise TypeError(
            f"expected a pair (images, labels) or a part of a data set, got {type(data).__name__}; "
            "pass data.train or (images, labels)"
        ) from None
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim == 0 or labels.ndim == 0 or len(images) != len(labels):
        raise ValueError(
            "expected as many labels as images, got images of shape "
            f"{images.shape} and labels of shape {labels.shape}; give one label for each image"
        )
    return images, labels


def _as_batch_size(batch_size) -> int:
    try:
        if isinstance(batch_size, (bool, np.bool_)):
            raise TypeError
        batch_size = operator.index(batch_size)
    except TypeError:
        raise TypeError(
            f"expected batch_size to be a whole number, got {batch_size!r}; "
            "give the number of images in each batch, such as 100"
        ) from None
    if batch_size < 1:
        raise ValueError(
            f"expected batch_size of at least 1, got {batch_size}; "
            "give the number of images in each batch, such as 100"
        )
    return batch_size
