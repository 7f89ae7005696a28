"""Where a window is put on an image: the sizes that convolution and pooling share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnnedu.shapes import check_padding, output_size, padding_amounts, pair
from cnnedu.workspace import FRESH, Workspace

CHANNELS_FIRST, ROWS_FIRST = (1, 2, 3, 0), (2, 3, 1, 0)
"""In which order the axes of an (N, C, H, W) array lie in memory: (C, H, W, N), (H, W, C, N)."""
BACK = {CHANNELS_FIRST: (3, 0, 1, 2), ROWS_FIRST: (3, 2, 0, 1)}
"""How to transpose what lies so to get an array of shape (N, C, H, W)."""


class Geometry(NamedTuple):
    """Everything about a sliding window that follows from shapes; pairs are (rows, columns)."""

    input_size: tuple[int, int]
    output_size: tuple[int, int]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    """Zeros added at the top and at the left."""
    after: tuple[int, int]
    """Zeros added at the bottom and at the right."""

    @classmethod
    def of(cls, input_size, kernel_size, stride=1, padding=0, dilation=1) -> Geometry:
        """Work out a convolution's geometry; raise if the kernel does not fit."""
        kernel_size = pair(kernel_size, "kernel_size")
        stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
        padding = check_padding(padding)
        rules = (padding, padding) if isinstance(padding, str) else padding
        axes = list(zip(input_size, kernel_size, stride, rules, dilation, strict=True))
        outputs = tuple(output_size(*axis) for axis in axes)
        zeros = [padding_amounts(*axis) for axis in axes]
        before, after = tuple(zip(*zeros, strict=True))
        return cls(tuple(input_size), outputs, kernel_size, stride, dilation, before, after)

    def pad(self, x: np.ndarray) -> np.ndarray:
        """Add the zeros around every image of ``x``."""
        n, c = x.shape[:2]
        return Frame(self, c, n, x.dtype).filled(x)

    def unpad(self, padded: np.ndarray) -> np.ndarray:
        """Cut the zeros off again."""
        (top, left), (h, w) = self.before, self.input_size
        return padded[:, :, top : top + h, left : left + w]

    def place(self, row: int, column: int) -> tuple[slice, slice]:
        """Return the slices of the padded image that lie under the kernel at one output."""
        return tuple(
            slice(index * s, index * s + d * (k - 1) + 1, d)
            for index, s, d, k in zip(
                (row, column), self.stride, self.dilation, self.kernel_size, strict=True
            )
        )

    def every_place(
        self, i: int, j: int, first: tuple[int, int] = (0, 0), pool: tuple[int, int] = (1, 1)
    ) -> tuple[slice, slice]:
        """Return the slices of the padded image that kernel entry (i, j) meets.

        Over all outputs; or only those at ``first``, ``first + pool``, ``first + 2 * pool``, ...
        """
        return tuple(
            slice(a * s + index * d, a * s + index * d + s * p * (count // p - 1) + 1, s * p)
            for index, a, p, s, d, count in zip(
                (i, j), first, pool, self.stride, self.dilation, self.output_size, strict=True
            )
        )


class Frame:
    """Room for padded images: a place to copy images to, and zeros around it.

    Parameters
    ----------
    geometry : Geometry
    channels, images : int
    dtype : dtype
    extra : (rows, columns)
        More zeros at the bottom and at the right.
    order : tuple of int
        How it lies in memory: ``CHANNELS_FIRST`` or ``ROWS_FIRST``.
    workspace : Workspace
        Where the memory comes from.

    Attributes
    ----------
    padded : ndarray, shape (N, C, H, W)
        The images with the zeros.
    inside : ndarray, shape (N, C, h, w)
        The part of it where the images are.
    """

    def __init__(
        self,
        geometry: Geometry,
        channels: int,
        images: int,
        dtype: np.dtype,
        *,
        extra: tuple[int, int] = (0, 0),
        order: tuple[int, ...] = ROWS_FIRST,
        workspace: Workspace = FRESH,
    ) -> None:
        (top, left), (h, w) = geometry.before, geometry.input_size
        height, width = (
            sum(sizes) for sizes in zip(geometry.before, (h, w), geometry.after, extra, strict=True)
        )
        shape = (images, channels, height, width)
        memory = workspace.array("padded", tuple(shape[axis] for axis in order), dtype)
        self.padded = memory.transpose(BACK[order])
        rows, columns = slice(top, top + h), slice(left, left + w)
        self.inside = self.padded[:, :, rows, columns]
        borders = (
            self.padded[:, :, :top],
            self.padded[:, :, top + h :],
            self.padded[:, :, rows, :left],
            self.padded[:, :, rows, left + w :],
        )
        self._borders = [border for border in borders if border.size]

    def filled(self, x: np.ndarray) -> np.ndarray:
        """Copy images (N, C, h, w) into the frame and return them padded."""
        for border in self._borders:
            border[...] = 0  # somebody else may have used this memory
        np.copyto(self.inside, x)
        return self.padded
