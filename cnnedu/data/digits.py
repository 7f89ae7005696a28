"""Real handwritten digits without a network: scikit-learn's, brought to the form of MNIST."""

import functools
import math
import numbers

import numpy as np

from cnnedu.data.dataset import Dataset, Part
from cnnedu.data.installed import installed_file

BOX_SIZE = 20
IMAGE_SIZE = 28
CONTRAST_GAIN = 1.8
_TEST_COUNT = 360
_GRAY_LEVELS = 16  # scikit-learn's pixels count the inked cells of a 4 x 4 block: 0 to 16
_SOURCE = (
    "1,797 digits written by 13 people (E. Alpaydin and C. Kaynak, UCI repository, 1998), as "
    "scikit-learn ships them in 8 x 8 pixels, brought to MNIST's 28 x 28"
)


def load_digits(split: str = "writers", *, rng: np.random.Generator | None = None) -> Dataset:
    """Return 1,797 real handwritten digits in the form of MNIST. Needs no network.

    Parameters
    ----------
    split : {"writers", "random"}
        "writers" trains on the first 1,437 images and tests on the last 360, in the order of the
        file, where each writer's digits lie together: most people of the test part are strangers
        to the training part. "random" draws the 360 from everywhere, so that nearly everybody is
        in both parts; the accuracy then looks better than it is on new people (lesson 4).
    rng : numpy.random.Generator, optional
        Draws the random split; required by it, and only by it.

    Returns
    -------
    Dataset
        `train` with 1,437 and `test` with 360 images of shape (1, 28, 28), float32 in [0, 1], white
        ink on black; labels int64, 0 to 9. The images of every call share one read-only memory.

    Raises
    ------
    ValueError
        If `split` is unknown, "random" comes without `rng`, or "writers" with one.

    See Also
    --------
    to_mnist_form : The steps from 8 x 8 to 28 x 28.
    load_mnist : 70,000 such digits.

    Examples
    --------
    >>> data = load_digits()
    >>> data.train
    Part(1,437 images of shape (1, 28, 28), labels 0 to 9)
    """
    if split not in ("writers", "random"):
        raise ValueError(
            f"expected split to be 'writers' or 'random', got {split!r}; choose one of the two"
        )
    if split == "random" and not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"expected a random generator for split='random', got {rng!r}; "
            "pass rng=np.random.default_rng(0)"
        )
    if split == "writers" and rng is not None:
        raise ValueError(
            "expected no rng for split='writers', which is not random, got one; "
            "leave it out or pass split='random'"
        )
    images, labels = _all_digits()
    digits = Part._unchecked(images, labels)
    if split == "random":
        digits = digits[rng.permutation(len(digits))]
    train, test = digits.split(_TEST_COUNT)
    how = "in the order of the file" if split == "writers" else "at random"
    return Dataset("digits", train, test, f"{_SOURCE}; split {how}.")


def to_mnist_form(image: np.ndarray, *, gain: float = CONTRAST_GAIN) -> np.ndarray:
    """Bring an image of one digit, bright ink on black, to the form of MNIST.

    The steps are those MNIST itself was made with (LeCun and others, 1998), and one more, since
    enlarging blurs: `scale_to_box`, `stretch_contrast`, `center_by_mass`.

    Parameters
    ----------
    image : ndarray, shape (..., H, W)
        One image or a stack of them, in [0, 1].
    gain : float
        Steepness of the contrast; 1 changes nothing.

    Returns
    -------
    ndarray, shape (..., 28, 28), float32
        Pixels in [0, 1].

    Examples
    --------
    >>> to_mnist_form(np.eye(8)).shape
    (28, 28)
    """
    return center_by_mass(stretch_contrast(scale_to_box(image), gain=gain))


def scale_to_box(image: np.ndarray, size: int = BOX_SIZE) -> np.ndarray:
    """Scale an image, both sides alike, until its longer side has `size` pixels.

    Parameters
    ----------
    image : ndarray, shape (..., H, W)
        One image or a stack of them.
    size : int
        Length of the longer side afterwards.

    Returns
    -------
    ndarray, shape (..., h, w), float32
        A smaller image is enlarged by cubic interpolation, whose curves overshoot, so that values
        may leave [0, 1] by a little. A larger one is shrunk by averaging: a new pixel is the mean
        over the area that it covers, so that no thin line is skipped.

    Notes
    -----
    Both are linear in the pixels and work on rows and columns separately. So each is two matrix
    products, ``scaled = R @ image @ C.T``, with matrices that depend on the sizes alone; a whole
    stack takes no longer than a moment.
    """
    image = _as_images(image)
    size = _as_size(size, "size")
    height, width = image.shape[-2:]
    scale = size / max(height, width)
    matrix = _cubic_matrix if scale >= 1 else _area_matrix
    rows = matrix(height, max(1, round(height * scale)))
    columns = matrix(width, max(1, round(width * scale)))
    return (rows @ image @ columns.T).astype(np.float32)


