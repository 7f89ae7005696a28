"""A pad to draw a digit on: a network reads along, and shows what its layers make of it."""

import os
from pathlib import Path

import numpy as np
import traitlets

from cnnedu.data import HandwritingError, load_digits
from cnnedu.visualization.colors import picture_scale, scale_for
from cnnedu.visualization.figures import plural
from cnnedu.visualization.stills import answer_still
from cnnedu.widgets import drawing
from cnnedu.widgets.base import Live, script
from cnnedu.widgets.painting import columns_for, paint, panel, tile

SIZES = (100, 800)
MOST_MAPS = 64
EXAMPLE = 3


class DrawDigit(Live):
    """Draw a digit with mouse, pen, finger or arrow keys, and see a network read it as you draw.

    The drawing is prepared as a photograph of handwriting is (lesson 8). Under the probabilities
    stand the maps of every layer. "Save" writes the drawing as dark ink on white paper, named so
    that `cnnedu.data.read_folder` and `label_of` know which digit it is.

    Parameters
    ----------
    network : Sequential, optional
        One that takes images (N, 1, 28, 28) with pixels in [0, 1] and puts out a score per class;
        ``load_pretrained("lasagne")`` if not given.
    size : int
        Height and width of the pad in pixels, 100 to 800.
    folder : path-like
        Where "Save" saves; made when something is saved.

    Raises
    ------
    TypeError, ValueError
        If the network does not take such images, or the size makes no sense.

    Examples
    --------
    >>> from cnnedu.architectures import build
    >>> pad = DrawDigit(build("notebook", rng=np.random.default_rng(0)))
    >>> pad
    DrawDigit(10 classes, pad of 280 x 280, nothing drawn)
    """

    choices = ("_ink", "_saving")

    _esm = script("draw_digit")
    _size = traitlets.Int(280).tag(sync=True)
    # One byte per pixel, 255 for ink; empty as long as nothing is drawn.
    _ink = traitlets.Bytes(b"").tag(
        sync=True, echo_update=False, from_json=lambda pixels, _: bytes(pixels)
    )
    _saving = traitlets.Dict().tag(sync=True)

    def __init__(self, network=None, size: int = 280, *, folder="my-digits") -> None:
        if network is None:
            from cnnedu.pretrained import load_pretrained

            network = load_pretrained("lasagne")
        self.network = drawing.check_network(network)
        whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
        if not whole or not SIZES[0] <= size <= SIZES[1]:
            raise ValueError(
                f"size must be a whole number of pixels from {SIZES[0]} to {SIZES[1]}, but it is "
                f"{size!r}"
            )
        self.folder = Path(os.fspath(folder))
        self._answer = None
        super().__init__(_size=int(size))

    @property
    def drawing(self) -> np.ndarray:
        """What is on the pad, (size, size), 0 for paper and 1 for ink; may be set."""
        if not self._ink:
            return np.zeros((self._size, self._size), np.float32)
        pixels = np.frombuffer(self._ink, np.uint8)
        return pixels.reshape(self._size, self._size) / np.float32(255)

    @drawing.setter
    def drawing(self, ink) -> None:
        ink = drawing.as_ink(ink)
        if ink.shape != (self._size, self._size):
            raise ValueError(
                f"the drawing must have the shape of the pad, {(self._size, self._size)}, but it "
                f"is {ink.shape}"
            )
        self._ink = np.rint(255 * ink).astype(np.uint8).tobytes()

    @property
    def image(self) -> np.ndarray | None:
        """The drawing in MNIST's form, (28, 28), or None as long as nothing is drawn."""
        return None if self._answer is None else self._answer.image.copy()

    @property
    def probabilities(self) -> np.ndarray | None:
        """The network's probability of each class, or None as long as nothing is drawn."""
        return None if self._answer is None else self._answer.probabilities.copy()

    @property
    def maps(self) -> dict[str, np.ndarray]:
        """What each layer makes of the drawing: maps (C, H, W) or units (units,), by its name."""
        return {} if self._answer is None else dict(self._answer.maps)

    def clear(self) -> None:
        """Take a new sheet."""
        self._ink = b""

    def save(self, label: int | None = None) -> Path:
        """Save the drawing as a PNG image in `folder`; return where it went.

        Parameters
        ----------
        label : int, optional
            Which digit it is; the file's name begins with it.
        """
        return drawing.save_drawing(self.drawing, self.folder, label)

    def _refresh(self, change=None) -> None:
        """Answer to a drawing, or save it, whichever was asked for."""
        if change is not None and change["name"] == "_saving":
            try:
                said = f"Saved as {self.save(self._saving.get('label'))}."
            except (HandwritingError, ValueError, OSError) as error:
                said = f"Not saved: {error}"
            self._view = {**self._view, "said": said}
        else:
            super()._refresh()

    def _compute(self) -> dict:
        # The answer changes in one step: JupyterLab may ask from another thread meanwhile.
        try:
            image = drawing.prepare_drawing(self.drawing)
        except HandwritingError as trouble:
            self._answer = None
            return {
                "trouble": "",
                "said": "",
                "reading": f"{str(trouble).capitalize()}.",
                "bars": [
                    {"name": str(index), "value": 0.0, "text": "–"}
                    for index in range(self._classes)
                ],
                "sheets": [],
            }
        self._answer = found = drawing.answer(self.network, image)
        return {
            "trouble": "",
            "said": "",
            "reading": found.reading(),
            "image": panel(paint(image, picture_scale([image]))),
            "bars": [
                {"name": str(index), "value": float(value), "text": drawing.percent(value)}
                for index, value in enumerate(found.probabilities)
            ],
            "sheets": [{"caption": text, **panel(pixels)} for text, pixels in _sheets(found)],
        }

    @property
    def _classes(self) -> int:
        return self.network.output_shape(drawing.SHAPE)[0]

    def still(self):
        """Return a Figure of the image, the probabilities and the maps; an example if empty."""
        found, heading = self._answer, "Your drawing"
        if found is None:
            image = load_digits().test.images[EXAMPLE, 0]
            found = drawing.answer(self.network, image)
            heading = "Nothing is drawn yet; one of the data's digits stands in for a drawing"
        text = f"{heading}. {found.reading()}"
        return answer_still(
            found.image, found.probabilities, _sheets(found, still=True), text, text
        )

    def _told(self) -> str:
        state = "something drawn" if self._ink and any(self._ink) else "nothing drawn"
        return f"{self._classes} classes, pad of {self._size} x {self._size}, {state}"


def _sheets(found: drawing.Answer, *, still: bool = False) -> list[tuple[str, np.ndarray]]:
    """Return each layer's caption and its maps, painted on one scale per layer and tiled.

    In a still picture the sheets are less wide, and the captions give the ends of the scales.
    """
    sheets = []
    for name, output in found.maps:
        scale = scale_for([output])
        if output.ndim == 3:
            count, height, width = output.shape
            shown = output[:MOST_MAPS]
            columns = columns_for(len(shown), height, width, ratio=2 if still else 4)
            pixels = tile(paint(shown, scale), columns, gap=max(1, width // 12))
            most = f", the first {MOST_MAPS}" if count > MOST_MAPS else ""
            what = f"{plural(count, 'map')} of {height} × {width}{most}"
        else:
            units = paint(output, scale)[:, np.newaxis, np.newaxis]
            pixels = tile(units, min(len(units), 64), gap=0)
            what = plural(len(output), "unit")
        ends = f", {scale.ends()}" if still else ""
        sheets.append((f"{name}: {what}{ends}", pixels))
    return sheets
