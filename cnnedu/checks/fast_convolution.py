"""The exercises of lesson 11: the same numbers by other ways, and what each of them costs."""

import numpy as np

from cnnedu.checks.framework import WrongAnswer, exercise
from cnnedu.checks.sliding import correlate, floats, small_integers


def _patches(image, size):
    """Return every patch, (rows of places, columns of places, size, size)."""
    return np.lib.stride_tricks.sliding_window_view(image, (size, size))


@exercise(
    lesson=11,
    cases=[
        # image, kernel_size
        (floats([[1, 2, 3], [4, 5, 6]]), 2),
        (floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 2),
        (floats([[1, 2], [3, 4], [5, 6]]), 2),
        (floats([[1, 2, 3], [4, 5, 6]]), 1),
        (floats([[1, 2, 3], [4, 5, 6], [7, 8, 9]]), 3),
    ],
    random_case=lambda rng: (
        small_integers(rng, rng.integers(4, 7), rng.integers(4, 7)),
        int(rng.integers(2, 4)),
    ),
    right="kernel.ravel() @ patch_columns(image, size) is the whole convolution: one product of "
    "matrices, the thing that computers do best.",
    hint="two loops over the places, rows first: image[i : i + size, j : j + size].ravel() is one "
    "column; np.stack(columns, axis=1) sets them side by side.",
)
def patch_columns(image, kernel_size):
    """Write every patch of kernel_size x kernel_size as a column: (kernel_size**2, places).

    Patches are read row by row, and so are the places. The image is (height, width), one channel;
    stride 1, no padding.
    """
    return _patches(image, kernel_size).reshape(-1, kernel_size**2).T


@patch_columns.mistake(
    "each patch stands in a row of its own: make it a column, the matrix transposed. The kernel "
    "as a row then meets every patch."
)
def _(image, kernel_size):
    return _patches(image, kernel_size).reshape(-1, kernel_size**2)


@patch_columns.mistake(
    "the numbers are shuffled: reshape reads on in memory order and does not move axes. Bring the "
    "two axes of the patch to the front first (transpose), then reshape."
)
def _(image, kernel_size):
    return _patches(image, kernel_size).reshape(kernel_size**2, -1)


@patch_columns.mistake(
    "each patch is read column by column: read it row by row (ravel), as the kernel will be."
)
def _(image, kernel_size):
    return _patches(image, kernel_size).swapaxes(2, 3).reshape(-1, kernel_size**2).T


@patch_columns.mistake(
    "the places come column by column: go through the rows in the outer loop, so that the answers "
    "can be reshaped into a map."
)
def _(image, kernel_size):
    return _patches(image, kernel_size).swapaxes(0, 1).reshape(-1, kernel_size**2).T


@patch_columns.mistake(
    "your patches lie side by side: with stride 1 they overlap, and there is one at every place."
)
def _(image, kernel_size):
    apart = _patches(image, kernel_size)[::kernel_size, ::kernel_size]
    return apart.reshape(-1, kernel_size**2).T


@patch_columns.mistake(
    "off by one: the last place of each axis is missing. There are size - kernel_size + 1 of them."
)
def _(image, kernel_size):
    return _patches(image, kernel_size)[:-1, :-1].reshape(-1, kernel_size**2).T


@patch_columns.mistake(
    "one number of places for both axes: the image need not be square, ask for its height and its "
    "width."
)
def _(image, kernel_size):
    places = image.shape[0] - kernel_size + 1
    columns = [
        np.resize(image[i : i + kernel_size, j : j + kernel_size], kernel_size**2)
        for i in range(places)
        for j in range(min(places, image.shape[1] - kernel_size + 1))
    ]
    return np.stack(columns, axis=1)


@patch_columns.mistake(
    "all the patches, but not yet a matrix: each patch should be written out in one column."
)
def _(image, kernel_size):
    return _patches(image, kernel_size)


