"""Layers that work together: convolution, pooling, bias and ReLU in the order that costs least.

The textbook computes convolution + bias, then ReLU, then the maximum of each window. The maximum of
numbers that all had the same constant added is the maximum plus the constant, and ReLU does not
change which number is largest. So

    relu(max(y1 + bias, y2 + bias, ...)) == max(relu(y1 + bias), relu(y2 + bias), ...)

and bias and ReLU need to be computed only for the winners, a quarter of the numbers. The textbook's
maps in between are never made here; ``Sequential.activations`` shows them, layer by layer. Lesson
11.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnnedu.layers import winograd
from cnnedu.layers.activations import ReLU
from cnnedu.layers.base import Layer, check_grad
from cnnedu.layers.convolution import Conv2D, DirectCache, direct_backward, direct_forward
from cnnedu.layers.geometry import Geometry
from cnnedu.layers.pooling import MaxPool2D
from cnnedu.layers.winograd import WinogradCache
from cnnedu.workspace import Workspace


def fuse(layers: list[Layer], names: list[str]) -> tuple[list[Layer], list[str]]:
    """Put a convolution and what follows it together where the result is the same.

    Parameters
    ----------
    layers, names : list
        The layers of a network and their names.

    Returns
    -------
    layers, names : list
        Shorter lists; a ``ConvBlock`` goes by the name of its convolution.
    """
    fused, fused_names = [], []
    position = 0
    while position < len(layers):
        layer, count = layers[position], 1
        if type(layer) is Conv2D:
            followers = _followers(layers[position + 1 :])
            count += len(followers)
            layer = ConvBlock(layer, followers)
        fused.append(layer)
        fused_names.append(names[position])
        position += count
    return fused, fused_names


def _followers(layers: list[Layer]) -> list[Layer]:
    """Return what can be put together with a convolution before it: ReLU and one max pooling."""
    found: list[Layer] = []
    for layer in layers[:2]:
        if type(layer) is MaxPool2D and layer.kernel_size == layer.stride and layer.ties == "first":
            new = "pool"
        elif type(layer) is ReLU:
            new = "relu"
        else:
            break
        if any(other.kind == new for other in found):
            break
        found.append(layer)
    return found


CHANNELS_FIRST, ROWS_FIRST = (1, 2, 3, 0), (2, 3, 1, 0)
"""In which order the axes of an (N, F, P, Q) array lie in memory: (F, P, Q, N), (P, Q, F, N)."""
_INVERSE = {CHANNELS_FIRST: (3, 0, 1, 2), ROWS_FIRST: (3, 2, 0, 1)}


def _order(answers: np.ndarray) -> tuple[int, ...]:
    """Return the memory order of a convolution's answers: direct, or by Winograd."""
    return CHANNELS_FIRST if answers.ndim == 3 else ROWS_FIRST


class BlockCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    y: np.ndarray
    best: np.ndarray
    """The largest of each window, before the bias."""
    answers: np.ndarray
    """What the convolution put out: (pool, F, P * Q * N) direct, (N, F, P, Q) by Winograd."""
    conv: DirectCache | WinogradCache


