"""A walk through a network: pick layer, unit and image; see map, kernel and strongest patch."""

import math

import numpy as np
import traitlets

from cnnedu.visualization.colors import Scale, picture_scale, scale_for
from cnnedu.visualization.figures import number
from cnnedu.visualization.stills import look_still
from cnnedu.widgets.base import Live, script
from cnnedu.widgets.exploring import Explorer, Look
from cnnedu.widgets.painting import bar, columns_for, paint, panel, tile

MOST_MAPS = 256
MOST_CHANNELS = 64


class LayerExplorer(Live):
    """Look into a network, unit by unit.

    For the chosen layer, unit and image: the unit's map, its kernel, and where in the image the
    patch lies that it answers to most. All maps of the layer stand below; click one to choose it.

    Parameters
    ----------
    network : Sequential
        Any with a layer that puts out maps.
    images : ndarray, shape (N, C, H, W)
        As the network takes them, gray or in color.
    labels : array_like of int, shape (N,), optional
        To be said along with the images.
    layer : str or int, optional
        Where to begin; the first layer with maps if not given.

    Raises
    ------
    TypeError, ValueError, KeyError
        If the network has no such layer, or the images do not fit.

    Examples
    --------
    >>> from cnnedu.architectures import build
    >>> from cnnedu.data import load_digits
    >>> images, labels = load_digits().test
    >>> explorer = LayerExplorer(build("lasagne", rng=np.random.default_rng(0)), images, labels)
    >>> explorer.layer = "conv2"
    >>> explorer
    LayerExplorer(conv2, unit 0 of 32, image 0 of 360)
    """

    choices = ("_layer", "_unit", "_image", "_strongest")

    _esm = script("layer_explorer")
    _layers = traitlets.Dict().tag(sync=True)
    _count = traitlets.Int(1).tag(sync=True)
    _layer = traitlets.Unicode().tag(sync=True)
    _unit = traitlets.Int(0).tag(sync=True)
    _image = traitlets.Int(0).tag(sync=True)
    # Counts how often the image that excites the unit most was asked for.
    _strongest = traitlets.Int(0).tag(sync=True)

    def __init__(self, network, images, labels=None, *, layer=None) -> None:
        self._explorer = Explorer(network, images, labels)
        layers = self._explorer.layers
        first = next(iter(layers)) if layer is None else self._explorer.layer_name(layer)
        self._explorer.look(first)  # refuses what cannot be shown
        super().__init__(_layers=dict(layers), _count=len(self._explorer.images), _layer=first)

    @property
    def look(self) -> Look:
        """What is shown now, as arrays: `map`, `kernel`, `patch`, `box` and more."""
        # The browser may send a layer before it knows that its last unit is gone.
        unit = min(self._unit, self._explorer.layers.get(self._layer, 1) - 1)
        return self._explorer.look(self._layer, unit, self._image)

    @property
    def layer(self) -> str:
        """The chosen layer's name; may be set, also by position."""
        return self._layer

    @layer.setter
    def layer(self, layer) -> None:
        name = self._explorer.layer_name(layer)
        self._unit = min(self._unit, self._explorer.layers[name] - 1)
        self._layer = name

    @property
    def unit(self) -> int:
        """Which of the layer's maps; may be set."""
        return self.look.unit

    @unit.setter
    def unit(self, unit: int) -> None:
        self._unit = self._explorer.look(self._layer, unit, self._image).unit

    @property
    def image(self) -> int:
        """The number of the chosen image; may be set."""
        return self._image

    @image.setter
    def image(self, index: int) -> None:
        self._image = self._explorer.look(self._layer, self.look.unit, index).index

    def show_strongest(self) -> int:
        """Go to the image that excites the chosen unit most; return its number."""
        self._image = self._explorer.strongest_image(self._layer, self.look.unit)
        return self._image

    def _refresh(self, change=None) -> None:
        if change is not None and change["name"] == "_strongest":
            self.show_strongest()
        else:
            super()._refresh()

    def _compute(self) -> dict:
        look = self.look
        colors = scale_for([look.maps])
        image_frame, patch = _frame(look), _picture(look.patch)
        rows, columns = look.map.shape
        view = {
            "trouble": "",
            "unit": look.unit,
            "image": {**panel(_picture(look.image)), "frame": image_frame},
            "map": {**panel(paint(look.map, colors)), "frame": [look.row, look.column, 1, 1]},
            "patch": panel(patch),
            "sizes": f"{rows} × {columns}",
            "bar": {**bar(colors), "low": number(colors.low), "high": number(colors.high)},
            "maps": _all_maps(look.maps, colors),
            "kernel": None,
            "kernelText": "no kernel of its own",
            "reading": look.reading(),
        }
        if look.kernel is not None:
            whose = "" if look.kernel_layer == look.layer else f"of {look.kernel_layer}, "
            channels, height, width = look.kernel.shape
            more = "" if channels == 1 else f", one for each of {channels} channels"
            limit = _kernel_scale(look).high
            view["kernel"] = panel(_kernel(look))
            view["kernelText"] = f"{whose}{height} × {width}{more}; up to ±{number(limit)}"
        return view

    def still(self):
        """Return a Figure of image, kernel, map and strongest patch as they stand now."""
        look = self.look
        colors = scale_for([look.maps])
        panels = [(f"image {look.index}", _picture(look.image))]
        frames = [tuple(_frame(look))]
        if look.kernel is not None:
            ends = _kernel_scale(look).ends()
            panels.append((f"kernel of {look.kernel_layer}, {ends}", _kernel(look)))
            frames.append(None)
        title = f"map {look.unit} of {look.layer}, {colors.ends()}"
        panels.append((title, paint(look.map, colors)))
        frames.append((look.row, look.column, 1, 1))
        panels.append(("its strongest patch", _picture(look.patch)))
        frames.append(None)
        return look_still(panels, frames, look.reading(), look.reading())

    def _told(self) -> str:
        look = self.look
        units = self._explorer.layers[look.layer]
        return f"{look.layer}, unit {look.unit} of {units}, image {look.index} of {self._count}"


def _frame(look: Look) -> list[int]:
    """Return the frame around what the unit sees: top, left, height, width."""
    top, bottom, left, right = look.box
    return [top, left, bottom - top, right - left]


def _picture(image: np.ndarray) -> np.ndarray:
    """Paint an image (1, H, W) in gray or (3, H, W) in its colors."""
    if len(image) == 1:
        return paint(image[0], picture_scale([image]))
    colors = np.rint(255 * np.clip(np.moveaxis(image, 0, -1), 0, 1)).astype(np.uint8)
    return np.concatenate([colors, np.full((*colors.shape[:2], 1), 255, np.uint8)], axis=2)


def _kernel_scale(look: Look) -> Scale:
    return scale_for([look.kernel], signed=True)


def _kernel(look: Look) -> np.ndarray:
    shown = look.kernel[:MOST_CHANNELS]
    columns = math.ceil(math.sqrt(len(shown) * shown.shape[1] / shown.shape[2]))
    return tile(paint(shown, _kernel_scale(look)), columns)


def _all_maps(maps: np.ndarray, colors: Scale) -> dict:
    """Return all maps on one sheet, and how they lie on it, for choosing one by a click."""
    shown = maps[:MOST_MAPS]
    count, height, width = shown.shape
    columns = columns_for(count, height, width, ratio=4)
    gap = max(1, width // 12)
    sheet = panel(tile(paint(shown, colors), columns, gap=gap))
    return {
        **sheet,
        "count": count,
        "across": columns,
        "height": height,
        "width": width,
        "gap": gap,
    }
