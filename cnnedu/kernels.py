"""Hand-made kernels, by name: what people wrote down before networks learned theirs.

Every kernel is meant for *cross-correlation*, which is what a convolution layer computes::

    y[i, j] = sum(kernel[u, v] * image[i + u, j + v] for u, v)

so the sign of a response can be read off the kernel as it is printed: a response is positive where
the image is bright under the positive numbers and dark under the negative ones. A true convolution
(`scipy.signal.convolve2d`) turns the kernel by 180 degrees first; that flips the sign of every
antisymmetric kernel here (the edge kernels, Sobel, Prewitt), mirrors emboss, and leaves the
symmetric ones (the blurs, both sharpen kernels, both Laplacians) as they are.

Conventions: ``_x`` looks along a row (left to right) and therefore answers to *vertical* edges,
``_y`` looks down a column and answers to *horizontal* edges; both are positive where the image gets
brighter in that direction. Blurs sum to 1, edge kernels to 0, sharpen and emboss to 1.

Sources: I. Sobel and G. Feldman, "A 3x3 isotropic gradient operator for image processing" (talk at
the Stanford Artificial Intelligence Project, 1968); J. M. S. Prewitt, "Object enhancement and
extraction", in *Picture Processing and Psychopictorics* (1970); the Laplacians, the sharpen kernels
and the box blur as in R. C. Gonzalez and R. E. Woods, *Digital Image Processing*, chapter 3; the
emboss kernel as image editors have it. Lesson 2 uses all of them.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

_TABLE = {
    "identity": (
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        1,
        "nothing in particular: it gives back the pixel in the center",
    ),
    "sharpen": (
        [[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]],
        1,
        "a pixel that differs from its eight neighbors, added to the pixel itself",
    ),
    "sharpen_cross": (
        [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        1,
        "a pixel that differs from its four nearest neighbors, added to the pixel itself",
    ),
    "horizontal_edges": (
        [[1, 1, 1], [0, 0, 0], [-1, -1, -1]],
        1,
        "horizontal edges: positive where it is brighter above than below",
    ),
    "vertical_edges": (
        [[1, 0, -1], [1, 0, -1], [1, 0, -1]],
        1,
        "vertical edges: positive where it is brighter on the left than on the right",
    ),
    "sobel_x": (
        [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
        1,
        "vertical edges: positive where it gets brighter to the right, the middle row twice",
    ),
    "sobel_y": (
        [[-1, -2, -1], [0, 0, 0], [1, 2, 1]],
        1,
        "horizontal edges: positive where it gets brighter downward, the middle column twice",
    ),
    "prewitt_x": (
        [[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]],
        1,
        "vertical edges: positive where it gets brighter to the right, all rows alike",
    ),
    "prewitt_y": (
        [[-1, -1, -1], [0, 0, 0], [1, 1, 1]],
        1,
        "horizontal edges: positive where it gets brighter downward, all columns alike",
    ),
    "laplacian": (
        [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
        1,
        "spots, lines and both sides of an edge: positive where the four nearest are brighter",
    ),
    "laplacian_8": (
        [[1, 1, 1], [1, -8, 1], [1, 1, 1]],
        1,
        "spots, lines and both sides of an edge: positive where the eight neighbors are brighter",
    ),
    "box_blur": (
        [[1, 1, 1], [1, 1, 1], [1, 1, 1]],
        9,
        "brightness: the plain mean of the nine pixels",
    ),
    "gaussian_blur": (
        [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
        16,
        "brightness: a mean of the nine pixels in which near ones count more",
    ),
    "emboss": (
        [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
        1,
        "the pixel itself, brighter where it gets brighter toward the lower right",
    ),
}


def _frozen(rows: list[list[int]], divisor: int) -> np.ndarray:
    array = np.array(rows, dtype=np.float64) / divisor
    array.flags.writeable = False
    return array


KERNELS: Mapping[str, np.ndarray] = MappingProxyType(
    {name: _frozen(rows, divisor) for name, (rows, divisor, _) in _TABLE.items()}
)
"""Every kernel by name: (3, 3) float64 arrays that cannot be written to."""

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {name: text for name, (_, _, text) in _TABLE.items()}
)
"""What each kernel answers to, in one line."""


def kernel(name: str) -> np.ndarray:
    """Return a fresh copy of the kernel called `name`, yours to change.

    Parameters
    ----------
    name : str
        One of the names in `KERNELS`, such as ``"sobel_x"``.

    Returns
    -------
    numpy.ndarray
        Shape (3, 3), float64, to be used in cross-correlation (for the signs see the module).

    Raises
    ------
    ValueError
        If there is no kernel of that name; the message lists the names there are.

    Examples
    --------
    >>> kernel("vertical_edges")
    array([[ 1.,  0., -1.],
           [ 1.,  0., -1.],
           [ 1.,  0., -1.]])
    """
    if not isinstance(name, str) or name not in KERNELS:
        raise ValueError(f"no kernel is called {name!r}; choose one of {', '.join(KERNELS)}")
    return KERNELS[name].copy()


def box(size: int) -> np.ndarray:
    """Return the box blur of `size` x `size` pixels: every weight is 1 / size².

    Parameters
    ----------
    size : int
        Height and width of the kernel, at least 1.

    Returns
    -------
    numpy.ndarray
        Shape (size, size), float64, sum 1.
    """
    size = _check_size(size)
    return np.full((size, size), 1.0 / size**2)


def gaussian(size: int, sigma: float) -> np.ndarray:
    """Return a Gaussian blur of `size` x `size` pixels, scaled to the sum 1.

    ``g[i, j]`` is proportional to ``exp(-((i - m)**2 + (j - m)**2) / (2 * sigma**2))`` with the
    center ``m = (size - 1) / 2``.

    Parameters
    ----------
    size : int
        Height and width of the kernel, at least 1; an odd number puts the center on a pixel.
    sigma : float
        Standard deviation in pixels, greater than 0. A `size` below 6 * `sigma` cuts the tails off.

    Returns
    -------
    numpy.ndarray
        Shape (size, size), float64, sum 1.
    """
    size = _check_size(size)
    if not (np.isscalar(sigma) and np.isreal(sigma) and np.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be a number of pixels greater than 0, but it is {sigma!r}")
    distance = np.arange(size) - (size - 1) / 2
    # Shifting by the smallest square keeps a very narrow bell from vanishing into 0 / 0.
    squares = distance**2
    profile = np.exp(-(squares - squares.min()) / (2 * float(sigma) ** 2))
    weights = np.outer(profile, profile)
    return weights / weights.sum()


def _check_size(size: int) -> int:
    is_whole = isinstance(size, int | np.integer) and not isinstance(size, bool)
    if not is_whole or size < 1:
        raise ValueError(f"size must be a whole number of pixels, at least 1, but it is {size!r}")
    return int(size)