@exercise(
    lesson=11,
    cases=[
        # height, width, channels, kernels, kernel_size, tile
        (6, 6, 1, 1, 3, 1),
        (6, 6, 1, 1, 3, 4),
        (7, 6, 1, 1, 3, 1),
        (7, 6, 1, 1, 3, 4),
        (6, 10, 2, 3, 3, 4),
        (8, 5, 1, 1, 3, 2),
        (12, 12, 32, 32, 5, 1),
        (12, 12, 32, 32, 5, 4),
        (28, 15, 1, 32, 5, 2),
        (9, 21, 4, 1, 3, 6),
    ],
    random_case=lambda rng: (
        int(rng.integers(8, 30)),
        int(rng.integers(8, 30)),
        int(rng.integers(1, 9)),
        int(rng.integers(1, 9)),
        int(rng.integers(2, 6)),
        int(rng.integers(1, 7)),
    ),
    right="before you write any code you know how much there is to gain, and a tile of 1 is the "
    "direct way. Only the clock knows how much of the gain arrives.",
    hint="how many places does the kernel have along each axis? How many tiles cover them, the "
    "last one included? A tile takes (tile + kernel_size - 1)**2, and all of it happens for every "
    "channel of every kernel.",
)
def count_multiplications(height, width, channels, kernels, kernel_size, tile):
    """Return how many multiplications a convolution of one image takes by Winograd's method.

    The image is (channels, height, width), and there are `kernels` kernels of that many channels,
    kernel_size x kernel_size; stride 1, no padding. A tile has tile x tile outputs and is always
    computed whole; the transforms do not count.
    """
    tiles = _tiles(height - kernel_size + 1, width - kernel_size + 1, tile)
    return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels


