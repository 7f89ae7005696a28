"""Cross-correlation of one picture with one kernel, place by place, for what is drawn here."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from cnnedu.shapes import check_padding, output_size, padding_amounts, pair


@dataclass(frozen=True)
class Sliding:
    """A kernel sliding over a padded picture: where it stands for each output, and what it sums.

    `padded` is (C, H', W') and `kernel` (C, kh, kw); `before` are the zeros added above and left.
    """

    padded: np.ndarray
    kernel: np.ndarray
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    image_size: tuple[int, int]
    output_shape: tuple[int, int]

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns the kernel spans, dilation included."""
        return tuple(
            d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel.shape[1:], strict=True)
        )

    def corner(self, row: int, column: int) -> tuple[int, int]:
        """Return the upper left corner (in the padded picture) of the patch of one output."""
        return row * self.stride[0], column * self.stride[1]

    def patch(self, row: int, column: int) -> np.ndarray:
        """Return the (C, kh, kw) patch of one output."""
        top, left = self.corner(row, column)
        height, width = self.reach
        return self.padded[
            :, top : top + height : self.dilation[0], left : left + width : self.dilation[1]
        ]

    def output(self) -> np.ndarray:
        """Return all sums, (rows, columns)."""
        windows = sliding_window_view(self.padded, self.reach, axis=(1, 2))
        windows = windows[:, :: self.stride[0], :: self.stride[1]]
        windows = windows[..., :: self.dilation[0], :: self.dilation[1]]
        return np.einsum("cijuv,cuv->ij", windows, self.kernel)


def slide(image, kernel, stride=1, padding=0, dilation=1) -> Sliding:
    """Prepare the sliding of a (C, kh, kw) kernel over a (C, H, W) image."""
    if len(image) != len(kernel):
        raise ValueError(
            f"image and kernel must have as many channels as each other, but their shapes are "
            f"{image.shape} and {kernel.shape}"
        )
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    padding = check_padding(padding)
    sides = (padding, padding) if isinstance(padding, str) else padding
    sizes = list(zip(image.shape[1:], kernel.shape[1:], stride, sides, dilation, strict=True))
    output_shape = tuple(output_size(*each) for each in sizes)
    amounts = [padding_amounts(*each) for each in sizes]
    padded = np.pad(image, [(0, 0), *amounts])
    before = (amounts[0][0], amounts[1][0])
    return Sliding(padded, kernel, stride, dilation, before, tuple(image.shape[1:]), output_shape)


def correlate(image: np.ndarray, kernel: np.ndarray, mode: str = "valid") -> np.ndarray:
    """Return the cross-correlation of two matrices: "valid", "same" or "full"."""
    padding = mode
    if mode == "full":
        padding = (kernel.shape[0] - 1, kernel.shape[1] - 1)
    elif mode not in ("valid", "same"):
        raise ValueError(f'mode must be "valid", "same" or "full", but it is {mode!r}')
    image = image.astype(np.float64, copy=False)
    return slide(image[np.newaxis], kernel[np.newaxis], padding=padding).output()
