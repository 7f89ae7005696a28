"""The exercises of lesson 1: sizes, sliding sums, and the flip that makes them convolutions."""

from math import ceil

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import correlate, floats, small_integers


@exercise(
    lesson=1,
    cases=[
        # size, kernel_size, stride, padding, dilation
        (5, 3, 1, 0, 1),
        (5, 3, 1, 1, 1),
        (6, 3, 2, 0, 1),
        (7, 3, 2, 0, 1),
        (6, 2, 3, 0, 1),
        (7, 3, 1, 0, 2),
        (4, 4, 1, 0, 1),
        (28, 5, 1, 2, 1),
        (11, 3, 3, 1, 2),
        (12, 2, 5, 0, 3),
    ],
    random_case=lambda rng: (
        int(rng.integers(15, 40)),
        int(rng.integers(1, 6)),
        int(rng.integers(1, 5)),
        int(rng.integers(0, 4)),
        int(rng.integers(1, 4)),
    ),
    right="this one line predicts the shape of every layer you will meet, pooling included.",
    hint="how many steps of length `stride` can the kernel's left end take before its right end "
    "leaves the padded image? The starting position counts too.",
)
def output_size(size, kernel_size, stride, padding, dilation):
    """Return how many positions a kernel has along an axis of `size` pixels.

    `padding` zeros stand at *each* end; `dilation` is the distance between neighboring kernel
    elements (1: no gaps). All are integers, and so is the answer.
    """
    reach = dilation * (kernel_size - 1) + 1
    return (size + 2 * padding - reach) // stride + 1


def _span(size, kernel_size, padding, dilation):
    return size + 2 * padding - dilation * (kernel_size - 1) - 1


@output_size.mistake(
    "padding is counted once, but zeros stand at both ends: add 2 * padding to the size."
)
def _(size, kernel_size, stride, padding, dilation):
    return (_span(size, kernel_size, 0, dilation) + padding) // stride + 1


@output_size.mistake("padding is left out: it makes the axis longer by 2 * padding.")
def _(size, kernel_size, stride, padding, dilation):
    return _span(size, kernel_size, 0, dilation) // stride + 1


@output_size.mistake(
    "one too few: you count the steps, but the position before the first step counts as well (+ 1)."
)
def _(size, kernel_size, stride, padding, dilation):
    return _span(size, kernel_size, padding, dilation) // stride


@output_size.mistake(
    "the + 1 came before the division: divide the steps by the stride first, then add the "
    "starting position."
)
def _(size, kernel_size, stride, padding, dilation):
    return (_span(size, kernel_size, padding, dilation) + 1) // stride


@output_size.mistake(
    "you round up, but a last step that does not fit is not taken: round down (//)."
)
def _(size, kernel_size, stride, padding, dilation):
    return ceil(_span(size, kernel_size, padding, dilation) / stride) + 1


@output_size.mistake(
    "you round to the nearest, but a last step that does not fit is not taken: round down (//)."
)
def _(size, kernel_size, stride, padding, dilation):
    return round(_span(size, kernel_size, padding, dilation) / stride) + 1


@output_size.mistake(
    "no half positions: `/` gives a float, and the remainder is lost on purpose. Divide with //."
)
def _(size, kernel_size, stride, padding, dilation):
    return _span(size, kernel_size, padding, dilation) / stride + 1


@output_size.mistake("the stride is left out: it divides the number of steps.")
def _(size, kernel_size, stride, padding, dilation):
    return _span(size, kernel_size, padding, dilation) + 1


@output_size.mistake(
    "dilation is left out: a kernel with gaps reaches over dilation * (kernel_size - 1) + 1 pixels."
)
def _(size, kernel_size, stride, padding, dilation):
    return _span(size, kernel_size, padding, 1) // stride + 1


@output_size.mistake(
    "a dilated kernel is a little shorter than dilation * kernel_size: there are gaps between its "
    "elements, not after the last one: dilation * (kernel_size - 1) + 1."
)
def _(size, kernel_size, stride, padding, dilation):
    return (size + 2 * padding - dilation * kernel_size) // stride + 1


