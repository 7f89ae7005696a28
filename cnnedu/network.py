"""A network: layers in a row, each fed with what the one before it puts out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from cnnedu.execution import Workers
from cnnedu.layers.activations import Softmax, softmax
from cnnedu.layers.base import Layer
from cnnedu.layers.convolution import Conv2D
from cnnedu.shapes import check_finite, check_float, images_last


class Sequential(Layer):
    """Layers in a row, ending in logits (scores); softmax is the loss's business.

    A network is itself a layer: it computes, differentiates, and has parameters (called
    "conv1.weight" and so on), so whatever works on a layer, a gradient check for example, works on
    it.

    Parameters
    ----------
    layers : iterable of Layer
        Each layer object once.
    input_shape : tuple of int, optional
        The shape of one input, (C, H, W). If it is given, all shapes are checked at once, here.

    Attributes
    ----------
    layers : list of Layer
    names : list of str
        "conv1", "relu1", "pool1", "conv2", ...: the layers' names in this network, in order.
    input_shape : tuple of int or None

    Raises
    ------
    TypeError, ValueError
        If something is not a layer, a layer appears twice, or the shapes do not fit together.

    Examples
    --------
    >>> from cnnedu import Conv2D, Dense, Flatten, MaxPool2D
    >>> rng = np.random.default_rng(0)
    >>> network = Sequential(
    ...     [Conv2D(1, 6, 3, rng=rng), MaxPool2D(2), Flatten(), Dense(1014, 10, rng=rng)],
    ...     input_shape=(1, 28, 28),
    ... )
    >>> network.names, network.parameter_count
    (['conv1', 'pool1', 'flatten1', 'dense1'], 10210)
    >>> network.predict(np.zeros((2, 1, 28, 28), np.float32)).shape
    (2,)
    """

    kind = "network"

    def __init__(
        self, layers: Iterable[Layer], *more: Layer, input_shape: tuple[int, ...] | None = None
    ) -> None:
        if more or isinstance(layers, Layer):
            raise TypeError("the layers must be given in one list: Sequential([Flatten(), ...])")
        self.layers = list(layers)
        self._cache = None
        if not self.layers:
            raise ValueError("a network needs at least one layer, got none")
        for position, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                remedy = "; write ReLU(), with brackets" if isinstance(layer, type) else ""
                raise TypeError(f"layer {position} must be a layer, got {layer!r}{remedy}")
            if isinstance(layer, Sequential):
                raise TypeError(
                    f"layer {position} is a network itself: write out its layers, "
                    "Sequential([*network, ...])"
                )
            if any(layer is other for other in self.layers[:position]):
                raise ValueError(
                    f"layer {position}, {layer!r}, is already in the network: each layer keeps its "
                    "own parameters and cache, so make a new one"
                )
        counts: dict[str, int] = {}
        self.names = []
        for layer in self.layers:
            counts[layer.kind] = counts.get(layer.kind, 0) + 1
            self.names.append(f"{layer.kind}{counts[layer.kind]}")
        self.input_shape = None if input_shape is None else tuple(int(size) for size in input_shape)
        if self.input_shape is not None:
            self.output_shape(self.input_shape)

    # Finding one's way

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, key: int | str) -> Layer:
        return self.layers[self.position(key)]

    def position(self, key: int | str) -> int:
        """Return the position of a layer from its name ("conv1") or its position (0, -1)."""
        if isinstance(key, str) and key in self.names:
            return self.names.index(key)
        if not isinstance(key, str) and -len(self.layers) <= key < len(self.layers):
            return range(len(self.layers))[key]
        raise KeyError(f"there is no layer {key!r}; the layers are {', '.join(self.names)}")

    def __repr__(self) -> str:
        lines = [f"    {layer!r},  # {name}" for name, layer in zip(self.names, self, strict=True)]
        shape = "" if self.input_shape is None else f", input_shape={self.input_shape}"
        return "\n".join(["Sequential([", *lines, f"]{shape})"])

    @property
    def params(self) -> dict[str, np.ndarray]:
        """Every parameter by its full name, for example "conv1.weight": the arrays themselves."""
        return {
            f"{name}.{key}": array
            for name, layer in zip(self.names, self.layers, strict=True)
            for key, array in layer.params.items()
        }

    @property
    def grads(self) -> dict[str, np.ndarray]:
        """The gradient of every parameter by its full name, after ``backward``."""
        return {
            f"{name}.{key}": array
            for name, layer in zip(self.names, self.layers, strict=True)
            for key, array in layer.grads.items()
        }

    @grads.setter
    def grads(self, grads: dict[str, np.ndarray]) -> None:
        for layer in self.layers:
            layer.grads = {}
        for full_name, array in grads.items():
            name, key = full_name.split(".", 1)
            self[name].grads[key] = array

    @property
    def dtype(self) -> np.dtype:
        """The dtype the network computes in: that of its first parameter."""
        return next((array.dtype for array in self.params.values()), np.dtype(np.float32))

    # Computing

    def compute(self, x: np.ndarray, *, training: bool = False) -> tuple[np.ndarray, Any]:
        """Return the logits and every layer's cache."""
        outputs, caches = self._layer_by_layer(x, training)
        return outputs[-1], caches

    def _layer_by_layer(self, x, training: bool, last: int = -1) -> tuple[list, list]:
        """Return the outputs and caches of the layers up to the layer ``last``."""
        x = images_last(check_float(x, "x"))
        outputs, caches = [], []
        layers = self.layers[: self.position(last) + 1]
        try:
            for layer in layers:
                x, cache = layer.compute(x, training=training)
                outputs.append(x)
                caches.append(cache)
        except (ValueError, TypeError) as error:
            raise self._noted(error, len(caches)) from None
        return outputs, caches

    def differentiate(self, grad_y, cache, *, input_gradient=True):
        """Return the gradient at the input and of every parameter, by full name.

        Without ``input_gradient`` it stops at the first layer that has parameters.
        """
        first = 0
        while not (input_gradient or first == len(self.layers) or self.layers[first].params):
            first += 1
        grads: dict[str, np.ndarray] = {}
        position = len(self.layers)
        try:
            while position > first:
                position -= 1
                grad_y, layer_grads = self.layers[position].differentiate(
                    grad_y, cache[position], input_gradient=input_gradient or position > first
                )
                for key, array in layer_grads.items():
                    grads[f"{self.names[position]}.{key}"] = array
        except (ValueError, TypeError) as error:
            raise self._noted(error, position) from None
        return (grad_y if input_gradient else None), grads

    def _noted(self, error: Exception, position: int) -> Exception:
        """Add to an error in which layer it happened."""
        error.add_note(f"in layer {self.names[position]}, {self.layers[position]!r}")
        return error

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of one output for the shape of one input, without computing."""
        return list(self.shapes(input_shape))[-1][1]

    def shapes(self, input_shape: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield (position, shape of one output) of every layer, for the shape of one input."""
        shape = tuple(input_shape)
        for position, layer in enumerate(self.layers):
            try:
                shape = layer.output_shape(shape)
            except (ValueError, TypeError) as error:
                raise self._noted(error, position) from None
            yield position, shape

    def config(self) -> dict[str, Any]:
        """Return the constructor's arguments that are not layers."""
        return {"input_shape": self.input_shape}

    # Using

    def check_images(self, images: Any) -> np.ndarray:
        """Check images where they enter; return them in the network's dtype."""
        check_float(images, "images")
        if self.input_shape is not None and images.shape[1:] != self.input_shape:
            remedy = ""
            if images.shape == self.input_shape:
                remedy = ": a single image, use images[None]"
            elif (1, *images.shape[1:]) == self.input_shape:
                remedy = ": the channel axis is missing, use images[:, None]"
            elif (1, *images.shape) == self.input_shape:
                remedy = ": a single image without its channel axis, use images[None, None]"
            wanted = ", ".join(str(size) for size in self.input_shape)
            raise ValueError(f"images must have shape (N, {wanted}), got {images.shape}{remedy}")
        if 0 in images.shape:
            raise ValueError(f"images must hold at least one image, got shape {images.shape}")
        return check_finite(images, "images").astype(self.dtype, copy=False)

    def logits(self, images: np.ndarray, *, workers: int = 1) -> np.ndarray:
        """Return the scores (N, classes) of any number of images, computed in pieces."""
        with Workers(self, workers) as team:
            return team.outputs(self.check_images(images))

    def predict(self, images: np.ndarray, *, workers: int = 1) -> np.ndarray:
        """Return the most likely class of each image.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W)
            float32 or float64, finite.
        workers : int
            How many threads compute.

        Returns
        -------
        ndarray of int64, shape (N,)
        """
        return self._scores(images, workers).argmax(axis=1)

    def predict_proba(self, images: np.ndarray, *, workers: int = 1) -> np.ndarray:
        """Return the probability of each class, ``softmax(logits)``.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W)
            float32 or float64, finite.
        workers : int
            How many threads compute.

        Returns
        -------
        ndarray, shape (N, classes)
            Each row sums to 1.
        """
        self.check_ends_in_logits()
        return softmax(self._scores(images, workers))

    def _scores(self, images: np.ndarray, workers: int) -> np.ndarray:
        scores = self.logits(images, workers=workers)
        if scores.ndim != 2:
            raise ValueError(
                f"a prediction needs outputs of shape (N, classes), but this network puts out "
                f"{scores.shape}: end it with Flatten() and Dense(...)"
            )
        return scores

    def check_ends_in_logits(self) -> None:
        """Raise if the last layer is Softmax, which would then be applied twice."""
        if isinstance(self.layers[-1], Softmax):
            raise ValueError(
                "the network ends in Softmax, and softmax would be applied twice: leave that layer "
                "out, networks end in logits here"
            )

    # Looking inside

    def activations(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Return every layer's output, by the layer's name, in order.

        Computed layer by layer as the textbook says, with dropout off; nothing of a training that
        is under way is touched.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W)

        Returns
        -------
        dict of str to ndarray
            "conv1": (N, F, P, Q), "relu1": ..., down to the logits.
        """
        outputs, _ = self._layer_by_layer(self.check_images(images), training=False)
        return dict(zip(self.names, outputs, strict=True))

    def gradients(
        self, images: np.ndarray, target: Any, *, layer: int | str | None = None
    ) -> dict[str, np.ndarray]:
        """Return the gradient of a chosen output at every layer and at the input.

        With dropout off; nothing of a training that is under way is touched.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W)
        target : int, tuple, or ndarray
            Which output to differentiate: a class or channel (an int; a whole feature map is
            summed), one number per image (an int array of shape (N,)), one unit of a feature map (a
            tuple (channel, row, column)), or a float array in the shape of the layer's output,
            taken as the gradient there.
        layer : int or str, optional
            The layer whose output is meant: by name or position; the last one if not given.

        Returns
        -------
        dict of str to ndarray
            "input" and every layer up to the chosen one: the gradient with respect to the images
            and to that layer's output, each in its shape.

        Raises
        ------
        ValueError, KeyError
            If there is no such output or no such layer.
        """
        last = self.position(-1 if layer is None else layer)
        images = self.check_images(images)
        outputs, caches = self._layer_by_layer(images, training=False, last=last)
        gradient = _chosen(outputs[last], target)
        found = {self.names[last]: gradient}
        for position in reversed(range(last + 1)):
            gradient, _ = self.layers[position].differentiate(gradient, caches[position])
            found[self.names[position - 1] if position else "input"] = gradient
        return dict(reversed(found.items()))

    def summary(self, input_shape: tuple[int, ...] | None = None) -> Summary:
        """Return a table of the layers: output shapes, parameters, receptive fields.

        Parameters
        ----------
        input_shape : tuple of int, optional
            The shape of one input, (C, H, W); needed if the network was made without it.
        """
        shape = self.input_shape if input_shape is None else tuple(input_shape)
        if shape is None:
            raise ValueError(
                "the summary needs the shape of one input: network.summary((1, 28, 28)), or make "
                "the network with input_shape=(1, 28, 28)"
            )
        rows, field, before = [], ReceptiveField((1, 1), (1, 1)), shape
        for position, output in self.shapes(shape):
            layer = self.layers[position]
            field = None if field is None else field.through(layer)
            algorithm = layer.choose(before) if isinstance(layer, Conv2D) else ""
            rows.append(SummaryRow(self.names[position], layer, output, field, algorithm))
            before = output
        return Summary(shape, rows)


def _chosen(output: np.ndarray, target: Any) -> np.ndarray:
    """Return the gradient at ``output`` of the part of it that ``target`` names."""
    array = np.asarray(target)
    if array.dtype.kind == "f":
        if array.shape != output.shape:
            raise ValueError(
                f"a float target must have the shape of the output, {output.shape}, "
                f"got {array.shape}"
            )
        return array.astype(output.dtype, copy=False)
    if array.dtype.kind not in "ui":
        raise TypeError(f"target must be made of whole numbers or be a float array, got {target!r}")
    gradient = np.zeros_like(output)
    try:
        if isinstance(target, tuple):
            gradient[(slice(None), *target)] = 1
        elif array.ndim == 0:
            gradient[:, int(array)] = 1
        elif array.shape == (len(output),):
            gradient[np.arange(len(output)), array] = 1
        else:
            raise ValueError(
                f"target must hold one number per image, shape ({len(output)},), got {array.shape}"
            )
    except IndexError as error:
        raise ValueError(
            f"there is no output {target!r}: one output of this layer has shape {output.shape[1:]}"
        ) from error
    return gradient


@dataclass(frozen=True)
class ReceptiveField:
    """How much of the input one number sees: size, and step to its neighbor's, in pixels."""

    size: tuple[int, int]
    step: tuple[int, int]

    def through(self, layer: Layer) -> ReceptiveField | None:
        """Return the field after a layer: ``size + (reach - 1) * step``, ``step * stride``."""
        if layer.window() is None:
            return None
        reach, stride = layer.window()
        axes = list(zip(self.size, self.step, reach, stride, strict=True))
        return ReceptiveField(
            tuple(size + (r - 1) * step for size, step, r, _ in axes),
            tuple(step * s for _, step, _, s in axes),
        )


