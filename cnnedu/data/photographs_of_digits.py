"""Photographs of digits whose labels are known: computed from images, to test preparation with."""

from __future__ import annotations

import io
import math
import numbers

import numpy as np

from cnnedu.data.pictures import as_picture

_SHARPNESS = 8.0  # steepness of the border between ink and paper, per pixel of the small image


def synthetic_photograph(
    image: np.ndarray,
    *,
    rng: np.random.Generator,
    difficulty: float = 1.0,
    size: int = 320,
    light_on_dark: bool = False,
    ruled: bool = False,
) -> np.ndarray:
    """Compute what a photograph of a digit on paper might look like.

    Parameters
    ----------
    image : ndarray, shape (H, W) or (1, H, W)
        The digit, ink 1 on 0.
    rng : numpy.random.Generator
        Draws everything that differs from one photograph to the next.
    difficulty : float
        0 for a clean scan; 1 for a quick photograph in a room, with uneven light, a shadow, noise,
        blur, dirt, and a hand that turned the camera a little; 2 for a bad one, faint and dark.
    size : int
        Height of the photograph in pixels, at least 64; the width is drawn, 0.75 to 1.34 times it.
    light_on_dark : bool
        Chalk on a board in place of a pen on paper.
    ruled : bool
        Faint lines on the paper.

    Returns
    -------
    ndarray, shape (size, width, 3), uint8
        As it comes out of a JPEG file.

    Notes
    -----
    What a camera sees is ``paper * (1 - ink) + pen * ink``, times the light, blurred by the lens,
    with noise from the sensor and blocks of 8 x 8 pixels from the compression.
    """
    small, difficulty, size = _checked(image, rng, difficulty, size)
    width = round(size * rng.uniform(0.75, 1.34))
    ink = _strokes(small, (size, width), difficulty, rng)
    paper, pen = _colors(light_on_dark, difficulty, rng)
    page = paper * _texture((size, width), 0.02 * difficulty, rng)[:, :, np.newaxis]
    if ruled:
        page = page * (1 - 0.15 * _lines((size, width), rng)[:, :, np.newaxis])
    page = page * (1 - ink[:, :, np.newaxis]) + pen * ink[:, :, np.newaxis]
    for _ in range(rng.poisson(2 * difficulty)):
        page *= 1 - 0.7 * _speck((size, width), rng)[:, :, np.newaxis]
    page = page * _light((size, width), difficulty, rng)[:, :, np.newaxis]
    return _camera(page, difficulty, rng)


def _checked(image, rng, difficulty, size) -> tuple[np.ndarray, float, int]:
    small = as_picture(image)
    if small.ndim != 2 or small.max() < 0.5:
        raise ValueError(
            "expected a gray image of a digit, ink 1 on 0, got one of shape "
            f"{small.shape} with values up to {small.max():.2f}; take one from load_digits()"
        )
    if not isinstance(rng, np.random.Generator):
        raise ValueError(
            f"expected a random generator, got {rng!r}; pass rng=np.random.default_rng(0)"
        )
    if not (isinstance(difficulty, numbers.Real) and 0 <= difficulty <= 3):
        raise ValueError(f"expected a difficulty from 0 to 3, got {difficulty!r}; 1 is usual")
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or not 64 <= size <= 4000:
        raise ValueError(f"expected a size from 64 to 4000 pixels, got {size!r}; 320 is usual")
    return small, float(difficulty), int(size)


def _strokes(small, shape, difficulty, rng) -> np.ndarray:
    """Draw the digit large, turned, and somewhere on the page; 1 for ink."""
    from scipy.ndimage import affine_transform

    rows, columns = (np.nonzero((small > 0.5).any(axis=axis))[0] for axis in (1, 0))
    tall = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    share = rng.uniform(0.7 - 0.2 * min(difficulty, 2), 0.7)  # of the page's shorter side
    scale = tall / (share * min(shape))  # pixels of the small image per pixel of the page
    angle = math.radians(rng.normal(0, 4 * difficulty))
    turn = scale * np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )
    free = (np.array(shape) - 1.1 * share * min(shape)) / 2
    middle = np.array(shape) / 2 + rng.uniform(-1, 1, 2) * free * min(difficulty, 1)
    center = np.array([rows[0] + rows[-1], columns[0] + columns[-1]]) / 2
    large = affine_transform(small, turn, center - turn @ middle, output_shape=shape, order=3)
    level = 0.5 + rng.uniform(-0.1, 0.1) * min(difficulty, 1)  # a finer or a broader pen
    return 1 / (1 + np.exp(-2 * _SHARPNESS * (large.astype(np.float64) - level)))


