"""What the layer explorer computes: a unit's map of an image, its kernel, its strongest patch.

No widget and no browser in here: arrays in, arrays and sentences out.
"""

from dataclasses import dataclass

import numpy as np

from cnnedu.network import Sequential
from cnnedu.visualization.figures import number
from cnnedu.visualization.networks import receptive_box

# Layers that treat each channel by itself: a unit after them still has the kernel before them.
CHANNELWISE = ("relu", "tanh", "sigmoid", "pool", "dropout")
BATCH = 100


@dataclass(frozen=True, eq=False)
class Look:
    """One unit of a layer, looking at one image.

    Attributes
    ----------
    layer : str
    unit, index : int
        Which of the layer's maps, which of the images.
    image : ndarray, shape (C, H, W)
    maps : ndarray, shape (units, P, Q)
        All maps of the layer, the unit's among them.
    kernel : ndarray, shape (C, kh, kw), or None
        The weights with which the unit looks at each map (or image channel) before it.
    kernel_layer : str
        Whose kernel it is: the layer itself, or the convolution before an activation or pooling.
    row, column : int
        Where in the unit's map the largest value stands, the first of equal ones.
    box : tuple of int
        What the unit sees from there: top, bottom, left, right in the image; parts of it may lie
        outside, where padding is.
    patch : ndarray, shape (C, h, w)
        That part of the image, with zeros outside.
    label : int or None
        The image's label, if labels were given.
    """

    layer: str
    unit: int
    index: int
    image: np.ndarray
    maps: np.ndarray
    kernel: np.ndarray | None
    kernel_layer: str
    row: int
    column: int
    box: tuple[int, int, int, int]
    patch: np.ndarray
    label: int | None

    @property
    def map(self) -> np.ndarray:
        """The unit's own map."""
        return self.maps[self.unit]

    @property
    def value(self) -> float:
        """The largest value of the unit's map."""
        return float(self.map[self.row, self.column])

    def reading(self) -> str:
        """Return in words where the unit answers most, and what it sees there."""
        which = f"image {self.index}" + ("" if self.label is None else f" (labeled {self.label})")
        who = f"{self.layer}, unit {self.unit}"
        if self.map.max() == self.map.min():
            return f"{who} answers {number(self.value)} everywhere in {which}."
        top, bottom, left, right = self.box
        height, width = self.image.shape[1:]
        rows = f"rows {max(top, 0)} to {min(bottom, height) - 1}"
        columns = f"columns {max(left, 0)} to {min(right, width) - 1}"
        inside = min(top, left) >= 0 and bottom <= height and right <= width
        beyond = "" if inside else ", and beyond the edge"
        return (
            f"{who} answers most, {number(self.value)}, at row {self.row}, column {self.column} of "
            f"its map: there it sees {rows}, {columns} of {which}{beyond}."
        )


