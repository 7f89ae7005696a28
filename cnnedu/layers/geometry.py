"""Where a window is put on an image: the sizes that convolution and pooling share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnnedu.shapes import check_padding, output_size, padding_amounts, pair
from cnnedu.workspace import FRESH, Workspace


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

    def pad(
        self, x: np.ndarray, extra: tuple[int, int] = (0, 0), workspace: Workspace = FRESH
    ) -> np.ndarray:
        """Add the zeros around every image of ``x``, and ``extra`` at the bottom and right."""
        (top, left), (bottom, right) = self.before, np.add(self.after, extra)
        if not (top or left or bottom or right):
            return x
        n, c, h, w = x.shape
        shape = (top + h + bottom, left + w + right, c, n)
        padded = workspace.array("padded", shape, x.dtype)  # the images axis stays last in memory
        padded[:top] = padded[top + h :] = 0
        padded[top : top + h, :left] = padded[top : top + h, left + w :] = 0
        padded = padded.transpose(3, 2, 0, 1)
        padded[:, :, top : top + h, left : left + w] = x
        return padded

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