def _colors(light_on_dark, difficulty, rng) -> tuple[np.ndarray, np.ndarray]:
    tint = rng.uniform(-0.05, 0.05, 3) * min(difficulty, 1)
    paper = rng.uniform(0.8, 0.95) + tint
    blue = np.array([0, 0.02, 0.25]) * rng.random()
    pen = 0.08 + blue + (paper - 0.3) * rng.uniform(0, 0.25) * difficulty
    if light_on_dark:
        board = 0.12 + np.array([0, 0.1, 0.05]) * rng.random()
        return board, board + (paper - board) * (1 - 0.2 * min(difficulty, 2))
    return paper, pen


def _texture(shape, strength, rng) -> np.ndarray:
    """Fibers: noise of two grain sizes around 1."""
    from scipy.ndimage import gaussian_filter

    fine, coarse = (gaussian_filter(rng.standard_normal(shape), sigma) for sigma in (1, 6))
    return 1 + strength * (fine / fine.std() + coarse / coarse.std()) / 2


def _lines(shape, rng) -> np.ndarray:
    spacing = shape[0] / rng.uniform(6, 12)
    slant = rng.uniform(-0.03, 0.03)
    y, x = np.mgrid[: shape[0], : shape[1]]
    phase = (y + slant * x) / spacing + rng.random()
    distance = np.abs(phase - np.rint(phase)) * spacing
    return np.clip(shape[0] / 250 - distance, 0, 1)


def _speck(shape, rng) -> np.ndarray:
    """A crumb: a small, soft, slanted ellipse."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    long, wide = rng.uniform(0.003, 0.012, 2) * shape[0]
    y, x = y - rng.uniform(0, shape[0]), x - rng.uniform(0, shape[1])
    angle = rng.uniform(0, math.pi)
    along = (math.cos(angle) * x + math.sin(angle) * y) / long
    across = (math.cos(angle) * y - math.sin(angle) * x) / wide
    return np.clip(1.5 - np.hypot(along, across), 0, 1)


def _light(shape, difficulty, rng) -> np.ndarray:
    """A lamp at one side, darker corners, and the shadow of something with a straight edge."""
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angles = rng.uniform(0, 2 * math.pi, 2)
    lamp = 1 - 0.2 * difficulty * rng.random() * (
        1 + math.cos(angles[0]) * x + math.sin(angles[0]) * y
    )
    corners = 1 - 0.1 * difficulty * rng.random() * (x * x + y * y)
    side = math.cos(angles[1]) * x + math.sin(angles[1]) * y - rng.uniform(0, 1)
    softness = rng.uniform(0.02, 0.2)
    shadow = 1 - 0.3 * min(difficulty, 2) * rng.random() / (1 + np.exp(-side / softness))
    return np.clip(lamp, 0.15, 1) * np.clip(corners, 0.2, 1) * shadow


def _camera(page, difficulty, rng) -> np.ndarray:
    """Blur, noise, rounding to whole numbers, and compression."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter

    sigma = (0.3 + rng.uniform(0, 1.2) * difficulty) * page.shape[0] / 320
    seen = gaussian_filter(page, (sigma, sigma, 0))
    seen += rng.normal(0, 0.004 + 0.016 * difficulty, seen.shape)
    pixels = np.rint(255 * np.clip(seen, 0, 1)).astype(np.uint8)
    file = io.BytesIO()
    quality = round(92 - 18 * difficulty)
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return np.array(picture)