class Explorer:
    """A network and images to look at, layer by layer and unit by unit.

    Parameters
    ----------
    network : Sequential
        With at least one layer that puts out maps.
    images : ndarray, shape (N, C, H, W) or (C, H, W)
        As the network takes them.
    labels : array_like of int, shape (N,), optional

    Attributes
    ----------
    layers : dict of str to int
        The layers that put out maps, and how many maps each.

    Raises
    ------
    TypeError, ValueError
        If there is no such layer, or the images do not fit.
    """

    def __init__(self, network, images, labels=None) -> None:
        if not isinstance(network, Sequential):
            raise TypeError(f"network must be a Sequential, but it is a {type(network).__name__}")
        images = np.asarray(images)
        if images.ndim == 3:
            images = images[np.newaxis]
        if images.ndim != 4:
            raise ValueError(f"images must have shape (N, C, H, W), but it is {images.shape}")
        if images.shape[1] not in (1, 3):
            raise ValueError(
                f"images must be gray or in color to be shown, 1 or 3 channels, but their shape "
                f"is {images.shape}"
            )
        self.network = network
        self.images = network.check_images(images)
        self.labels = _as_labels(labels, len(images))
        shapes = network.shapes(images.shape[1:])
        self.layers = {
            network.names[position]: shape[0] for position, shape in shapes if len(shape) == 3
        }
        if not self.layers:
            raise ValueError(
                "network has no layer with maps to explore, it needs a Conv2D; its layers are "
                + ", ".join(network.names)
            )
        self._last: tuple[int, dict[str, np.ndarray]] = (-1, {})
        self._strengths: dict[str, np.ndarray] = {}

    def layer_name(self, layer: int | str) -> str:
        """Return a layer's name; refuse a layer without maps."""
        name = self.network.names[self.network.position(layer)]
        if name not in self.layers:
            raise ValueError(
                f"layer {name!r} has no maps; the layers with maps are {', '.join(self.layers)}"
            )
        return name

    def look(self, layer: int | str, unit: int = 0, index: int = 0) -> Look:
        """Return what a unit makes of an image.

        Parameters
        ----------
        layer : str or int
            By name or position.
        unit : int
            Which of its maps.
        index : int
            Which of the images.

        Raises
        ------
        KeyError, ValueError
            If there is no such layer, it has no maps, or there is no such unit or image.
        """
        name = self.layer_name(layer)
        unit = _position(unit, f"unit ({name} has {self.layers[name]})", self.layers[name])
        index = _position(index, f"image (there are {len(self.images)})", len(self.images))
        image = self.images[index]
        maps = self._activations(index)[name]
        if not np.isfinite(maps).all():
            raise ValueError(
                f"layer {name} puts out NaN or infinity for image {index}, as after a training "
                "with too high a learning rate; train the network anew"
            )
        row, column = divmod(int(maps[unit].argmax()), maps.shape[2])
        box = receptive_box(self.network, name, row, column, image.shape[1:])
        kernel, kernel_layer = self._kernel(name, unit)
        label = None if self.labels is None else int(self.labels[index])
        return Look(name, unit, index, image, maps, kernel, kernel_layer, row, column, box,
                    _cut(image, box), label)  # fmt: skip

    def strongest_image(self, layer: int | str, unit: int = 0) -> int:
        """Return the number of the image that excites a unit most, the first of equal ones."""
        name = self.layer_name(layer)
        unit = _position(unit, f"unit ({name} has {self.layers[name]})", self.layers[name])
        if name not in self._strengths:
            batches = range(0, len(self.images), BATCH)
            self._strengths[name] = np.concatenate(
                [
                    self.network.activations(self.images[i : i + BATCH])[name].max(axis=(2, 3))
                    for i in batches
                ]
            )
        return int(self._strengths[name][:, unit].argmax())

    def _activations(self, index: int) -> dict[str, np.ndarray]:
        """Return every layer's output for one image; kept as long as the image stays."""
        if self._last[0] != index:
            outputs = self.network.activations(self.images[index : index + 1])
            self._last = (index, {name: outputs[name][0] for name in self.layers})
        return self._last[1]

    def _kernel(self, name: str, unit: int) -> tuple[np.ndarray | None, str]:
        """Return the kernel a unit has, or had before activation and pooling, and whose it is."""
        for position in reversed(range(self.network.position(name) + 1)):
            layer = self.network.layers[position]
            weight = layer.params.get("weight")
            if weight is not None and weight.ndim == 4:
                return weight[unit], self.network.names[position]
            if layer.kind not in CHANNELWISE:
                break
        return None, ""


def _cut(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    top, bottom, left, right = box
    height, width = image.shape[1:]
    around = (
        (0, 0),
        (max(0, -top), max(0, bottom - height)),
        (max(0, -left), max(0, right - width)),
    )
    padded = np.pad(image, around)
    return padded[:, max(0, top) :, max(0, left) :][:, : bottom - top, : right - left]


def _as_labels(labels, count: int) -> np.ndarray | None:
    if labels is None:
        return None
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be {count} whole numbers, one per image, but they are {labels.dtype} of "
            f"shape {labels.shape}"
        )
    return labels


def _position(value, name: str, count: int) -> int:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not 0 <= value < count:
        raise ValueError(
            f"{name} must be a whole number from 0 to {count - 1}, but it is {value!r}"
        )
    return int(value)