@dataclass(frozen=True)
class SummaryRow:
    """One line of a summary.

    ``field`` is None where every number sees the whole input; ``algorithm`` says how a convolution
    of this shape is computed.
    """

    name: str
    layer: Layer
    output_shape: tuple[int, ...]
    field: ReceptiveField | None
    algorithm: str

    @property
    def parameters(self) -> int:
        """How many numbers training changes in this layer."""
        return self.layer.parameter_count


@dataclass(frozen=True)
class Summary:
    """A table of a network's layers; print it, or read ``rows`` and ``parameters``."""

    input_shape: tuple[int, ...]
    rows: list[SummaryRow]

    @property
    def parameters(self) -> int:
        """How many numbers training changes in the whole network."""
        return sum(row.parameters for row in self.rows)

    def __str__(self) -> str:
        def size(shape):
            return " x ".join(str(number) for number in shape)

        table = [("layer", "what it is", "output", "numbers", "parameters", "sees", "computed")]
        numbers = f"{prod(self.input_shape):,}"
        table.append(("input", "", size(self.input_shape), numbers, "", "", ""))
        for row in self.rows:
            sees = "all" if row.field is None else size(row.field.size)
            numbers = f"{prod(row.output_shape):,}"
            shape = size(row.output_shape)
            parameters = f"{row.parameters:,}"
            table.append(
                (row.name, repr(row.layer), shape, numbers, parameters, sees, row.algorithm)
            )
        table.append(("total", "", "", "", f"{self.parameters:,}", "", ""))
        widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
        right = {3, 4}
        lines = [
            "  ".join(
                cell.rjust(width) if column in right else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in table
        ]
        rule = "-" * max(len(line) for line in lines)
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    __repr__ = __str__