def _tiles(rows, columns, tile):
    return -(rows // -tile) * -(columns // -tile)


@count_multiplications.mistake(
    "the channels are left out: a kernel has weights for every channel, and each is multiplied."
)
def _(height, width, channels, kernels, kernel_size, tile):
    return count_multiplications.reference(height, width, 1, kernels, kernel_size, tile)


@count_multiplications.mistake(
    "the number of kernels is left out: each of them visits every place."
)
def _(height, width, channels, kernels, kernel_size, tile):
    return count_multiplications.reference(height, width, channels, 1, kernel_size, tile)


@count_multiplications.mistake(
    "you cover the whole image with tiles: it is the places of the kernel that they cover, "
    "size - kernel_size + 1 along each axis."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = _tiles(height, width, tile)
    return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels


@count_multiplications.mistake(
    "a tile that is only partly used is computed whole: round the number of tiles up along each "
    "axis, not down."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = (height - kernel_size + 1) // tile * ((width - kernel_size + 1) // tile)
    return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels


@count_multiplications.mistake(
    "tiles cannot be cut and put together: round their number up along each axis, do not divide "
    "the number of all places by tile**2."
)
def _(height, width, channels, kernels, kernel_size, tile):
    places = (height - kernel_size + 1) * (width - kernel_size + 1)
    return -(places // -(tile**2)) * (tile + kernel_size - 1) ** 2 * channels * kernels


@count_multiplications.mistake(
    "part of a tile is not a thing: the number of tiles is a whole number along each axis, rounded "
    "up."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = (height - kernel_size + 1) / tile * (width - kernel_size + 1) / tile
    return tiles * (tile + kernel_size - 1) ** 2 * channels * kernels


@count_multiplications.mistake(
    "one too many along each axis: a tile and a kernel of k need tile + k - 1 points."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = _tiles(height - kernel_size + 1, width - kernel_size + 1, tile)
    return tiles * (tile + kernel_size) ** 2 * channels * kernels


@count_multiplications.mistake(
    "a tile has two dimensions: it takes (tile + kernel_size - 1)**2 multiplications."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = _tiles(height - kernel_size + 1, width - kernel_size + 1, tile)
    return tiles * (tile + kernel_size - 1) * channels * kernels


@count_multiplications.mistake(
    "kernel_size**2 for each output of a tile is the direct way: together the outputs of a tile "
    "take (tile + kernel_size - 1)**2."
)
def _(height, width, channels, kernels, kernel_size, tile):
    tiles = _tiles(height - kernel_size + 1, width - kernel_size + 1, tile)
    return tiles * (tile * kernel_size) ** 2 * channels * kernels


def _real(answer):
    """Send complex answers back."""
    if getattr(getattr(answer, "dtype", None), "kind", "") == "c":
        raise WrongAnswer(
            "your answer is complex: what is left in its imaginary parts is rounding. Take .real, "
            "or use rfft2 and irfft2"
        )
    return answer


def _by_fft(image, kernel, shape):
    product = np.fft.rfft2(image, shape) * np.fft.rfft2(kernel, shape)
    return np.fft.irfft2(product, shape)


def _full(image, kernel):
    return tuple(a + b - 1 for a, b in zip(image.shape, kernel.shape, strict=True))


@exercise(
    lesson=11,
    cases=[
        (floats([[1, 0], [0, 2]]), floats([[1, 2], [3, 4]])),
        (floats([[1, 2, 3], [4, 5, 6]]), floats([[1, 10]])),
        (floats([[1, 2], [3, 4], [5, 7]]), floats([[1, 0], [2, 3]])),
        (floats([[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]]), floats([[1, 0, -1]])),
    ],
    random_case=lambda rng: (
        small_integers(rng, rng.integers(4, 7), rng.integers(4, 7)),
        small_integers(rng, rng.integers(2, 4), rng.integers(2, 4)),
    ),
    view=_real,
    right="a convolution became a product, entry by entry. However large the kernel, the cost "
    "hardly changes.",
    hint="both spectra must have the same shape, and it must be large enough for the whole answer: "
    "height + kernel_height - 1, and likewise for the width. fft.rfft2(array, shape) adds the "
    "zeros; give the shape to irfft2 as well.",
)
def fft_convolve(image, kernel):
    """Convolve (with the flip, mode full) by the Fourier transform, without wrap-around.

    The answer has the shape (height + kernel_height - 1, width + kernel_width - 1).
    """
    return correlate(image, np.flip(kernel), "full")


@fft_convolve.mistake(
    "what leaves the image on one side comes back in on the other: add zeros to both up to "
    "height + kernel_height - 1, width + kernel_width - 1 before you transform."
)
def _(image, kernel):
    return _by_fft(image, kernel, image.shape)


@fft_convolve.mistake(
    "the last column is lost: half a spectrum does not tell whether the width was even or odd. "
    "Give irfft2 the shape."
)
def _(image, kernel):
    shape = _full(image, kernel)
    product = np.fft.rfft2(image, shape) * np.fft.rfft2(kernel, shape)
    return np.fft.irfft2(product)


@fft_convolve.mistake(
    "one row and one column too many: of height + kernel_height places, the last is always zero. "
    "The answer has size + kernel_size - 1 along each axis."
)
def _(image, kernel):
    return _by_fft(image, kernel, np.add(image.shape, kernel.shape))


@fft_convolve.mistake(
    "that is correlation: the product of the spectra is the convolution with the flip, so leave "
    "the kernel as it is."
)
def _(image, kernel):
    return _by_fft(image, np.flip(kernel), _full(image, kernel))


@fft_convolve.mistake(
    "the conjugate makes it a correlation, wrapped around: for the convolution multiply the two "
    "spectra as they are."
)
def _(image, kernel):
    shape = _full(image, kernel)
    product = np.fft.rfft2(image, shape) * np.fft.rfft2(kernel, shape).conj()
    return np.fft.irfft2(product, shape)


@fft_convolve.mistake(
    "only the places where all of the kernel lies on the image (mode valid): keep the whole "
    "answer, borders included."
)
def _(image, kernel):
    return correlate(image, np.flip(kernel))


@fft_convolve.mistake(
    "cut to the size of the image: keep the whole answer, borders included (mode full)."
)
def _(image, kernel):
    return correlate(image, np.flip(kernel), "full")[: image.shape[0], : image.shape[1]]


@fft_convolve.mistake(
    "you add the spectra: a convolution becomes a product, multiply them entry by entry."
)
def _(image, kernel):
    shape = _full(image, kernel)
    return np.fft.irfft2(np.fft.rfft2(image, shape) + np.fft.rfft2(kernel, shape), shape)


@exercise(
    lesson=11,
    cases=[
        (floats([1, 2, 3, 4]), floats([1, 10, 100])),
        (floats([1, 2, 3, 4, 5, 6]), floats([1, 10, 100])),
        (floats([1, 2, 3, 4, 5]), floats([1, 10, 100])),
        (floats([1, 2, 4]), floats([1, 0, -1])),
        (floats([3, 1, 4, 1, 5, 9, 2, 6]), floats([2, 7, 1])),
    ],
    random_case=lambda rng: (
        small_integers(rng, rng.integers(7, 12)),
        small_integers(rng, 3),
    ),
    right="four multiplications for two answers, where six seemed to be needed. Do it along the "
    "rows and then along the columns, and you have what fast convolutions run on.",
    hint="a tile starts at every second place and reads four numbers: signal[start : start + 4]. "
    "If the last tile is one number short, add a zero to the signal, and cut the extra answer off "
    "at the end.",
)
def winograd_1d(signal, kernel):
    """Correlate (valid) with a kernel of 3, two answers at a time, by four products for each two.

    The signal has any length from 3 on; the answer is two shorter.
    """
    return correlate(signal, kernel)


def _tile_by_tile(signal, kernel, *, half=0.5, third=1, fourth=-1):
    g0, g1, g2 = kernel
    padded = np.append(signal, 0)
    answers = np.zeros(len(signal))
    for start in range(0, len(signal) - 2, 2):
        d0, d1, d2, d3 = padded[start : start + 4]
        m1 = (d0 - d2) * g0
        m2 = (d1 + d2) * (g0 + g1 + g2) * half
        m3 = third * (d2 - d1) * (g0 - g1 + g2) * half
        m4 = (d1 - d3) * g2
        answers[start] = m1 + m2 + m3
        answers[start + 1] = m2 - m3 + fourth * m4
    return answers[: len(signal) - 2]


@winograd_1d.mistake(
    "the halves are missing: the sums g0 + g1 + g2 and g0 - g1 + g2 are divided by two."
)
def _(signal, kernel):
    return _tile_by_tile(signal, kernel, half=1)


@winograd_1d.mistake(
    "every second answer is wrong: the fourth product is subtracted, m2 - m3 - m4."
)
def _(signal, kernel):
    return _tile_by_tile(signal, kernel, fourth=1)


@winograd_1d.mistake("the third product has the wrong sign: it begins with d2 - d1, not d1 - d2.")
def _(signal, kernel):
    return _tile_by_tile(signal, kernel, third=-1)


@winograd_1d.mistake(
    "the last answer is missing where their number is odd: the last tile then has one answer only; "
    "add a zero to the signal for it."
)
def _(signal, kernel):
    answers = correlate(signal, kernel)
    return answers[: len(answers) // 2 * 2]


@winograd_1d.mistake(
    "the last answer stays zero where their number is odd: the last tile then has one answer only; "
    "add a zero to the signal for it."
)
def _(signal, kernel):
    answers = correlate(signal, kernel)
    if len(answers) % 2:
        answers[-1] = 0
    return answers


@winograd_1d.mistake(
    "one answer too many where their number is odd: it belongs to the zero that you added, cut it "
    "off."
)
def _(signal, kernel):
    return correlate(np.append(signal, [0] * (len(signal) % 2)), kernel)


@winograd_1d.mistake(
    "your tiles lie side by side, four numbers apart: a tile reads four but answers two, so the "
    "next begins two further."
)
def _(signal, kernel):
    answers = correlate(signal, kernel)
    return answers[np.arange(len(answers)) % 4 < 2]


@winograd_1d.mistake(
    "your kernel is flipped: that is convolution. Correlation lays the kernel on the signal as it "
    "is."
)
def _(signal, kernel):
    return correlate(signal, np.flip(kernel))


@winograd_1d.mistake(
    "you compute the first tile only: go on, two places further each time, to the end of the "
    "signal."
)
def _(signal, kernel):
    return correlate(signal[:4], kernel)