class ConvBlock(Layer):
    """A convolution with a following max pooling and ReLU, if there are any; same parameters.

    Its results are overwritten by its next ``compute``, and its cache by ``differentiate``: it is
    made for training and prediction (``cnnedu.execution``), not for keeping.

    Parameters
    ----------
    conv : Conv2D
        Its parameters are shared, not copied.
    followers : list of Layer
        MaxPool2D (windows that do not overlap) and ReLU, each at most once, in any order.
    """

    kind = "conv"

    def __init__(self, conv: Conv2D, followers: list[Layer]) -> None:
        super().__init__()
        self.conv, self.followers, self.params = conv, followers, conv.params
        self.relu = any(isinstance(layer, ReLU) for layer in followers)
        pools = [layer.kernel_size for layer in followers if isinstance(layer, MaxPool2D)]
        self.pool = pools[0] if pools else (1, 1)
        self.workspace = Workspace()
        self._plans: dict[tuple[int, ...], tuple[Geometry, str]] = {}

    def plan(self, input_shape: tuple[int, ...], images: int) -> tuple[Geometry, str]:
        """Check an input shape (C, H, W) and choose the algorithm, once for each shape.

        A single image is computed directly unless Winograd is asked for by name: its products, one
        for every point of every tile, are too small then, and take 2 to 4 times as long.
        """
        if input_shape not in self._plans:
            self.output_shape(input_shape)
            geometry = self.conv.geometry(input_shape)
            self._plans[input_shape] = geometry, self.conv.choose(input_shape)
        geometry, algorithm = self._plans[input_shape]
        if images == 1 and self.conv.algorithm == "auto":
            algorithm = "direct"
        return geometry, algorithm

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (out_channels, P, Q) for (in_channels, H, W)."""
        for layer in (self.conv, *self.followers):
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, BlockCache]:
        """Return the pooled, rectified maps (N, F, P, Q) and the cache."""
        weight, bias = self.params["weight"], self.params.get("bias")
        geometry, algorithm = self.plan(x.shape[1:], len(x))
        if algorithm == "winograd":
            answers, cache = winograd.forward(x, weight, geometry, workspace=self.workspace)
        else:
            answers, cache = direct_forward(
                x, weight, geometry, pool=self.pool, workspace=self.workspace
            )
        best = self._largest(self._contestants(answers, geometry, len(x)), answers)
        y = best
        if bias is not None:
            y = np.add(best, bias[:, None, None], out=self._array("y", best, ROWS_FIRST))
        if self.relu:
            out = y if bias is not None else self._array("y", best, ROWS_FIRST)
            y = np.maximum(y, 0, out=out)
        return y, BlockCache(y, best, answers, cache)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` and the gradients of "weight" and "bias"."""
        y, best, answers, conv_cache = cache
        grad = self._array("grad", best, _order(answers))
        check_grad(grad_y, y.shape, y.dtype)
        if self.relu:
            positive = np.greater(y, 0, out=self._array("positive", y, ROWS_FIRST, bool))
            np.multiply(grad_y, positive, out=grad)
        else:
            np.copyto(grad, grad_y)
        grads = {}
        if "bias" in self.params:
            grads["bias"] = grad.sum(axis=(0, 2, 3))
        self._give_to_winners(grad, best, answers, conv_cache.geometry)
        options = {"input_gradient": input_gradient, "workspace": self.workspace}
        if isinstance(conv_cache, winograd.WinogradCache):
            grad_x, grads["weight"] = winograd.backward(answers, conv_cache, **options)
        else:
            grad_x, grads["weight"] = direct_backward(answers, conv_cache, **options)
        return grad_x, grads

    def _contestants(self, answers, geometry: Geometry, n: int) -> list[np.ndarray]:
        """Return the entries of all pooling windows, one (N, F, P, Q) array for each entry.

        In reading order: all the windows' top left entries, then those to the right of them, ...
        """
        (a, b), (p, q) = self.pool, geometry.output_size
        if answers.ndim == 3:  # the direct form has put them apart already
            shape = (len(answers), answers.shape[1], p // a, q // b, n)
            return list(answers.reshape(shape).transpose(0, 4, 1, 2, 3))
        stops = p // a * a, q // b * b
        return [answers[:, :, i : stops[0] : a, j : stops[1] : b] for i, j in np.ndindex(a, b)]

    def _largest(self, contestants: list[np.ndarray], answers) -> np.ndarray:
        if len(contestants) == 1:
            return contestants[0]
        first, second, *others = contestants
        best = np.maximum(first, second, out=self._array("best", first, _order(answers)))
        for other in others:
            np.maximum(best, other, out=best)
        return best

    def _give_to_winners(self, grad, best, answers, geometry: Geometry) -> None:
        """Overwrite the convolution's answers with their gradients: the first maximum gets all."""
        contestants = self._contestants(answers, geometry, len(best))
        if len(contestants) == 1:
            np.copyto(contestants[0], grad)
            return
        wins = self._array("wins", best, _order(answers), bool)
        *others, last = contestants
        for contestant in others:
            np.equal(contestant, best, out=wins)
            np.multiply(grad, wins, out=contestant)
            np.subtract(grad, contestant, out=grad)  # paid out once, even where there are ties
        np.copyto(last, grad)  # who has not won before the last entry wins there
        if answers.ndim == 4:  # rows and columns that fill no window have no part in the loss
            (a, b), (p, q) = self.pool, geometry.output_size
            answers[:, :, p // a * a :] = 0
            answers[:, :, :, q // b * b :] = 0

    def _array(self, name: str, like: np.ndarray, order: tuple[int, ...], dtype=None) -> np.ndarray:
        """Return an array of the shape of ``like`` whose axes lie in memory in the given order."""
        shape = [like.shape[axis] for axis in order]
        memory = self.workspace.array(name, tuple(shape), dtype or like.dtype)
        return memory.transpose(_INVERSE[order])

    def __repr__(self) -> str:
        return repr(self.conv)
