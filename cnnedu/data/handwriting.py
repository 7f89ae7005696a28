"""Make an image like MNIST's from a photograph or scan of one handwritten digit, step by step."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnedu.data.digits import BOX_SIZE, center_by_mass, scale_to_box
from cnnedu.data.pictures import (
    SUFFIXES,
    HandwritingError,
    as_picture,
    read_picture,
    upright,
)

# MNIST's strokes are 2.75 pixels wide, give or take 0.6; widths in this range are left alone.
STROKE_WIDTHS = (2.2, 3.4)
_FINE = 10  # strokes are measured and changed on a grid this much finer than MNIST's
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_COARSE = 200  # pixels of the longer side that are enough to see the light on the paper
_FAINTEST = 0.1  # ink takes away at least this share of the light
_SMALLEST_DIGIT = 0.015  # height or width of a digit, as a share of the picture's longer side


@dataclass(frozen=True, eq=False, repr=False)
class Preparation:
    """A digit in the form of MNIST, and how it came to it.

    Attributes
    ----------
    image : ndarray, shape (28, 28), float32
        White ink on black, in [0, 1].
    steps : dict of str to ndarray
        Every step's result in order: "photograph", "upright", "gray", "dark on light",
        "even light", "ink", "digit", "cropped", "strokes", "scaled", "centered". All are float32 in
        [0, 1]; up to "digit" they are as large as the picture.
    inverted : bool
        Whether the ink was brighter than the paper.
    box : tuple of int
        Where the digit was found in the upright picture: top, left, bottom, right; the last two are
        just outside.
    stroke_width : float
        How wide the strokes were, in pixels of MNIST, before they were changed.
    path : Path or None
        The file it was read from.
    """

    image: np.ndarray
    steps: dict[str, np.ndarray] = field(default_factory=dict)
    inverted: bool = False
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    stroke_width: float = 0.0
    path: Path | None = None

    def __repr__(self) -> str:
        height, width = self.steps["upright"].shape[:2]
        ink = "light on dark" if self.inverted else "dark on light"
        name = f"{self.path.name}: " if self.path else ""
        return (
            f"Preparation({name}{height} x {width} pixels, {ink}, digit in rows {self.box[0]} to "
            f"{self.box[2]}, columns {self.box[1]} to {self.box[3]})"
        )


def prepare_digit(source: str | os.PathLike | np.ndarray) -> Preparation:
    """Turn a picture of one handwritten digit into an image like MNIST's.

    Ink may be dark on light or light on dark, the light uneven, the digit anywhere. It should
    stand upright, be drawn with clear strokes, and be the largest thing written on the page.

    Parameters
    ----------
    source : path-like or array_like
        A file, see `read_picture`, or pixels, see `as_picture`.

    Returns
    -------
    Preparation
        The image, and what every step made of the picture.

    Raises
    ------
    HandwritingError
        If the picture cannot be read or holds no digit; in one sentence.

    See Also
    --------
    to_gray, dark_on_light, even_light, find_ink, select_digit : The first steps.
    widen_thin_strokes, adjust_strokes : So that strokes are as wide as MNIST's.
    scale_to_box, center_by_mass : The last two, as MNIST was made with (LeCun and others, 1998).

    Notes
    -----
    A network reads well what looks like the images it has learned from. So light, paper, place,
    size and width of the strokes are made the same; only the form of the digit is left (lesson 8).

    Examples
    --------
    >>> page = np.full((120, 90), 0.9)
    >>> page[30:80, 40:46] = 0.2
    >>> prepare_digit(page)
    Preparation(120 x 90 pixels, dark on light, digit in rows 30 to 80, columns 40 to 46)
    """
    path, orientation = None, 1
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        photograph, orientation = read_picture(path)
    else:
        photograph = as_picture(source)
    steps = {"photograph": photograph, "upright": upright(photograph, orientation)}
    try:
        return _prepare(steps, path)
    except HandwritingError as error:
        raise HandwritingError(f"{path}: {error}" if path else str(error)) from None


def _prepare(steps: dict[str, np.ndarray], path: Path | None) -> Preparation:
    steps["gray"] = to_gray(steps["upright"])
    page, inverted = dark_on_light(steps["gray"])
    steps["dark on light"] = page
    # The first look finds the strokes, the second knows how wide they are: whatever is much wider
    # must be light or shadow on the paper.
    widest = max(page.shape) / 2
    ink, mask = find_ink(even_light(page, widest))
    dark = mask & (ink > 0.9)  # without what is left of shadows
    window = min(widest, 3.5 * stroke_width(dark))
    steps["even light"] = even_light(page, window)
    steps["ink"], mask = find_ink(steps["even light"])
    if _is_shadow(mask):
        raise HandwritingError(_NO_INK)
    steps["digit"], box = _alone(steps["ink"], mask)
    top, left, bottom, right = box
    steps["cropped"] = steps["digit"][top:bottom, left:right]
    width = stroke_width(mask) * BOX_SIZE / max(steps["cropped"].shape)
    fine = scale_to_box(widen_thin_strokes(steps["cropped"]), BOX_SIZE * _FINE)
    steps["strokes"] = adjust_strokes(fine)
    steps["scaled"] = scale_to_box(steps["strokes"])
    steps["centered"] = center_by_mass(steps["scaled"])
    return Preparation(steps["centered"].copy(), steps, inverted, box, width, path)


def to_gray(picture: np.ndarray) -> np.ndarray:
    """Return how bright a picture is, in the color in which the ink stands out.

    Parameters
    ----------
    picture : ndarray, shape (H, W), (H, W, 3) or (H, W, 4)
        Gray, color, or color with opacity, in [0, 1].

    Returns
    -------
    ndarray, shape (H, W), float32
        As bright as the color looks to the eye, unless a single one of red, green and blue shows
        twice the contrast, as blue does with yellow ink. Transparent places become paper: of the
        paper's own color if most of the picture is opaque, else white or black, whichever is
        farther from the ink.
    """
    if picture.ndim == 2:
        return picture.astype(np.float32)
    color = picture[:, :, :3].astype(np.float32)
    if picture.shape[2] == 4:
        color = _on_paper(color, picture[:, :, 3:])
    luma = np.clip(color @ _LUMA, 0, 1)
    candidates = [luma, *np.moveaxis(color, 2, 0)]
    contrasts = [_contrast(each) for each in candidates]
    best = int(np.argmax(contrasts))
    return luma if contrasts[best] < 2 * contrasts[0] else candidates[best].copy()


def _on_paper(color: np.ndarray, opacity: np.ndarray) -> np.ndarray:
    share = float(opacity.mean())
    if share == 0:
        return np.ones_like(color)
    if share > 0.5:
        paper = np.median(color[opacity[:, :, 0] > 0.5], axis=0)
    else:
        brightness = float((color * opacity).mean() / share)
        paper = np.float32(0 if brightness > 0.5 else 1)
    return color * opacity + paper * (1 - opacity)


def _contrast(gray: np.ndarray) -> float:
    small = _coarse(gray)
    return float(np.quantile(np.abs(small - _local_median(small)), 0.99))


def dark_on_light(gray: np.ndarray) -> tuple[np.ndarray, bool]:
    """Invert a picture whose ink is brighter than its paper.

    Parameters
    ----------
    gray : ndarray, shape (H, W)

    Returns
    -------
    page : ndarray, shape (H, W), float32
        Dark ink on light paper.
    inverted : bool

    Notes
    -----
    Paper is what most of a picture consists of, so the median of a place's surroundings is paper,
    once the light, a smooth surface, is taken away. Ink differs from it a lot, noise and shadow a
    little: the sign of the sum of ``(gray - median) ** 3`` tells on which side of the paper the ink
    is. Surroundings of two sizes suit fine pens and edges of shadows, and broad strokes.
    """
    small = _coarse(gray, 64)
    small = small - _smooth_surface(small, symmetric=True)
    sides = [float(((small - _local_median(small, share)) ** 3).sum()) for share in (0.4, 1)]
    inverted = sum(sides) > 0 if any(sides) else float(np.median(gray)) < 0.5
    return (1 - gray if inverted else gray.copy()).astype(np.float32), inverted


def even_light(page: np.ndarray, window: float) -> np.ndarray:
    """Divide a page by the light that falls on it, so that paper becomes 1 everywhere.

    Parameters
    ----------
    page : ndarray, shape (H, W)
        Dark ink on light paper.
    window : float
        A length in pixels, larger than strokes are wide. Dark places narrower than it count as
        ink, wider ones as shadow.

    Returns
    -------
    ndarray, shape (H, W), float32
        In [0, 1].

    Notes
    -----
    What a camera sees is ``paper * light``. The light is found on a coarse copy: a smooth surface
    (a polynomial of second degree, fitted without the pixels that are far darker than it), and on
    what it leaves a closing, that is the brightest value in a window and then the darkest of those,
    which fills everything dark that is narrower than the window (J. Serra, 1982).
    """
    from scipy.ndimage import grey_closing

    coarse = _smooth(_coarse(page), 0.7)
    size = max(3, math.ceil(window * max(coarse.shape) / max(page.shape)))
    surface = _smooth_surface(coarse)
    closed = grey_closing(coarse / surface, size=(size, size), mode="reflect")
    light = _enlarged(_smooth(closed, size / 20) * surface, page.shape)
    return np.clip(page / np.maximum(light, 0.02), 0, 1).astype(np.float32)


def find_ink(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Separate the ink from the paper, and the digit from other marks.

    Parameters
    ----------
    flat : ndarray, shape (H, W)
        Dark ink on paper that is 1 everywhere, see `even_light`.

    Returns
    -------
    ink : ndarray, shape (H, W), float32
        1 for ink as dark as the digit's, 0 for paper and for marks much fainter than the digit,
        such as ruled lines.
    mask : ndarray of bool, shape (H, W)
        True where the digit is, see `select_digit`.

    Raises
    ------
    HandwritingError
        If there is no ink, or nothing as large as a digit.

    Notes
    -----
    It looks twice: once for anything darker than the paper's grain, to learn how dark the digit's
    own ink is, and then for what is at least 0.42 times as dark as that.
    """
    darkness = _smooth(1 - flat, 0.0015 * max(flat.shape))
    details = np.abs(darkness - _smooth(darkness, 1 + 0.01 * max(flat.shape)))
    grain = 1.4826 * float(np.median(details))
    threshold = max(6 * grain, _FAINTEST / 2)
    if not (darkness > threshold).any():
        raise HandwritingError(_NO_INK)
    # As dark as the digit's darkest places, leaving out the last 2 % because of noise.
    full = float(np.quantile(darkness[select_digit(darkness > threshold, darkness)], 0.98))
    if full < max(_FAINTEST, 10 * grain):
        raise HandwritingError(_NO_INK)
    mask = select_digit(darkness > 0.42 * full, darkness)
    rows, columns = np.nonzero(mask)
    extent = 1 + max(np.ptp(rows), np.ptp(columns))
    if extent < max(4, _SMALLEST_DIGIT * max(flat.shape)):
        raise HandwritingError(
            f"expected a digit, found only a speck of {extent} pixels; "
            "take the picture from nearer, so that the digit fills most of it"
        )
    return np.clip((darkness / full - 0.15) / 0.5, 0, 1).astype(np.float32), mask


