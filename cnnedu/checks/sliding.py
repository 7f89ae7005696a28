"""The one sliding sum that the exercises share, computed by SciPy."""

import numpy as np


def floats(values: list) -> np.ndarray:
    """Make a float64 array of integers that are easy to read.

    Parameters
    ----------
    values : list
        Numbers, or rows of numbers.

    Returns
    -------
    numpy.ndarray
    """
    return np.array(values, dtype=np.float64)


def small_integers(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Draw integers from -4 to 4, as floats.

    Parameters
    ----------
    rng : numpy.random.Generator
        The source of the numbers.
    *shape : int
        The shape of the array.

    Returns
    -------
    numpy.ndarray
    """
    return rng.integers(-4, 5, shape).astype(np.float64)


def correlate(image: np.ndarray, kernel: np.ndarray, mode: str = "valid") -> np.ndarray:
    """Slide a kernel over an image as it is, in one dimension or two.

    Parameters
    ----------
    image, kernel : numpy.ndarray
        Of the same number of dimensions.
    mode : {"valid", "same", "full"}
        How far the kernel may reach over the border, where the image counts as zero.

    Returns
    -------
    numpy.ndarray
    """
    from scipy import signal

    return signal.convolve(image, np.flip(kernel), mode, method="direct")
