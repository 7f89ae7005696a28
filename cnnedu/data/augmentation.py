"""Small random changes of images that leave their class as it is: more to learn from."""

from __future__ import annotations

import functools
import math
import numbers

import numpy as np

from cnnedu.shapes import check_images, check_rng, positive

_KNOT_SPACING = 4.0  # pixels between the random displacements that an elastic field is woven from


class Warp:
    """Write each image a little differently: turned, moved, bent, with a finer or broader pen.

    A network that sees each image in another variant each time cannot learn it by heart, and
    learns what does not depend on the variant. Give it to ``fit(..., augment=Warp(...))``.

    Parameters
    ----------
    rotation : float
        The largest angle, in degrees, in either direction.
    scale : float
        Height and width are multiplied by numbers within ``scale`` of 1, one each.
    shear : float
        How far, at most, a row slides sideways for each row that it lies higher.
    shift : float
        The farthest move along rows and along columns, in pixels.
    elastic : float
        The strength of smooth random bending: the standard deviation of the displacement, in
        pixels.
    smoothness : float
        How far places lie apart that bend differently: the standard deviation of the Gaussian that
        smooths the displacements, in pixels.
    stroke : (float, float)
        The range of the change in stroke width, as `change_strokes` measures it: from -1 (a pixel
        narrower on each side) to 1 (a pixel broader on each side).
    share : int
        How many neighbors in a batch share one geometric change. It is the change, not the image,
        that takes the time: with 10, about a ninth of what it takes with 1. Stroke widths are drawn
        for every image.

    Raises
    ------
    TypeError, ValueError
        If a strength is no number, negative, or beyond reason.

    Notes
    -----
    The defaults suit digits like MNIST's: they were chosen on images of its training set that were
    set apart for validation (lesson 6). All numbers but the elastic ones are drawn evenly from
    their ranges. Where a pixel of the result lies between four pixels of the image, it is their
    mean, weighted by nearness; beyond the border everything is 0. Values stay in the range of the
    image.

    Affine changes of digits: LeCun et al. (1998), "Gradient-based learning applied to document
    recognition". Elastic ones: Simard, Steinkraus and Platt (2003), "Best practices for
    convolutional neural networks applied to visual document analysis", who smooth one random
    displacement for each pixel; here, to save time, one for every fourth in each direction. Broader
    and finer strokes are the dilation and erosion of mathematical morphology (Serra, 1982).

    Examples
    --------
    >>> images = np.zeros((100, 1, 28, 28), np.float32)
    >>> Warp(rotation=15)(images, np.random.default_rng(0)).shape
    (100, 1, 28, 28)
    """

    def __init__(
        self,
        *,
        rotation: float = 9.0,
        scale: float = 0.08,
        shear: float = 0.08,
        shift: float = 1.5,
        elastic: float = 0.8,
        smoothness: float = 4.0,
        stroke: tuple[float, float] = (-0.1, 0.3),
        share: int = 10,
    ) -> None:
        self.rotation = _strength(rotation, "rotation", 180)
        self.scale = _strength(scale, "scale", 0.9)
        self.shear = _strength(shear, "shear", 10)
        self.shift = _strength(shift, "shift", math.inf)
        self.elastic = _strength(elastic, "elastic", math.inf)
        self.smoothness = _strength(smoothness, "smoothness", math.inf, least=1)
        self.stroke = _stroke_range(stroke)
        self.share = positive(share, "share")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a random variant of each image.

        Parameters
        ----------
        images : ndarray, shape (N, C, H, W), float
            Left as they are.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray
            Of the same shape and dtype.
        """
        images = check_images(images, name="images")
        check_rng(rng)
        if any(self.stroke):
            images = change_strokes(images, rng.uniform(*self.stroke, len(images)))
        return resample(images, *self.places(-(-len(images) // self.share), images.shape[2:], rng))

    def places(
        self, count: int, shape: tuple[int, int], rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw changes: for each pixel of the result, the row and the column to take it from.

        Parameters
        ----------
        count : int
            How many changes, G.
        shape : (int, int)
            Rows H and columns W of the images.
        rng : numpy.random.Generator

        Returns
        -------
        rows, columns : ndarray, shape (G, H, W), float32
        """
        height, width = shape
        drawn = rng.uniform(-1, 1, (6, count))
        angle = np.radians(self.rotation * drawn[0])
        tall, wide = 1 + self.scale * drawn[1:3]
        slant = self.shear * drawn[3]
        move = self.shift * drawn[4:]
        cos, sin = np.cos(angle), np.sin(angle)
        # From a place in the result to a place in the image: unscaled, unsheared, turned back.
        matrices = np.array(
            [
                [(cos - sin * slant) / tall, -sin / wide],
                [(sin + cos * slant) / tall, cos / wide],
            ]
        ).astype(np.float32)
        middle = np.array([height - 1, width - 1], np.float32) / 2
        y = np.arange(height, dtype=np.float32)[:, np.newaxis] - middle[0]
        x = np.arange(width, dtype=np.float32) - middle[1]
        places = []
        for (by_row, by_column), start in zip(
            matrices, middle[:, np.newaxis] + move.astype(np.float32), strict=True
        ):
            places.append(
                by_row[:, np.newaxis, np.newaxis] * y
                + by_column[:, np.newaxis, np.newaxis] * x
                + start[:, np.newaxis, np.newaxis]
            )
        if self.elastic:
            fields = _elastic_fields(2 * count, (height, width), self.smoothness, rng)
            fields *= np.float32(self.elastic)
            places[0] += fields[:count]
            places[1] += fields[count:]
        return places[0], places[1]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"Warp({settings})"