_NO_INK = (
    "expected a digit, found no ink that stands out from the paper; "
    "write with a darker pen, or take the picture from nearer and in better light"
)


def select_digit(mask: np.ndarray, darkness: np.ndarray) -> np.ndarray:
    """Keep the strokes that make up the digit; drop specks, and what the picture's border cuts.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)
        Where there is ink, at least somewhere.
    darkness : ndarray, shape (H, W)
        How much ink.

    Returns
    -------
    ndarray of bool, shape (H, W)

    Notes
    -----
    The piece with most ink is part of the digit. Other pieces join it if they are near, no farther
    than a quarter of its size (half of it, if they have a third as much ink), and no specks: at
    least 0.15 times as long. What is near to those joins, too, within 0.6 of these distances: a
    pen that fades leaves several pieces of one stroke. A piece that touches the border counts
    little, unless the picture is full of it: it may be the table beside the paper.
    """
    from scipy import ndimage

    pieces, count = ndimage.label(mask, np.ones((3, 3)))
    if count < 2:
        return pieces > 0
    weights = ndimage.sum_labels(darkness, pieces, np.arange(1, count + 1))
    boxes = ndimage.find_objects(pieces)
    extents = np.array([[s.stop - s.start for s in box] for box in boxes])
    # Only what is about as dark as the piece itself can reach the border, not a faint shadow.
    peaks = ndimage.maximum(darkness, pieces, np.arange(count + 1))
    cut = _cut_by_border(np.where(darkness > 0.42 * peaks[pieces], pieces, 0), extents)
    weights = np.where(cut, weights / 20, weights)
    # Squares tell a dark pen from a shadow that is larger but faint.
    squares = ndimage.sum_labels(darkness**2, pieces, np.arange(1, count + 1))
    main = int(np.argmax(np.where(cut, squares / 20, squares)))
    size = extents[main].max()
    digit = pieces == main + 1
    reach = size * np.where(weights >= weights[main] / 3, 0.5, 0.25)
    later = 0.6 * reach
    members = [main]
    others = [
        i
        for i in range(count)
        if i != main and not (cut[i] and not cut[main]) and extents[i].max() >= 0.15 * size
    ]
    while others:
        near = [i for i in others if min(_gap(boxes[i], boxes[k]) for k in members) <= reach[i]]
        if not near:
            break
        distance = ndimage.distance_transform_edt(~digit)
        joins = np.array(near)[ndimage.minimum(distance, pieces, np.array(near) + 1) <= reach[near]]
        if not joins.size:
            break
        digit |= np.isin(pieces, joins + 1)
        members = list(joins)
        others = [i for i in others if i not in members]
        reach = later
    return digit