@exercise(
    lesson=1,
    cases=[
        (floats([1, 2, 4, 8]), floats([1, 0, -1])),
        (floats([1, 2, 3]), floats([1, 10])),
        (floats([2, 3]), floats([5, 1])),
        (floats([1, 2, 3]), floats([2])),
        (floats([0, 0, 1, 0, 0]), floats([1, 2, 3])),
    ],
    random_case=lambda rng: (
        small_integers(rng, rng.integers(7, 12)),
        small_integers(rng, rng.integers(2, 6)),
    ),
    right="a dot product at every position. Everything a convolutional layer does is this, with "
    "more axes.",
    hint="at position i the kernel covers signal[i : i + len(kernel)]. At how many positions does "
    "it fit?",
)
def correlate1d(signal, kernel):
    """Return the sums of signal[i + k] * kernel[k], at every i where the kernel fits (valid)."""
    return correlate(signal, kernel)


@correlate1d.mistake(
    "your kernel is flipped: that is convolution (what np.convolve does). Correlation lays the "
    "kernel on the signal as it is."
)
def _(signal, kernel):
    return correlate(signal, kernel[::-1])


@correlate1d.mistake(
    "off by one at the right edge: you stop one position early. The kernel fits at "
    "len(signal) - len(kernel) + 1 positions."
)
def _(signal, kernel):
    return correlate(signal, kernel)[:-1]


@correlate1d.mistake(
    "off by one at the left edge: you start at position 1. Positions count from 0."
)
def _(signal, kernel):
    return correlate(signal, kernel)[1:]


@correlate1d.mistake(
    "you let the kernel reach over both ends (mode full): keep only the positions where all of it "
    "lies on the signal (valid)."
)
def _(signal, kernel):
    return correlate(signal, kernel, "full")


@correlate1d.mistake(
    "your result is as long as the signal (mode same): keep only the positions where all of the "
    "kernel lies on the signal (valid)."
)
def _(signal, kernel):
    return np.correlate(signal, kernel, "same")


@correlate1d.mistake(
    "you divide by the length of the kernel: that is a mean, correlation is a plain sum."
)
def _(signal, kernel):
    return correlate(signal, kernel) / len(kernel)


@correlate1d.mistake(
    "you add up the window without the kernel: multiply each value by its weight first."
)
def _(signal, kernel):
    return correlate(signal, np.ones_like(kernel))


@correlate1d.mistake(
    "only the last product is left: add to the sum (+=) instead of replacing it (=)."
)
def _(signal, kernel):
    return signal[len(kernel) - 1 :] * kernel[-1]


def _image_and_kernel(rng):
    return (
        small_integers(rng, rng.integers(4, 7), rng.integers(4, 7)),
        small_integers(rng, rng.integers(2, 4), rng.integers(2, 4)),
    )


