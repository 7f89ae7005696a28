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

from cnnedu.layers.activations import ReLU
from cnnedu.layers.base import Layer, check_grad
from cnnedu.layers.convolution import FORMS, Conv2D, DirectCache
from cnnedu.layers.geometry import ROWS_FIRST
from cnnedu.layers.pooling import MaxPool2D
from cnnedu.layers.winograd import WinogradCache
from cnnedu.shapes import to_back, to_front
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


class Contest(NamedTuple):
    """Arrays of which the largest numbers are taken, place by place."""

    contestants: list[np.ndarray]
    best: np.ndarray
    wins: np.ndarray
    """Room for truth values."""
    grad: np.ndarray
    """Where the gradient of ``best`` will be found."""
    grads: list[np.ndarray]
    """Where those of the contestants are wanted; perhaps in their own places."""

    def decide(self) -> None:
        """Find the largest."""
        first, second, *others = self.contestants
        np.maximum(first, second, out=self.best)
        for other in others:
            np.maximum(self.best, other, out=self.best)

    def reward(self) -> None:
        """Give the gradient of the largest number to the first contestant that equals it."""
        remaining = self.grad
        *shares, rest = self.grads  # the last contestant gets what nobody before it has won
        for contestant, share in zip(self.contestants, shares, strict=False):
            np.equal(contestant, self.best, out=self.wins)
            np.multiply(remaining, self.wins, out=share)
            remaining = np.subtract(remaining, share, out=rest)


class BlockPlan:
    """The arrays of a ``ConvBlock`` for images of one shape, and all views of them.

    The maximum of a window is found in two contests, in each row of the window and then among the
    rows: the same winner as entry by entry, in fewer and longer operations.

    Attributes
    ----------
    best, grad : ndarray, shape (F, P, Q, N)
        The largest of each window, before bias and ReLU; where its gradient is to be put.
    y : ndarray, shape (F, P, Q, N)
        The output.
    """

    def __init__(
        self, form, geometry, weight_shape, images, dtype, pool, change, *, workspace
    ) -> None:
        self.form = form(geometry, weight_shape, images, dtype, pool, workspace=workspace)
        answers = self.form.answers
        a, b, f, p, q, n = answers.shape

        def array(name: str, *rows: int, order=self.form.order, dtype=dtype) -> np.ndarray:
            """Return an array (*rows, F, P, Q, N) whose maps lie in memory in the given order."""
            shape, axes = ((f, p, q, n), (0, 1, 2, 3))
            if order == ROWS_FIRST:
                shape, axes = ((p, q, f, n), (2, 0, 1, 3))
            memory = workspace.array(name, (*rows, *shape), dtype)
            return memory.transpose(*range(len(rows)), *(len(rows) + axis for axis in axes))

        self.contests = []
        best = grad = answers[:, 0]
        if b > 1:
            columns = list(answers.swapaxes(0, 1))
            best, grad = array("row_best", a), array("row_grad", a)
            wins = array("row_wins", a, dtype=bool)
            self.contests.append(Contest(columns, best, wins, grad, columns))
        rows, row_grads = list(best), list(grad)
        self.best, self.grad = rows[0], row_grads[0]
        if a > 1:
            self.best, self.grad, wins = array("best"), array("grad"), array("wins", dtype=bool)
            self.contests.append(Contest(rows, self.best, wins, self.grad, row_grads))
        self.y = array("y", order=ROWS_FIRST) if change else self.best
        self.positive = array("positive", order=ROWS_FIRST, dtype=bool)


class BlockCache(NamedTuple):
    """What the backward pass needs to know of the forward pass."""

    plan: BlockPlan
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

    def plan(self, shape: tuple[int, int, int, int], dtype: np.dtype, *, workspace) -> BlockPlan:
        """Choose the algorithm and make the arrays for images of shape (N, C, H, W).

        A single image is computed directly unless Winograd is asked for by name: its products, one
        for every point of every tile, are too small then, and take 2 to 4 times as long.
        """
        images, *image = shape
        self.output_shape(image)
        algorithm = self.conv.choose(image)
        if images == 1 and self.conv.algorithm == "auto":
            algorithm = "direct"
        form, geometry = FORMS[algorithm], self.conv.geometry(image)
        change = self.relu or "bias" in self.params
        weight_shape = self.params["weight"].shape
        return BlockPlan(
            form, geometry, weight_shape, images, dtype, self.pool, change, workspace=workspace
        )

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return (out_channels, P, Q) for (in_channels, H, W)."""
        for layer in (self.conv, *self.followers):
            input_shape = layer.output_shape(input_shape)
        return input_shape

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, BlockCache]:
        """Return the pooled, rectified maps (N, F, P, Q) and the cache."""
        plan = self.workspace.plan(self.plan, x.shape, x.dtype)
        cache = plan.form.forward(x, self.params["weight"])
        for contest in plan.contests:
            contest.decide()
        y, bias = plan.best, self.params.get("bias")
        if bias is not None:
            y = np.add(y, bias[:, None, None, None], out=plan.y)
        if self.relu:
            np.maximum(y, 0, out=plan.y)
        return to_front(plan.y), BlockCache(plan, cache)

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return ``grad_x`` and the gradients of "weight" and "bias"."""
        plan, conv_cache = cache
        f, p, q, n = plan.y.shape
        grad_y = to_back(check_grad(grad_y, (n, f, p, q), plan.y.dtype))
        if self.relu:
            np.multiply(grad_y, np.greater(plan.y, 0, out=plan.positive), out=plan.grad)
        else:
            np.copyto(plan.grad, grad_y)
        grads = {}
        if "bias" in self.params:
            grads["bias"] = plan.grad.sum(axis=(1, 2, 3))
        for contest in reversed(plan.contests):
            contest.reward()
        grad_x, grads["weight"] = plan.form.backward(
            plan.form.answers, conv_cache, input_gradient=input_gradient
        )
        return grad_x, grads

    def __repr__(self) -> str:
        return repr(self.conv)