def _cut_by_border(pieces, extents) -> np.ndarray:
    """Return which pieces touch the border without filling the picture, or run along most of it."""
    shape = np.array(pieces.shape)
    fills = (extents / shape >= 0.6).all(axis=1) | (extents.prod(axis=1) >= 0.8 * shape.prod())
    border = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    share = np.bincount(border, minlength=len(extents) + 1)[1:] / len(border)
    return (share > 0) & ~(fills & (share <= 0.5))


def _is_shadow(mask: np.ndarray) -> bool:
    """Return whether what was found runs along the border and is a broad patch, not strokes."""
    longest = max(mask.shape)
    width = stroke_width(mask) / longest
    along = (mask[[0, -1]].sum() + mask[:, [0, -1]].sum()) / longest
    box = np.ptp(np.nonzero(mask), axis=1) + 1
    solid = mask.sum() / box.prod() > 0.7
    return bool((solid and width > 0.12 and along > 0.4) or (width > 0.2 and along > 0.7))


def _gap(a, b) -> float:
    """Return how far two boxes are apart, 0 where they overlap."""
    gaps = [max(0, s.start - t.stop, t.start - s.stop) for s, t in zip(a, b, strict=True)]
    return math.hypot(*gaps)


def _alone(ink: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Return the ink of the digit with its soft edges but nothing else, and the box around it."""
    from scipy.ndimage import binary_dilation

    reach = max(1, round(stroke_width(mask) / 4))
    digit = np.where(binary_dilation(mask, np.ones((3, 3)), iterations=reach), ink, 0)
    rows, columns = (np.nonzero((digit > 0.25).any(axis=axis))[0] for axis in (1, 0))
    box = (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)
    return digit.astype(np.float32), box


def stroke_width(mask: np.ndarray) -> float:
    """Return how wide the strokes of a digit are on average, in pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (H, W)

    Returns
    -------
    float
        0 if there are none.

    Notes
    -----
    From border to border of a stroke of width w, the distance to the nearest border rises to
    w / 2 and falls again; its mean is w / 4.
    """
    from scipy.ndimage import distance_transform_edt

    if not mask.any():
        return 0.0
    # Distances run to the center of the next pixel outside, half a pixel beyond the border.
    distance = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    thick = mask[1:, 1:] & mask[1:, :-1] & mask[:-1, 1:] & mask[:-1, :-1]
    return 4 * float((distance[mask] - 0.5).mean()) if thick.any() else 1.0


def widen_thin_strokes(digit: np.ndarray, least: float = 0.8) -> np.ndarray:
    """Widen strokes that would be lost when the digit is shrunk.

    Parameters
    ----------
    digit : ndarray, shape (H, W)
        Ink 1 on 0, cropped to the digit.
    least : float
        How wide strokes must be, in pixels of MNIST: for a digit whose longer side is 20.

    Returns
    -------
    ndarray, shape (h, w), float32
        The digit itself if its strokes are wide enough, else one a little larger, in which every
        pixel is as bright as the brightest around it (a dilation).
    """
    from scipy.ndimage import grey_dilation

    wanted = least * max(digit.shape) / BOX_SIZE
    more = math.ceil(wanted - stroke_width(digit > 0.5))
    if more < 1:
        return digit
    digit = np.pad(digit, (more + 1) // 2)
    return grey_dilation(digit, size=(more + 1, more + 1)).astype(np.float32)


def adjust_strokes(
    digit: np.ndarray, widths: tuple[float, float] = STROKE_WIDTHS, *, fine: int = _FINE
) -> np.ndarray:
    """Make thin strokes wider and wide ones thinner, as wide as MNIST's.

    Shrunk to 20 pixels, the strokes of a pen on a large page would fade to nothing.

    Parameters
    ----------
    digit : ndarray, shape (H, W)
        Ink 1 on 0, `fine` times larger than it is going to be.
    widths : (float, float)
        Strokes become at least and at most so wide, in pixels after shrinking.
    fine : int
        How much the digit is going to be shrunk.

    Returns
    -------
    ndarray, shape (h, w), float32
        Ink 0 or 1, cropped to the digit, with sides that are multiples of `fine`.

    Notes
    -----
    A place is ink if it is within `reach` of a stroke, or for a negative `reach`, if it is that far
    inside. The reach is halved as long as it would close a loop, or break a stroke in two.
    """
    from scipy.ndimage import distance_transform_edt

    mask = np.pad(_smooth(digit, fine / 5) > 0.5, 2 * fine)
    if not mask.any():  # strokes so thin that smoothing lost them
        mask = np.pad(digit >= digit.max() / 2, 2 * fine)
    width = stroke_width(mask) / fine
    reach = fine * (np.clip(width, *widths) - width) / 2
    outside = distance_transform_edt(~mask)
    inside = distance_transform_edt(mask)
    signed = np.where(mask, inside - 0.5, 0.5 - outside)  # how deep inside the ink
    for _ in range(4):
        changed = signed > -reach
        if _same_form(mask, changed, least=fine**2):
            break
        reach /= 2
    else:
        changed = mask
    rows, columns = (np.nonzero(changed.any(axis=axis))[0] for axis in (1, 0))
    changed = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    spare = [((-n % fine) // 2, (-n % fine) - (-n % fine) // 2) for n in changed.shape]
    return np.pad(changed, spare).astype(np.float32)


def _same_form(before: np.ndarray, after: np.ndarray, least: int) -> bool:
    """Return whether no loop was closed, and no stroke broken; `least` pixels make a loop."""
    return _count(~after, 1) >= _count(~before, least) and _count(after, 1) <= _count(before, 1)


def _count(mask: np.ndarray, least: int) -> int:
    from scipy.ndimage import label

    return int((np.bincount(label(mask)[0].ravel())[1:] >= least).sum())


def label_of(path: str | os.PathLike) -> int:
    """Return which digit a file holds, by its name or else by its folder's.

    Parameters
    ----------
    path : path-like
        The name begins with the digit, and something other than a letter or digit follows:
        "7.jpeg", "7_b.png", "7 (2).jpg". Or the folder is called "7".

    Returns
    -------
    int
        0 to 9.

    Raises
    ------
    ValueError
        If neither says it, or they contradict each other.

    Examples
    --------
    >>> label_of("7_b.png"), label_of("digits/3/scan.png")
    (7, 3)
    """
    path = Path(path)
    in_name = re.match(r"([0-9])(?![^\W_])", path.stem)
    in_folder = re.fullmatch(r"[0-9]", path.parent.name)
    found = {int(match[0]) for match in (in_name, in_folder) if match}
    if len(found) == 2:
        raise ValueError(
            f"expected one label for {path}, but its name says {in_name[0]} and its folder "
            f"{in_folder[0]}; rename one of them"
        )
    if not found:
        raise ValueError(
            f"expected a label in the name of {path}; "
            "rename it to begin with its digit, such as 7_b.png, or put it into a folder 7"
        )
    return found.pop()


def read_folder(
    folder: str | os.PathLike,
) -> Iterator[tuple[Path, Preparation | HandwritingError]]:
    """Prepare all images in a folder and the folders in it, one after the other.

    Parameters
    ----------
    folder : path-like

    Yields
    ------
    path : Path
        In the order of the names; hidden files and files that are no images by name are left out.
    result : Preparation or HandwritingError
        The error if this picture could not be prepared; the others still are.

    Raises
    ------
    HandwritingError
        At once, if there is no such folder or no image in it.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        what = "a file" if folder.exists() else "nothing"
        raise HandwritingError(f"expected a folder at {folder}, found {what}; check the path")
    paths = sorted(_images_in(folder))
    if not paths:
        raise HandwritingError(
            f"expected images in {folder}, found none; put JPEG or PNG files there"
        )
    return ((path, _prepare_or_error(path)) for path in paths)


def _images_in(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)


def _prepare_or_error(path: Path) -> Preparation | HandwritingError:
    if path.exists() and not path.is_file():  # a pipe, which might never end
        return HandwritingError(f"{path} is no ordinary file; put JPEG or PNG files there")
    try:
        return prepare_digit(path)
    except HandwritingError as error:
        return error


def _smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, sigma, mode="nearest") if sigma > 0.3 else image