def stretch_contrast(image: np.ndarray, *, gain: float = CONTRAST_GAIN) -> np.ndarray:
    """Push grays towards black and white: ``clip((image - 0.5) * gain + 0.5, 0, 1)``.

    Parameters
    ----------
    image : ndarray, shape (..., H, W)
        One image or a stack of them, in [0, 1].
    gain : float
        Steepness around middle gray, above 0; 1 only clips.

    Returns
    -------
    ndarray, shape (..., H, W), float32
        Values in [0, 1].
    """
    if not (isinstance(gain, numbers.Real) and math.isfinite(gain) and gain > 0):
        raise ValueError(f"expected a gain above 0, got {gain!r}; 1 leaves the contrast as it is")
    return np.clip((_as_images(image) - 0.5) * gain + 0.5, 0, 1).astype(np.float32)


def center_by_mass(image: np.ndarray, size: int = IMAGE_SIZE) -> np.ndarray:
    """Place an image on a black square so that its ink balances on the middle.

    Parameters
    ----------
    image : ndarray, shape (..., H, W)
        One image or a stack of them, 0 for black.
    size : int
        Side of the square, no less than H and W.

    Returns
    -------
    ndarray, shape (..., size, size), float32
        The image, shifted by whole pixels, as far as the frame allows; its center of mass lies
        within half a pixel of row and column ``size / 2``. An image without ink goes to the middle.

    Notes
    -----
    The center of mass is the mean position weighted by the ink,
    ``sum(position * ink) / sum(ink)``, along rows and along columns.
    """
    image = _as_images(image)
    size = _as_size(size, "size")
    height, width = image.shape[-2:]
    if height > size or width > size:
        raise ValueError(
            f"expected an image of at most {size} x {size}, got {height} x {width}; "
            "scale it down or give a larger size"
        )
    stack = image.reshape(-1, height, width)
    tops = _offsets(stack.sum(axis=2), size)
    lefts = _offsets(stack.sum(axis=1), size)
    square = np.zeros((len(stack), size, size), np.float32)
    for target, source, top, left in zip(square, stack, tops, lefts, strict=True):
        target[top : top + height, left : left + width] = source
    return square.reshape(*image.shape[:-2], size, size)


def _offsets(ink: np.ndarray, size: int) -> np.ndarray:
    """Return where each line of `ink`, shape (N, L), must start in `size` pixels to balance."""
    length = ink.shape[1]
    mass = ink.sum(axis=1)
    middle = np.full(len(ink), length / 2)
    center = np.divide(ink @ np.arange(length), mass, out=middle, where=mass > 0)
    return np.clip(np.rint(size / 2 - center), 0, size - length).astype(int)


def _area_matrix(old: int, new: int) -> np.ndarray:
    """Return the matrix, shape (new, old), that averages `old` samples over `new` equal spans."""
    borders = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    upto = np.clip(borders[:, np.newaxis] - pixels, 0, 1)  # share of each pixel before a border
    return np.diff(upto, axis=0) * (new / old)


@functools.lru_cache(maxsize=8)
def _cubic_matrix(old: int, new: int) -> np.ndarray:
    """Return the matrix, shape (new, old), that interpolates `old` samples at `new` places."""
    from scipy.ndimage import zoom

    # Interpolating a single 1 among zeros shows what that sample adds to every new place.
    # grid_mode: pixels are areas, so that borders, not the centers of border pixels, are matched.
    columns = [
        zoom(unit, new / old, order=3, mode="nearest", grid_mode=True) for unit in np.eye(old)
    ]
    return np.stack(columns, axis=1)


@functools.cache
def _all_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return all images and labels in arrays that nobody can make writable again."""
    images, labels = _read_scikit_learn_digits()
    images = to_mnist_form(images / _GRAY_LEVELS)[:, np.newaxis]
    return _frozen(images), _frozen(labels.astype(np.int64))


def _read_scikit_learn_digits() -> tuple[np.ndarray, np.ndarray]:
    path = installed_file("sklearn", "datasets/data/digits.csv.gz")
    if path is None:  # another layout, perhaps of a later version: let scikit-learn find it
        from sklearn import datasets

        bunch = datasets.load_digits()
        return bunch.images, bunch.target
    table = np.loadtxt(path, delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1]


def _frozen(array: np.ndarray) -> np.ndarray:
    """Copy into immutable bytes, which even ``array.flags.writeable = True`` does not unlock."""
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)


def _as_images(image) -> np.ndarray:
    array = np.asarray(image)
    if array.dtype.kind not in "fiub" or array.ndim < 2 or 0 in array.shape[-2:]:
        raise ValueError(
            "expected an image of numbers, shape (H, W), or a stack of them, got "
            f"{array.dtype} of shape {array.shape}; pass a grayscale image with values in [0, 1]"
        )
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(
            "expected finite pixels, got NaN or infinity; replace them, such as with np.nan_to_num"
        )
    return array


def _as_size(size, name: str) -> int:
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(
            f"expected {name} to be a whole number of pixels, got {size!r}; give 1 or more"
        )
    return int(size)