_TINY = [
    (floats([[1, 2, 3], [4, 5, 6]]), floats([[1, 0], [0, 10]])),
    (floats([[1, 0, 2], [0, 3, 0], [4, 0, 5]]), floats([[1, 2], [3, 4]])),
    (floats([[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]), floats([[1, 0, -1]])),
    (floats([[1, 2], [3, 4], [5, 7]]), floats([[1], [3]])),
    (floats([[1, 2], [3, 4]]), floats([[1, 2], [3, 5]])),
]


@exercise(
    lesson=1,
    cases=_TINY,
    random_case=_image_and_kernel,
    right="these few lines are the heart of every convolutional network; what deep learning calls "
    "convolution is exactly this.",
    hint="two loops, over the rows and columns of the result: "
    "image[i : i + kernel_height, j : j + kernel_width] is the patch under the kernel.",
)
def correlate2d(image, kernel):
    """Return the sum of patch * kernel at every place where the kernel fits (valid)."""
    return correlate(image, kernel)


@correlate2d.mistake(
    "your kernel is flipped: that is convolution. Correlation lays the kernel on the image as it "
    "is."
)
def _(image, kernel):
    return correlate(image, kernel[::-1, ::-1])


@correlate2d.mistake(
    "your kernel is upside down: correlation lays the kernel on the image as it is."
)
def _(image, kernel):
    return correlate(image, kernel[::-1])


@correlate2d.mistake(
    "your kernel is mirrored left to right: correlation lays the kernel on the image as it is."
)
def _(image, kernel):
    return correlate(image, kernel[:, ::-1])


@correlate2d.mistake(
    "off by one at the right edge: you stop one column early. There are "
    "image_width - kernel_width + 1 columns."
)
def _(image, kernel):
    return correlate(image, kernel)[:, :-1]


@correlate2d.mistake(
    "off by one at the bottom: you stop one row early. There are image_height - kernel_height + 1 "
    "rows."
)
def _(image, kernel):
    return correlate(image, kernel)[:-1]


@correlate2d.mistake(
    "off by one at the right edge and at the bottom: you stop one position early. The kernel fits "
    "at size - kernel_size + 1 positions along each axis."
)
def _(image, kernel):
    return correlate(image, kernel)[:-1, :-1]


@correlate2d.mistake(
    "you let the kernel reach over the border (mode full): keep only the places where all of it "
    "lies on the image (valid)."
)
def _(image, kernel):
    return correlate(image, kernel, "full")


@correlate2d.mistake(
    "your result is as large as the image (mode same): keep only the places where all of the "
    "kernel lies on the image (valid)."
)
def _(image, kernel):
    return correlate(image, kernel, "same")


@correlate2d.mistake(
    "your result is as large as the image, its last rows and columns left at zero: make it no "
    "larger than the places where the kernel fits, size - kernel_size + 1 along each axis."
)
def _(image, kernel):
    result = np.zeros(image.shape)
    inside = correlate(image, kernel)
    result[: inside.shape[0], : inside.shape[1]] = inside
    return result


@correlate2d.mistake(
    "one size for both axes: neither the image nor the kernel need be square, ask for the height "
    "and the width of each."
)
def _(image, kernel):
    size = kernel.shape[0]
    places = image.shape[0] - size + 1
    patches = [[image[i : i + size, j : j + size] for j in range(places)] for i in range(places)]
    return np.array([[np.sum(patch * kernel) for patch in row] for row in patches])


@correlate2d.mistake(
    "you divide by the number of kernel elements: that is a mean, correlation is a plain sum."
)
def _(image, kernel):
    return correlate(image, kernel) / kernel.size


@correlate2d.mistake(
    "you add up the patch without the kernel: multiply each pixel by its weight first."
)
def _(image, kernel):
    return correlate(image, np.ones_like(kernel))


@correlate2d.mistake(
    "rows and columns of your result have changed places: the first index is the row."
)
def _(image, kernel):
    return correlate(image, kernel).T


@exercise(
    lesson=1,
    cases=_TINY,
    random_case=_image_and_kernel,
    right="one flip apart from correlation. With it, convolving a single bright pixel draws the "
    "kernel itself.",
    hint="kernel[::-1, ::-1] is the kernel turned by half a turn; the rest you have already "
    "written.",
)
def convolve2d(image, kernel):
    """Flip the kernel along both axes, then slide it as in correlation (valid)."""
    return correlate(image, kernel[::-1, ::-1])


@convolve2d.mistake("that is correlation: for convolution, flip the kernel first, along both axes.")
def _(image, kernel):
    return correlate(image, kernel)


@convolve2d.mistake(
    "flipped upside down only: convolution flips the columns as well, kernel[::-1, ::-1]."
)
def _(image, kernel):
    return correlate(image, kernel[::-1])


@convolve2d.mistake(
    "flipped left to right only: convolution flips the rows as well, kernel[::-1, ::-1]."
)
def _(image, kernel):
    return correlate(image, kernel[:, ::-1])


@convolve2d.mistake(
    "transposed instead of flipped: kernel.T mirrors at the diagonal, convolution needs half a "
    "turn, kernel[::-1, ::-1]."
)
def _(image, kernel):
    return correlate(image, kernel.T)


@convolve2d.mistake(
    "a quarter turn instead of half a turn: np.rot90(kernel, 2), or kernel[::-1, ::-1]."
)
def _(image, kernel):
    return correlate(image, np.rot90(kernel))


@convolve2d.mistake(
    "you flipped the image: its answer comes out turned by half a turn. Flip the kernel."
)
def _(image, kernel):
    return correlate(image[::-1, ::-1], kernel)


@convolve2d.mistake(
    "you let the kernel reach over the border (mode full): keep only the places where all of it "
    "lies on the image (valid)."
)
def _(image, kernel):
    return correlate(image, kernel[::-1, ::-1], "full")


@convolve2d.mistake(
    "your result is as large as the image (mode same): keep only the places where all of the "
    "kernel lies on the image (valid)."
)
def _(image, kernel):
    return correlate(image, kernel[::-1, ::-1], "same")


@exercise(
    lesson=1,
    cases=[
        # image, kernel, stride, padding
        (floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), floats([[1, 0], [0, 10]]), 1, 0),
        (floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), floats([[1, 10]]), 2, 0),
        (floats([[1, 2], [3, 4]]), floats([[1, 2], [3, 4]]), 1, 1),
        (floats([[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]), floats([[1, 2], [0, -1]]), 2, 0),
        (floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), floats([[1, 2], [3, 4]]), 2, 1),
    ],
    random_case=lambda rng: (
        *_image_and_kernel(rng),
        int(rng.integers(1, 4)),
        int(rng.integers(0, 3)),
    ),
    right="a convolutional layer for one channel, the way every library has it.",
    hint="np.pad(image, padding) sets zeros all around. Then the patch of output pixel (i, j) "
    "begins at row i * stride, column j * stride.",
)
def correlate2d_strided(image, kernel, stride, padding):
    """Set `padding` zeros on each of the four sides, then correlate at every `stride`-th place."""
    return correlate(np.pad(image, padding), kernel)[::stride, ::stride]