def _coarse(image: np.ndarray, longest: int = _COARSE) -> np.ndarray:
    return scale_to_box(image, longest) if max(image.shape) > longest else image


def _enlarged(coarse: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Interpolate between the pixels of a coarse image, linearly."""
    for axis, length in enumerate(shape):
        if coarse.shape[axis] != length:
            old = coarse.shape[axis]
            place = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
            low = np.minimum(place.astype(int), old - 2) if old > 1 else np.zeros(length, int)
            share = np.expand_dims(place - low, 1 - axis).astype(np.float32)
            high = np.minimum(low + 1, old - 1)
            coarse = coarse.take(low, axis) * (1 - share) + coarse.take(high, axis) * share
    return coarse


def _local_median(small: np.ndarray, share: float = 1) -> np.ndarray:
    """Return the median of every pixel's surroundings, a share of the picture's longer side."""
    from scipy.ndimage import median_filter

    tiny = _coarse(small, 24)
    size = int(share * max(tiny.shape)) // 2 * 2 - 1
    return _enlarged(median_filter(tiny, size=max(3, size), mode="reflect"), small.shape)


def _smooth_surface(coarse: np.ndarray, *, symmetric: bool = False) -> np.ndarray:
    """Fit a polynomial of second degree, leaving out ever more of what is not paper."""
    height, width = coarse.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    all_terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    some = slice(None, None, 2 if min(height, width) > 60 else 1)
    terms = all_terms[some, some].reshape(-1, 6)
    values = coarse[some, some].ravel().astype(np.float64)
    # A start without most of the ink.
    kept = (coarse >= (0 if symmetric else 0.97) * _local_median(coarse))[some, some].ravel()
    for _ in range(10):
        weights = np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0]
        rest = values - terms @ weights
        spread = 1.4826 * np.median(np.abs(rest[kept] - np.median(rest[kept])))
        kept = np.abs(rest - np.median(rest[kept])) <= max(2.5 * spread, 1e-3)
    low, high = np.quantile(values, [0.02, 0.98])
    surface = np.clip(all_terms @ weights, max(low / 2, 0.05), max(high, 0.05))
    return surface.astype(np.float32)