def resample(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Take every pixel from another place of its image, by bilinear interpolation.

    With ``a`` and ``b`` the parts of a place after the decimal points, the result is
    ``(1-a)(1-b) x[i,j] + (1-a) b x[i,j+1] + a (1-b) x[i+1,j] + a b x[i+1,j+1]``.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W), float
    rows, columns : ndarray, shape (G, H, W)
        Where each pixel of the result lies in the image, counted in pixels from the top left one.
        With fewer places than images, equally many neighbors share one: the first ``ceil(N / G)``
        images take ``rows[0]`` and ``columns[0]``, and so on.

    Returns
    -------
    ndarray, shape (N, C, H, W)
        What lies beyond the border is 0.

    Raises
    ------
    ValueError
        If the shapes do not fit together.
    """
    images = check_images(images, name="images")
    n, channels, height, width = images.shape
    rows, columns = np.asarray(rows, np.float32), np.asarray(columns, np.float32)
    groups = len(rows) if rows.ndim else 0
    if rows.shape != columns.shape or rows.shape[1:] != (height, width) or not 0 < groups <= n:
        raise ValueError(
            f"rows and columns must have shape (G, {height}, {width}), with G from 1 to {n}, got "
            f"{rows.shape} and {columns.shape}"
        )
    share = -(-n // groups)
    # A border of zeros on all sides (two at the end: a place there has a neighbor, too). In memory
    # the images of a group lie last: each pixel of all of them is taken and weighed at once.
    source = np.zeros((groups, height + 3, width + 3, share, channels), images.dtype)
    for place in range(share):
        chosen = images[place::share]
        source[: len(chosen), 1:-2, 1:-2, place] = chosen.transpose(0, 2, 3, 1)
    source = source.reshape(-1, share * channels)

    index, (up, down), (left, right) = _neighbors(rows, columns, images.dtype)
    taken = np.empty((index.size, share * channels), images.dtype)
    result = None
    for offset, weight in (
        (0, up * left),
        (1, up * right),
        (width + 3, down * left),
        (width + 4, down * right),
    ):
        np.take(source, (index + offset).ravel(), axis=0, out=taken, mode="clip")
        taken *= weight.reshape(-1, 1)
        result = taken.copy() if result is None else np.add(result, taken, out=result)
    result = result.reshape(groups, height, width, share, channels).transpose(0, 3, 4, 1, 2)
    return result.reshape(groups * share, channels, height, width)[:n]


def _neighbors(rows, columns, dtype):
    """Return the first of four neighbors in the padded images, and the weights along both axes."""
    groups, height, width = rows.shape
    weights, starts = [], []
    for places, size in ((rows, height), (columns, width)):
        places = np.clip(places + np.float32(1), 0, size + 1)  # 1 for the border of zeros
        whole = places.astype(np.int64)
        after = (places - whole).astype(dtype)
        starts.append(whole)
        weights.append((1 - after, after))
    index = starts[0] * (width + 3) + starts[1]
    index += (np.arange(groups) * ((height + 3) * (width + 3)))[:, np.newaxis, np.newaxis]
    return index, *weights


def change_strokes(images: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Make bright strokes on black broader or finer.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W), float
    amounts : ndarray, shape (N,)
        From -1 to 1. At 1, each pixel becomes the brightest of itself and its four neighbors, so
        that strokes grow by a pixel on each side (dilation); at -1 the darkest (erosion); in
        between, a blend with the image; 0 changes nothing.

    Returns
    -------
    ndarray, shape (N, C, H, W)

    Raises
    ------
    ValueError
        If there is not one amount for each image, from -1 to 1.
    """
    images = check_images(images, name="images")
    amounts = np.asarray(amounts, images.dtype)
    if amounts.shape != (len(images),) or not (np.abs(amounts) <= 1).all():
        raise ValueError(
            f"amounts must be {len(images)} numbers from -1 to 1, one for each image, got {amounts}"
        )
    result = images.copy()
    for extreme, strength in ((np.maximum, amounts), (np.minimum, -amounts)):
        chosen = np.flatnonzero(strength > 0)
        if len(chosen):
            some = images[chosen]
            changed = some.copy()
            extreme(changed[:, :, 1:], some[:, :, :-1], out=changed[:, :, 1:])
            extreme(changed[:, :, :-1], some[:, :, 1:], out=changed[:, :, :-1])
            extreme(changed[..., 1:], some[..., :-1], out=changed[..., 1:])
            extreme(changed[..., :-1], some[..., 1:], out=changed[..., :-1])
            blend = strength[chosen].reshape(-1, 1, 1, 1)
            result[chosen] = (1 - blend) * some + blend * changed
    return result