@correlate2d_strided.mistake(
    "the stride is left out: the kernel should move `stride` pixels a step."
)
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, padding), kernel)


@correlate2d_strided.mistake(
    "the result has the right size, but its windows advance by one pixel: the patch of output "
    "(i, j) begins at row i * stride, column j * stride."
)
def _(image, kernel, stride, padding):
    full = correlate(np.pad(image, padding), kernel)
    rows, columns = full[::stride, ::stride].shape
    return full[:rows, :columns]


@correlate2d_strided.mistake("the stride is applied to the rows only: columns step by it as well.")
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, padding), kernel)[::stride]


@correlate2d_strided.mistake("the stride is applied to the columns only: rows step by it as well.")
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, padding), kernel)[:, ::stride]


@correlate2d_strided.mistake("the padding is left out: set `padding` zeros on each side first.")
def _(image, kernel, stride, padding):
    return correlate(image, kernel)[::stride, ::stride]


@correlate2d_strided.mistake(
    "you pad the bottom and the right only: the zeros stand on all four sides."
)
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, (0, padding)), kernel)[::stride, ::stride]


@correlate2d_strided.mistake(
    "you pad the top and the left only: the zeros stand on all four sides."
)
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, (padding, 0)), kernel)[::stride, ::stride]


@correlate2d_strided.mistake(
    "you pad by repeating the border pixels (mode edge): the padding here is zeros."
)
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, padding, mode="edge"), kernel)[::stride, ::stride]


@correlate2d_strided.mistake(
    "off by one: the last place is missing. Round (size - kernel_size) / stride down, then add 1."
)
def _(image, kernel, stride, padding):
    full = correlate(np.pad(image, padding), kernel)
    rows, columns = ((length - 1) // stride for length in full.shape)
    return full[::stride, ::stride][:rows, :columns]


@correlate2d_strided.mistake(
    "your kernel is flipped: that is convolution. Correlation lays the kernel on the image as it "
    "is."
)
def _(image, kernel, stride, padding):
    return correlate(np.pad(image, padding), kernel[::-1, ::-1])[::stride, ::stride]
