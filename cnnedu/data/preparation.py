"""Preparing images for a network that wants other numbers than pixels in [0, 1]."""

import numpy as np

from cnnedu.shapes import check_images

WHITE = 255.0
"""What the pixel value 1.0 is in a byte."""


def divide_by_variance(images: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Subtract the mean of all pixels, and divide by their variance, both counted in bytes.

    ``prepared = (255 * images - mean) / variance``, with mean and variance of ``255 * reference``.
    Dividing by the standard deviation would give a spread of 1 whatever the unit. Dividing by its
    square does not: MNIST's bytes have a variance of about 6,200, so the pixels come out between
    -0.005 and 0.036, which is why weights as large as 1 do no harm to them.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W)
        Float, pixels in [0, 1].
    reference : ndarray, shape (M, C, H, W), optional
        The images that mean and variance are taken from: those trained on, so that any other
        image, a single one too, is prepared in the same way. The images themselves if not given.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        In the dtype of ``images``.

    Raises
    ------
    TypeError, ValueError
        If the images are not float arrays of that shape, or the reference has no variance.

    Notes
    -----
    Lesson 7.

    Examples
    --------
    >>> black_and_white = np.array([0.0, 1.0]).reshape(1, 1, 1, 2)
    >>> divide_by_variance(black_and_white) * 127.5
    array([[[[-1.,  1.]]]])
    """
    check_images(images, name="images")
    reference = images if reference is None else check_images(reference, name="reference")
    mean, variance = reference.mean(dtype=np.float64), reference.var(dtype=np.float64)
    if not variance > 0:  # written so that NaN, too, is refused
        raise ValueError(
            f"expected images with different pixels, to divide by their variance, got variance "
            f"{variance}; give reference=, the images that the network was trained on"
        )
    number = images.dtype.type
    return (images - number(mean)) / number(WHITE * variance)