def _elastic_fields(count, shape, smoothness, rng) -> np.ndarray:
    """Draw smooth random fields, shape (count, H, W), of standard deviation 1 at every pixel."""
    rows, columns = (_weaving(size, smoothness) for size in shape)
    knots = rng.standard_normal((count, rows.shape[1], columns.shape[1]), np.float32)
    return rows @ (knots @ columns.T)


@functools.lru_cache(maxsize=16)
def _weaving(size: int, smoothness: float) -> np.ndarray:
    """Return the matrix, shape (size, K), that spreads K random numbers over a row of pixels.

    Each number, at one of K places that reach beyond both ends, spreads as a Gaussian; the rows
    are scaled so that the sum of independent numbers of variance 1 has variance 1 again.
    """
    reach = 3 * smoothness
    spacing = min(_KNOT_SPACING, smoothness)
    knots = np.arange(-reach, size - 1 + reach + spacing, spacing)
    distance = np.arange(size)[:, np.newaxis] - knots
    weights = np.exp(-0.5 * (distance / smoothness) ** 2)
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    weights = weights.astype(np.float32)
    weights.flags.writeable = False
    return weights


def _strength(value, name: str, most: float, least: float = 0) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (least <= value <= most and math.isfinite(value)):
        limit = f"at least {least:g}" if most == math.inf else f"from {least:g} to {most:g}"
        raise ValueError(f"{name} must be {limit}, got {value!r}")
    return float(value)


def _stroke_range(stroke) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in stroke)
    except (TypeError, ValueError):
        raise TypeError(
            f"stroke must be a pair of numbers, like (-0.3, 0.8), got {stroke!r}"
        ) from None
    if not -1 <= low <= high <= 1:
        raise ValueError(f"stroke must be a range inside -1 to 1, like (-0.3, 0.8), got {stroke!r}")
    return low, high
