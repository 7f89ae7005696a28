"""A kernel to play with: type or drag nine numbers, and see a picture respond at once."""

import numpy as np
import traitlets

from cnnedu.kernels import KERNELS
from cnnedu.visualization.colors import ink_on
from cnnedu.visualization.figures import number
from cnnedu.visualization.stills import response_still
from cnnedu.widgets import responses
from cnnedu.widgets.base import Live, script
from cnnedu.widgets.painting import bar, paint, panel

YOURS = "yours"


class KernelEditor(Live):
    """Change a kernel and watch what a picture answers to it.

    Live in JupyterLab, Notebook and VS Code: type the nine numbers, drag them up and down, or pick
    a known kernel; switch the picture, and between correlation (as networks do) and convolution;
    point at a place of the response to see the sum it is. Where nothing is live, a still.

    Parameters
    ----------
    image : array_like, shape (H, W), optional
        A gray picture of your own, at most 640 pixels; the digit and the photograph that come with
        the editor can be picked as well.
    kernel : str or array_like, shape (3, 3)
        Where to begin: a name from `cnnedu.kernels`, or nine numbers.
    convolution : bool
        Whether the kernel is turned by 180 degrees first.
    scale : {"fit", "fixed"}
        Whether the colors end at the strongest answer, or at the strongest possible one.
    picture : {"digit", "photograph"}
        Which picture to begin with if no image is given.

    Raises
    ------
    TypeError, ValueError
        If the image or the kernel is none.

    Examples
    --------
    >>> editor = KernelEditor(kernel="laplacian")
    >>> editor
    KernelEditor(laplacian, correlation, digit of 28 x 28)
    >>> editor.kernel = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    >>> editor.response.shape
    (26, 26)
    """

    choices = ("_numbers", "_picture", "_way", "_scale", "_place")

    _esm = script("kernel_editor")
    _numbers = traitlets.List(traitlets.Float()).tag(sync=True)
    _picture = traitlets.Unicode("digit").tag(sync=True)
    _way = traitlets.Enum(responses.WAYS, "correlation").tag(sync=True)
    _scale = traitlets.Enum(responses.SCALES, "fit").tag(sync=True)
    _place = traitlets.List(traitlets.Int()).tag(sync=True)
    _presets = traitlets.Dict().tag(sync=True)
    _pictures = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(
        self, image=None, kernel="sobel_x", *, convolution=False, scale="fit", picture="digit"
    ) -> None:
        if scale not in responses.SCALES:
            raise ValueError(
                f"scale must be one of {', '.join(responses.SCALES)}, but it is {scale!r}"
            )
        self._loaded = {}
        if image is not None:
            self._loaded[YOURS] = responses.as_gray(image)
        elif picture not in responses.PICTURES:
            raise ValueError(
                f"picture must be one of {', '.join(responses.PICTURES)}, but it is {picture!r}"
            )
        super().__init__(
            _numbers=responses.as_nine(kernel).ravel().tolist(),
            _picture=picture if image is None else YOURS,
            _way="convolution" if convolution else "correlation",
            _scale=scale,
            _presets={name: weights.ravel().tolist() for name, weights in KERNELS.items()},
            _pictures=[*self._loaded, *responses.PICTURES],
        )

    @property
    def kernel(self) -> np.ndarray:
        """The nine numbers as they stand now, (3, 3); may be set, also by name."""
        return responses.as_nine(self._numbers)

    @kernel.setter
    def kernel(self, kernel) -> None:
        self._numbers = responses.as_nine(kernel).ravel().tolist()

    @property
    def image(self) -> np.ndarray:
        """The picture as it stands now, (H, W)."""
        if self._picture not in self._loaded:
            self._loaded[self._picture] = responses.load_picture(self._picture)
        return self._loaded[self._picture].copy()

    @property
    def convolution(self) -> bool:
        """Whether the kernel is turned by 180 degrees before it slides; may be set."""
        return self._way == "convolution"

    @convolution.setter
    def convolution(self, convolution: bool) -> None:
        self._way = "convolution" if convolution else "correlation"

    @property
    def response(self) -> np.ndarray:
        """The response to the picture, (H - 2, W - 2)."""
        return self._result().values

    def _result(self) -> responses.Response:
        return responses.respond(self.image, self.kernel, convolution=self.convolution)

    def _compute(self) -> dict:
        result = self._result()
        colors = result.scale(self._scale)
        cells = paint(result.weights, result.kernel_scale())
        return {
            "trouble": "",
            "name": responses.name_of(result.weights),
            "image": panel(paint(result.image, result.picture_scale())),
            "response": panel(paint(result.values, colors)),
            "cells": [
                {"color": f"rgb{tuple(int(part) for part in cell[:3])}", "ink": ink_on(cell / 255)}
                for cell in cells.reshape(-1, 4)
            ],
            "bar": {**bar(colors), "low": number(colors.low), "high": number(colors.high)},
            "limits": result.limits(),
            "reading": result.reading(),
            "place": self._told_place(result),
        }

    def _told_place(self, result: responses.Response) -> str:
        """Return the sum at the place pointed at; a picture may have become smaller meanwhile."""
        rows, columns = result.values.shape
        if len(self._place) != 2:
            return ""
        row, column = self._place
        return result.at(row, column) if 0 <= row < rows and 0 <= column < columns else ""

    def still(self):
        """Return a Figure of the picture, the kernel and the response as they stand now."""
        result = self._result()
        scales = (result.picture_scale(), result.kernel_scale(), result.scale(self._scale))
        arrays = (result.image, result.weights, result.values)
        limits = result.limits().capitalize()
        return response_still(*arrays, scales, result.reading(), f"{result.reading()} {limits}.")

    def _told(self) -> str:
        rows, columns = self.image.shape
        name = responses.name_of(self.kernel) or "a kernel of your own"
        return f"{name}, {self._way}, {self._picture} of {rows} x {columns}"
