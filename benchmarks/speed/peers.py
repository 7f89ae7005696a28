"""The peers that need nothing but NumPy and SciPy: the project itself, and ways from textbooks."""

from __future__ import annotations

import platform
import time
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.speed.cases import Case, make_data, make_network
from cnnedu import Conv2D, fit, softmax_cross_entropy
from cnnedu.execution import PIECE, PIECE_NUMBERS
from cnnedu.layers import conv2d_backward, conv2d_forward
from cnnedu.shapes import images_last
from cnnedu.workspace import Workspace


class Peer:
    """One way to train a network and to predict with it."""

    warm_up = True
    """Whether one run is thrown away before the first that counts."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    # What each peer defines

    def set_up(self) -> None:
        """Make the peer's own form of ``self.network`` and ``self.optimizer``."""

    def load(self, images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
        """Bring the data into the peer's own form, before any clock runs."""
        return images, labels

    def train(self, images, labels) -> None:
        """Go through the data once, in shuffled batches."""
        raise NotImplementedError

    def outputs(self, images) -> np.ndarray:
        """Return the scores (N, classes), dropout off."""
        raise NotImplementedError

    def predict(self, images) -> np.ndarray:
        """Return the most likely classes (N,)."""
        return self.outputs(images).argmax(axis=1)

    def versions(self) -> dict[str, str]:
        """Return the versions of what computes."""
        return {"python": platform.python_version(), "numpy": np.__version__}

    # What all share

    def prepare(self, case: Case, *, dropout: bool = True) -> None:
        """Build the network of a case, with the same weights for every peer."""
        self.case = case
        self.network = make_network(case.network, dropout=dropout)
        self.optimizer = case.make_optimizer()
        self.rng = np.random.default_rng(2)
        self.data, self.count = None, 0
        self.set_up()

    def load_data(self, count: int) -> None:
        """Make so many images and labels, if they are not there already."""
        if count != self.count:
            self.data = self.load(*make_data(self.network.input_shape, count))
            self.count = count

    def run(self, count: int) -> float:
        """Train on, or predict, so many images; return the seconds it took."""
        self.load_data(count)
        start = time.perf_counter()
        if self.case.mode == "training":
            self.train(*self.data)
        else:
            self.predict(self.data[0])
        return time.perf_counter() - start

    def check(self, case: Case, steps: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return scores before and after some steps, and the predicted classes: without dropout.

        Every step is given exactly one batch, so that shuffling makes no difference.
        """
        self.prepare(case, dropout=False)
        images, labels = make_data(self.network.input_shape, case.batch * steps)
        probe = self.load(*make_data(self.network.input_shape, 20))[0]
        before = np.array(self.outputs(probe))
        for step in range(steps):
            batch = slice(step * case.batch, (step + 1) * case.batch)
            self.train(*self.load(images[batch], labels[batch]))
        return before, np.array(self.outputs(probe)), np.array(self.predict(probe))


class Project(Peer):
    """The package itself, as anybody would call it."""

    def train(self, images, labels):
        """Train for one epoch."""
        fit(
            self.network,
            (images, labels),
            epochs=1,
            batch_size=self.case.batch,
            optimizer=self.optimizer,
            rng=self.rng,
            progress=False,
            workers=self.threads,
        )

    def outputs(self, images):
        """Return the scores."""
        return self.network.logits(images, workers=self.threads)

    def predict(self, images):
        """Return the classes."""
        return self.network.predict(images, workers=self.threads)

    def versions(self):
        """Return the versions of what computes, with NumPy's matrix library."""
        from threadpoolctl import threadpool_info

        keys = ("internal_api", "version", "architecture")
        libraries = [
            " ".join(pool.get(key) or "?" for key in keys)
            for pool in threadpool_info()
            if pool["user_api"] == "blas"
        ]
        return {**super().versions(), "matrix library": ", ".join(libraries)}


# ---------------------------------------------------------------------------------------------
# A single convolution, for the curves
# ---------------------------------------------------------------------------------------------


class ProjectConvolution:
    """Forward and backward through one convolution of this package."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm

    def set_up(self, x: np.ndarray, weight: np.ndarray, padding: int) -> None:
        """Cut the batch into pieces as a training does; images last in memory, as inside it."""
        (n, c, h, w), (kh, kw) = x.shape, weight.shape[2:]
        size = max(1, min(PIECE, PIECE_NUMBERS // (c * h * w * kh * kw)))
        self.pieces = [images_last(x[start : start + size]) for start in range(0, n, size)]
        self.weight, self.padding = weight, padding
        self.workspace = Workspace()

    def _piece(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        options = {"algorithm": self.algorithm, "workspace": self.workspace}
        y, cache = conv2d_forward(x, self.weight, padding=self.padding, **options)
        grad_x, grad_weight, _ = conv2d_backward(y, cache)
        return y, grad_x, grad_weight

    def step(self) -> None:
        """Go forward and backward once."""
        for piece in self.pieces:
            self._piece(piece)

    def results(self) -> list[np.ndarray]:
        """Return the output, and the gradients of ``sum(y ** 2) / 2``."""
        copies = [[array.copy() for array in self._piece(piece)] for piece in self.pieces]
        y, grad_x, grad_weight = zip(*copies, strict=True)
        return [np.concatenate(y), np.concatenate(grad_x), sum(grad_weight)]


# ---------------------------------------------------------------------------------------------
# Convolutions from textbooks: stride 1, no padding
# ---------------------------------------------------------------------------------------------


class EinsumConvolution:
    """Strided windows, and Einstein's summation over them."""

    @staticmethod
    def forward(x, weight):
        """Return the output."""
        windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        return np.einsum("ncpqij,fcij->nfpq", windows, weight, optimize=True)

    @staticmethod
    def weight_gradient(grad_y, x, weight):
        """Return the gradient of the weights."""
        windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        return np.einsum("nfpq,ncpqij->fcij", grad_y, windows, optimize=True)

    @staticmethod
    def input_gradient(grad_y, x, weight):
        """Return the gradient of the input: the flipped kernels over the padded gradient."""
        windows, flipped = _full_windows(grad_y, weight)
        return np.einsum("nfhwij,fcij->nchw", windows, flipped, optimize=True)


def _full_windows(grad_y, weight):
    """Pad a gradient until every pixel has its window; return the windows and flipped kernels."""
    kh, kw = weight.shape[2:]
    padded = np.pad(grad_y, ((0, 0), (0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1)))
    return sliding_window_view(padded, (kh, kw), axis=(2, 3)), weight[:, :, ::-1, ::-1]


class TensordotConvolution:
    """Strided windows, and ``tensordot``: it copies them and calls the matrix product."""

    @staticmethod
    def forward(x, weight):
        """Return the output."""
        windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        return np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)

    @staticmethod
    def weight_gradient(grad_y, x, weight):
        """Return the gradient of the weights."""
        windows = sliding_window_view(x, weight.shape[2:], axis=(2, 3))
        return np.tensordot(grad_y, windows, axes=((0, 2, 3), (0, 2, 3)))

    @staticmethod
    def input_gradient(grad_y, x, weight):
        """Return the gradient of the input."""
        windows, flipped = _full_windows(grad_y, weight)
        return np.tensordot(windows, flipped, axes=((1, 4, 5), (0, 2, 3))).transpose(0, 3, 1, 2)


class Im2colConvolution:
    """Index arrays gather the patches into columns; ``np.add.at`` scatters them back."""

    @staticmethod
    def _places(x, weight):
        """Return index arrays: channel, row and column of each entry of each patch."""
        _, c, kh, kw = weight.shape
        p, q = x.shape[2] - kh + 1, x.shape[3] - kw + 1
        channel, i, j = (index.reshape(-1, 1) for index in np.indices((c, kh, kw)))
        row, column = (index.reshape(1, -1) for index in np.indices((p, q)))
        return channel, i + row, j + column, (p, q)

    @classmethod
    def _columns(cls, x, weight):
        """Return the patches as columns, (C * kh * kw, P * Q * N)."""
        channel, rows, columns, size = cls._places(x, weight)
        patches = x[:, channel, rows, columns]
        return patches.transpose(1, 2, 0).reshape(patches.shape[1], -1), size

    @classmethod
    def forward(cls, x, weight):
        """Return the output."""
        columns, (p, q) = cls._columns(x, weight)
        y = weight.reshape(len(weight), -1) @ columns
        return y.reshape(len(weight), p, q, len(x)).transpose(3, 0, 1, 2)

    @classmethod
    def weight_gradient(cls, grad_y, x, weight):
        """Return the gradient of the weights."""
        columns, _ = cls._columns(x, weight)
        rows = grad_y.transpose(1, 2, 3, 0).reshape(len(weight), -1)
        return (rows @ columns.T).reshape(weight.shape)

    @classmethod
    def input_gradient(cls, grad_y, x, weight):
        """Return the gradient of the input."""
        rows = grad_y.transpose(1, 2, 3, 0).reshape(len(weight), -1)
        patches = weight.reshape(len(weight), -1).T @ rows
        patches = patches.reshape(len(patches), -1, len(x)).transpose(2, 0, 1)
        grad_x = np.zeros_like(x)
        channel, rows, columns, _ = cls._places(x, weight)
        np.add.at(grad_x, (slice(None), channel, rows, columns), patches)
        return grad_x


class ScipyConvolution:
    """``scipy.signal`` for every image, kernel and channel."""

    @staticmethod
    def forward(x, weight):
        """Return the output."""
        from scipy.signal import correlate2d

        return np.array(
            [
                [sum(correlate2d(c, k, "valid") for c, k in zip(image, kernel, strict=True))
                 for kernel in weight]
                for image in x
            ]
        )  # fmt: skip

    @staticmethod
    def weight_gradient(grad_y, x, weight):
        """Return the gradient of the weights."""
        from scipy.signal import correlate2d

        grad_weight = np.zeros_like(weight)
        for image, grad_maps in zip(x, grad_y, strict=True):
            for f, grad_map in enumerate(grad_maps):
                for c, channel in enumerate(image):
                    grad_weight[f, c] += correlate2d(channel, grad_map, "valid")
        return grad_weight

    @staticmethod
    def input_gradient(grad_y, x, weight):
        """Return the gradient of the input."""
        from scipy.signal import convolve2d

        grad_x = np.zeros_like(x)
        for n, grad_maps in enumerate(grad_y):
            for grad_map, kernel in zip(grad_maps, weight, strict=True):
                for c, channel in enumerate(kernel):
                    grad_x[n, c] += convolve2d(grad_map, channel, "full")
        return grad_x


class _Replaced:
    """A convolution layer that computes in another way, with the same parameters."""

    def __init__(self, layer: Conv2D, way) -> None:
        plain = layer.stride == layer.dilation == (1, 1) and layer.padding in ((0, 0), "valid")
        if not plain:
            raise ValueError(f"the textbook forms know stride 1 without padding, got {layer!r}")
        self.params, self.way = layer.params, way

    def compute(self, x, *, training=False):
        """Return the feature maps and the cache."""
        x = np.ascontiguousarray(x)
        y = self.way.forward(x, self.params["weight"])
        return (y + self.params["bias"][:, None, None] if "bias" in self.params else y), x

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return the gradients."""
        weight = self.params["weight"]
        grads = {"weight": self.way.weight_gradient(grad_y, cache, weight)}
        if "bias" in self.params:
            grads["bias"] = grad_y.sum(axis=(0, 2, 3))
        grad_x = self.way.input_gradient(grad_y, cache, weight) if input_gradient else None
        return grad_x, grads


class Textbook(Peer):
    """Layer after layer as in a textbook, the convolution in one of the ways above.

    All other layers are this package's own and the first layer's input gradient is left out: only
    the convolution differs.
    """

    def __init__(self, way, threads: int = 1) -> None:
        super().__init__(threads)
        self.way = way

    def set_up(self):
        """Replace the convolutions."""
        self.layers = [
            _Replaced(layer, self.way) if isinstance(layer, Conv2D) else layer
            for layer in self.network
        ]

    def _forward(self, x, training):
        caches = []
        for layer in self.layers:
            x, cache = layer.compute(x, training=training)
            caches.append(cache)
        return x, caches

    def train(self, images, labels):
        """Train for one epoch."""
        params, names, batch = self.network.params, self.network.names, self.case.batch
        order = self.rng.permutation(len(images))
        for start in range(0, len(images), batch):
            chosen = order[start : start + batch]
            y, caches = self._forward(images[chosen], training=True)
            _, grad = softmax_cross_entropy(y, labels[chosen])
            triples = []
            for position in reversed(range(len(self.layers))):
                grad, grads = self.layers[position].differentiate(
                    grad, caches[position], input_gradient=position > 0
                )
                for key, array in grads.items():
                    name = f"{names[position]}.{key}"
                    triples.append((name, params[name], array))
            self.optimizer.step(triples)

    def outputs(self, images):
        """Return the scores."""
        return self._forward(images, training=False)[0]


# ---------------------------------------------------------------------------------------------
# Loops over every place, image by image
# ---------------------------------------------------------------------------------------------


class Loops(Peer):
    """The home-made way: one image at a time, Python loops over every place, float64.

    For networks of one convolution without bias, 2 x 2 max pooling and one dense layer without
    bias, trained by plain gradient descent.
    """

    warm_up = False

    def set_up(self):
        """Take the weights over."""
        if self.case.network != "notebook":
            raise ValueError(f"the loops know the network notebook only, got {self.case.network}")
        conv, _, _, dense = self.network
        self.kernels = conv.params["weight"][:, 0].astype(float)
        self.matrix = dense.params["weight"].T.astype(float)

    def _convolve(self, image):
        f, k, _ = self.kernels.shape
        maps = np.zeros((f, image.shape[0] - k + 1, image.shape[1] - k + 1))
        for n in range(f):
            for row in range(maps.shape[1]):
                for column in range(maps.shape[2]):
                    window = image[row : row + k, column : column + k]
                    maps[n, row, column] = np.sum(self.kernels[n] * window)
        return maps

    @staticmethod
    def _blocks(maps):
        """Yield the place in the pooled maps and the slices in ``maps`` of every 2 x 2 block."""
        for n in range(maps.shape[0]):
            for row in range(maps.shape[1] // 2):
                for column in range(maps.shape[2] // 2):
                    yield (
                        (n, row, column),
                        (n, slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2)),
                    )

    def _pool(self, maps):
        pooled = np.zeros((maps.shape[0], maps.shape[1] // 2, maps.shape[2] // 2))
        for place, block in self._blocks(maps):
            pooled[place] = np.max(maps[block])
        return pooled

    def _scores(self, image):
        maps = self._convolve(image)
        pooled = self._pool(maps)
        return maps, pooled, pooled.ravel() @ self.matrix

    def _gradients(self, image, label):
        maps, pooled, scores = self._scores(image)
        grad = np.exp(scores) / np.sum(np.exp(scores)) - np.eye(10)[label]
        grad_matrix = np.outer(pooled.ravel(), grad)
        grad_pooled = (grad @ self.matrix.T).reshape(pooled.shape)
        grad_maps = np.zeros_like(maps)
        for place, block in self._blocks(maps):
            grad_maps[block] = (maps[block] == np.max(maps[block])) * grad_pooled[place]
        grad_kernels, grad_image = np.zeros_like(self.kernels), np.zeros(image.shape)
        k = self.kernels.shape[1]
        for n in range(maps.shape[0]):
            for row in range(maps.shape[1]):
                for column in range(maps.shape[2]):
                    window = slice(row, row + k), slice(column, column + k)
                    grad_image[window] += grad_maps[n, row, column] * self.kernels[n]
                    grad_kernels[n] += grad_maps[n, row, column] * image[window]
        return grad_kernels, grad_matrix

    def train(self, images, labels):
        """Train for one epoch."""
        order = self.rng.permutation(len(images))
        for start in range(0, len(images), self.case.batch):
            chosen = order[start : start + self.case.batch]
            sums = [np.zeros_like(self.kernels), np.zeros_like(self.matrix)]
            for n in chosen:
                for total, grad in zip(sums, self._gradients(images[n, 0], labels[n]), strict=True):
                    total += grad
            self.kernels -= self.case.learning_rate * sums[0] / len(chosen)
            self.matrix -= self.case.learning_rate * sums[1] / len(chosen)

    def outputs(self, images):
        """Return the scores."""
        return np.array([self._scores(image)[2] for image in images[:, 0]])


WAYS = {
    "windows + tensordot": TensordotConvolution,
    "windows + einsum": EinsumConvolution,
    "im2col": Im2colConvolution,
    "scipy": ScipyConvolution,
}
