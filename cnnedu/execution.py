"""Running a network fast: a batch in pieces, layers that work together, threads side by side.

A batch is cut into pieces of a few dozen images. Each worker, one thread, computes the gradients of
its pieces one after the other, with its own workspaces, so that what it touches stays in its
processor's cache; the pieces' gradients are added up in their order. Workers share nothing but the
parameters, which none of them changes. NumPy lets go of Python's lock while it computes, so the
threads really run at the same time; its matrix library is kept to one thread each meanwhile.

Layers stay as they are: a worker's network is made of copies of them that share the parameters,
with convolutions and what follows them put together (``cnnedu.layers.fused``). Lesson 11.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import lru_cache

import numpy as np

from cnnedu.layers.base import Layer
from cnnedu.layers.dropout import Dropout
from cnnedu.layers.fused import ConvBlock, fuse
from cnnedu.shapes import positive
from cnnedu.workspace import keep_freed_memory

PIECE = 50
"""Images in a piece: few enough for the cache, enough for long runs in memory."""
PIECE_NUMBERS = 4_000_000
"""Numbers in the patches of a piece: networks with large layers take smaller pieces."""


@lru_cache
def _matrix_libraries():
    """Return the control over the threads of the matrix library that NumPy uses."""
    from threadpoolctl import ThreadpoolController  # imported late: it looks at every library

    return ThreadpoolController()


def one_matrix_thread():
    """Keep NumPy's matrix library to one thread inside a ``with`` statement."""
    return _matrix_libraries().limit(limits=1)


def worker_network(network: Layer) -> Layer:
    """Copy a network for one worker: same parameters, own caches and workspaces, layers fused."""
    twin = copy.copy(network)
    layers = [copy.copy(layer) for layer in network.layers]
    twin.layers, twin.names = fuse(layers, network.names)
    return twin


def piece_size(network: Layer, image_shape: tuple[int, ...]) -> int:
    """Return how many images a piece may have, from the largest layer's patches."""
    largest, shape = 1, image_shape
    for position, output in network.shapes(image_shape):
        layer = network.layers[position]
        if isinstance(layer, ConvBlock):
            kh, kw = layer.conv.kernel_size
            _, p, q = layer.conv.output_shape(shape)
            largest = max(largest, layer.conv.in_channels * kh * kw * p * q)
        shape = output
    return max(1, min(PIECE, PIECE_NUMBERS // largest))


@lru_cache
def cut(count: int, workers: int, size: int) -> list[list[slice]]:
    """Cut a batch into pieces for each worker: equal shares, each in pieces of at most ``size``.

    Examples
    --------
    >>> cut(120, 2, 50)
    [[slice(0, 30), slice(30, 60)], [slice(60, 90), slice(90, 120)]]
    """
    shares = []
    for worker in range(workers):
        start, stop = count * worker // workers, count * (worker + 1) // workers
        pieces = -(-(stop - start) // size)
        edges = [start + (stop - start) * piece // pieces for piece in range(pieces)] + [stop]
        shares.append([slice(a, b) for a, b in zip(edges, edges[1:], strict=False) if a < b])
    return shares


class Workers:
    """Some threads that compute for one network; use it in a ``with`` statement.

    Parameters
    ----------
    network : Sequential
    count : int
        How many threads, this one included.
    """

    def __init__(self, network: Layer, count: int = 1) -> None:
        self.count = count = positive(count, "workers")
        self.networks = [worker_network(network) for _ in range(count)]
        self.dropouts = [
            position
            for position, layer in enumerate(self.networks[0].layers)
            if isinstance(layer, Dropout)
        ]
        self._plans: dict[tuple[int, ...], tuple[int, list[tuple[int, tuple[int, ...]]]]] = {}

    def __enter__(self) -> Workers:
        keep_freed_memory()
        self._exit = ExitStack()
        self._exit.enter_context(one_matrix_thread())
        self._pool = None
        if self.count > 1:
            self._pool = self._exit.enter_context(ThreadPoolExecutor(self.count - 1))
        return self

    def __exit__(self, *error) -> None:
        self._exit.close()

    def _on_all(self, task: Callable[[int], object]) -> list:
        """Call ``task(worker)`` for every worker at once; what one raises is raised here."""
        if self.count == 1:
            return [task(0)]
        others = [self._pool.submit(task, worker) for worker in range(1, self.count)]
        return [task(0), *(other.result() for other in others)]

    def gradients(self, images, targets, loss) -> tuple[float, np.ndarray, dict[str, np.ndarray]]:
        """Compute loss, outputs and the parameters' gradients for one batch, in training mode.

        Dropout's random numbers are drawn for the whole batch first, so that cutting it into pieces
        does not change them.
        """
        count = len(images)
        piece, dropped = self._plan(images.shape[1:])
        shares = cut(count, self.count, piece)
        random = [
            (position, self.networks[0].layers[position].draw((count, *shape)))
            for position, shape in dropped
        ]

        def work(worker: int):
            network, total, outputs, value = self.networks[worker], None, [], 0.0
            # A loss that overflows is told by its value; NumPy's warnings would come first.
            with np.errstate(over="ignore", invalid="ignore"):
                for piece in shares[worker]:
                    for position, numbers in random:
                        network.layers[position].drawn = numbers[piece]
                    y, cache = network.compute(images[piece], training=True)
                    outputs.append(np.array(y))  # the memory of y may be used again
                    piece_loss, grad = loss(y, targets[piece])
                    share = (piece.stop - piece.start) / count
                    value += share * piece_loss
                    if share != 1:
                        grad *= grad.dtype.type(share)
                    _, grads = network.differentiate(grad, cache, input_gradient=False)
                    total = grads if total is None else _add(total, grads)
            return value, outputs, total

        (value, outputs, total), *others = self._on_all(work)
        for other_value, other_outputs, grads in others:
            value += other_value
            outputs += other_outputs
            if grads is not None:  # with more workers than images, some have nothing to do
                total = grads if total is None else _add(total, grads)
        return value, outputs[0] if len(outputs) == 1 else np.concatenate(outputs), total

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """Compute the network's outputs for any number of images, dropout off."""
        shares = cut(len(images), self.count, self._plan(images.shape[1:])[0])

        def work(worker: int):
            network = self.networks[worker]
            return [np.array(network.compute(images[piece])[0]) for piece in shares[worker]]

        return np.concatenate([y for ys in self._on_all(work) for y in ys])

    def _plan(self, image_shape: tuple[int, ...]) -> tuple[int, list[tuple[int, tuple]]]:
        """Return the size of a piece, and the dropouts with the shapes that reach them."""
        if image_shape not in self._plans:
            network = self.networks[0]
            shapes = dict(network.shapes(image_shape))
            dropped = [(position, shapes[position]) for position in self.dropouts]
            self._plans[image_shape] = piece_size(network, image_shape), dropped
        return self._plans[image_shape]


def _add(total: dict[str, np.ndarray], grads: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    for name, grad in grads.items():
        total[name] += grad
    return total
