"""Digits drawn by paths of a pen, in forms that the hands of MNIST hardly write."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnedu.data.digits import BOX_SIZE, center_by_mass
from cnnedu.shapes import check_rng

_STEPS = 5  # pieces of a curve between two of its points
_CHUNK = 32  # images drawn at once: what is computed for them fits into a processor's cache
_EDGE = 1.3  # pixels between ink and paper: MNIST's edges are a little softer than one pixel
_WHITE = 255
_CORNER = True


def drawn_digits(count: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw digits as a pen would, in many hands' forms, framed as MNIST's are.

    MNIST was written in the United States, and hardly contains a one with a flag, a crossed seven
    or a four whose right stroke is short; other hands write them all the time. No turning or
    bending makes such a form from another. Here each class has several forms, each a path through a
    few points; every digit moves the points anew.

    Parameters
    ----------
    count : int
        How many, N; at least 1.
    rng : numpy.random.Generator
        Draws the forms, all that varies within them, and the order.

    Returns
    -------
    images : ndarray, shape (N, 1, 28, 28), float32
        White ink on black, in [0, 1] in steps of 1/255.
    labels : ndarray, shape (N,), int64
        0 to 9, each ``N // 10`` times or once more.

    Raises
    ------
    TypeError, ValueError
        If ``count`` is no whole number of at least 1, or ``rng`` no generator.

    Notes
    -----
    A path is a Catmull-Rom spline (E. Catmull and R. Rom, 1974) through its points. With ``d`` the
    distance of a pixel from the path and ``r`` the pen's radius there, both in pixels, its
    brightness is ``clip(0.5 + (r - d) / 1.3, 0, 1)``. The path is first scaled so that the longer
    side of what is drawn has 20 pixels; then the ink's center of mass is placed in the middle of
    28 x 28, as in MNIST (LeCun et al., 1998).

    What varies: proportions, lengths of flags, bars and tails, slant, width of the pen along its
    way, and how exactly strokes meet. What would be ambiguous is not drawn: a one's flag is steep
    and at most about half as tall as the one, a seven's top is level, a four's bar crosses its
    stem. Shares and shapes of the forms were chosen by looking at the embedded digits' training
    part, and at which of them a network that knows only MNIST misreads. Lesson 8 reads other hands.

    Examples
    --------
    >>> images, labels = drawn_digits(20, rng=np.random.default_rng(0))
    >>> images.shape, np.bincount(labels).tolist()
    ((20, 1, 28, 28), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    if isinstance(count, bool) or not isinstance(count, numbers.Integral):
        raise TypeError(f"count must be a whole number of digits, got {count!r}")
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    check_rng(rng)
    of_class = np.full(10, count // 10)
    of_class[rng.permutation(10)[: count % 10]] += 1
    images, labels = [], []
    for label, number in enumerate(of_class):
        forms = [form for form in FORMS if form.label == label]
        shares = np.array([form.share for form in forms])
        for form, some in zip(forms, rng.multinomial(number, shares / shares.sum()), strict=True):
            if some:
                images.append(draw_form(form, int(some), rng=rng))
                labels.append(np.full(some, label, np.int64))
    order = rng.permutation(count)
    return np.concatenate(images)[order], np.concatenate(labels)[order]


@dataclass(frozen=True)
class Form:
    """One way to write a digit.

    Attributes
    ----------
    name : str
    label : int
        The digit.
    share : float
        How often it is drawn, beside the other forms of the same digit.
    strokes : callable
        ``vary -> strokes``. A stroke is a list of points ``(x, y)`` or, where it turns sharply,
        ``(x, y, True)``; x grows to the right, y downwards, 1 is about the digit's height.
        ``vary(low, high)`` draws a number for each image.
    broadest : float
        The largest width of an ordinary pen, in pixels: less where a broad one would fill a gap
        that tells the digit from another.
    felt : float
        The share that is drawn with a felt pen, 4 to 7 pixels broad.
    """

    name: str
    label: int
    share: float
    strokes: Callable[[Callable[[float, float], np.ndarray]], list[list[tuple[Any, ...]]]]
    broadest: float = 4.6
    felt: float = 0.0


def draw_form(form: Form, count: int, *, rng: np.random.Generator) -> np.ndarray:
    """Draw one form several times.

    Parameters
    ----------
    form : Form
        One of ``FORMS``.
    count : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (count, 1, 28, 28), float32
    """
    strokes = form.strokes(lambda low, high: rng.uniform(low, high, count))
    unsteady = rng.uniform(0.006, 0.034, (count, 1, 1))
    paths = [_curve(*_moved(stroke, unsteady, rng)) for stroke in strokes]
    starts = np.concatenate([path[:, :-1] for path in paths], axis=1)
    ends = np.concatenate([path[:, 1:] for path in paths], axis=1)
    pen = np.clip(np.exp(rng.normal(np.log(2.65), 0.25, (count, 1))), 1.7, form.broadest)
    felt = rng.uniform(size=(count, 1)) < form.felt
    pen = np.where(felt, rng.uniform(4, 7, (count, 1)), pen) / 2
    radii = [pen * _pressure(count, path.shape[1], rng) for path in paths]
    first = np.concatenate([radius[:, :-1] for radius in radii], axis=1)
    last = np.concatenate([radius[:, 1:] for radius in radii], axis=1)
    starts, ends = _in_another_hand([starts, ends], rng)
    return _rendered(starts, ends, first, last, pen)


def _moved(stroke, unsteady, rng) -> tuple[np.ndarray, list[bool]]:
    """Return a stroke's points, shape (count, K, 2), each a little off; and which are corners."""
    count = len(unsteady)
    points = np.empty((count, len(stroke), 2))
    for place, point in enumerate(stroke):
        points[:, place, 0], points[:, place, 1] = point[:2]
    away = rng.standard_normal(points.shape)
    away[:, [0, -1]] *= 1.4  # a pen touches down and leaves less exactly than it moves on
    return points + unsteady * away, [len(point) > 2 for point in stroke]


def _curve(points: np.ndarray, corners: list[bool]) -> np.ndarray:
    """Return places along the smooth curves through points, from corner to corner."""
    pieces = []
    cuts = [0, *(k for k, corner in enumerate(corners) if corner), len(corners) - 1]
    for start, stop in zip(cuts[:-1], cuts[1:], strict=True):
        if start < stop:
            pieces.append(_spline(points[:, start : stop + 1])[:, 1 if pieces else 0 :])
    return np.concatenate(pieces, axis=1)


def _spline(points: np.ndarray) -> np.ndarray:
    """Return places on the Catmull-Rom spline through points, shape (count, K, 2)."""
    before = 2 * points[:, :1] - points[:, 1:2]
    after = 2 * points[:, -1:] - points[:, -2:-1]
    knots = np.concatenate([before, points, after], axis=1)[:, :, np.newaxis]
    p0, p1, p2, p3 = (knots[:, k : k + points.shape[1] - 1] for k in range(4))
    t = (np.arange(_STEPS) / _STEPS)[:, np.newaxis]
    places = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return np.concatenate([places.reshape(len(points), -1, 2), points[:, -1:]], axis=1)


def _in_another_hand(groups, rng) -> list[np.ndarray]:
    """Change the proportions, the slant and the tilt of points, shape (count, M, 2)."""
    count = len(groups[0])
    width = np.exp(rng.normal(0, 0.12, (count, 1)))
    slant = np.clip(rng.normal(0.08, 0.14, (count, 1)), -0.25, 0.35)
    tilt = np.clip(rng.normal(0, 0.05, (count, 1)), -0.1, 0.1)
    low_waist = rng.uniform(-0.25, 0.25, (count, 1))
    broad_foot = rng.uniform(-0.3, 0.3, (count, 1))
    changed = []
    for points in groups:
        x, y = points[..., 0], points[..., 1]
        x = x * width * (1 + broad_foot * (y - 0.5)) + slant * (0.5 - y)
        y = y + low_waist * y * (1 - y) + tilt * x
        changed.append(np.stack([x, y], axis=-1))
    return changed


def _pressure(count: int, places: int, rng) -> np.ndarray:
    """Return how broad the pen is along a stroke, shape (count, places), around 1."""
    way = np.linspace(0, 1, places)
    swing, phase, waves = rng.uniform([[0.0], [0.0], [0.5]], [[0.15], [6.3], [2.5]], (3, count))
    broad = 1 + swing[:, np.newaxis] * np.sin(
        phase[:, np.newaxis] + 6.3 * waves[:, np.newaxis] * way
    )
    fade = np.maximum(rng.uniform(-0.4, 0.4, (2, count, 1)), 0)  # half the ends are blunt
    return (
        broad
        * (1 - fade[0] * np.maximum(1 - 5 * way, 0))
        * (1 - fade[1] * np.maximum(5 * way - 4, 0))
    )


def _rendered(starts, ends, first, last, pen) -> np.ndarray:
    """Scale paths to the box, draw them, and center the ink; shape (count, 1, 28, 28)."""
    every = np.concatenate([starts, ends], axis=1)
    extent = np.ptp(every, axis=1).max(axis=1)[:, np.newaxis, np.newaxis]
    scale = (BOX_SIZE - 2 * pen[:, :, np.newaxis]) / extent
    every *= scale
    radii = np.concatenate([first, last], axis=1)[:, :, np.newaxis]
    low, high = (every - radii).min(axis=1), (every + radii).max(axis=1)
    # The pen is not equally broad everywhere, so what is drawn is not yet 20 pixels long.
    fit = BOX_SIZE / (high - low).max(axis=1)[:, np.newaxis]
    # The shorter side goes to the middle of the box, by whole pixels.
    margin = np.floor((BOX_SIZE - (high - low) * fit) / 2)
    every = (every - low[:, np.newaxis]) * fit[:, np.newaxis] + margin[:, np.newaxis]
    radii = radii[:, :, 0] * fit
    half = starts.shape[1]
    boxes = np.empty((len(every), BOX_SIZE, BOX_SIZE), np.float32)
    for begin in range(0, len(every), _CHUNK):
        some = slice(begin, begin + _CHUNK)
        boxes[some] = _inked(
            every[some, :half], every[some, half:], radii[some, :half], radii[some, half:]
        )
    return center_by_mass(np.rint(boxes * _WHITE) / _WHITE)[:, np.newaxis]


def _inked(starts, ends, first, last) -> np.ndarray:
    """Return how much ink each pixel of the box gets from segments, shape (count, 20, 20)."""

    def column(values):
        return values.astype(np.float32)[:, :, np.newaxis, np.newaxis]

    pixels = np.arange(BOX_SIZE, dtype=np.float32) + np.float32(0.5)
    x = pixels - column(starts[..., 0])
    y = pixels[:, np.newaxis] - column(starts[..., 1])
    along_x, along_y = column(ends[..., 0] - starts[..., 0]), column(ends[..., 1] - starts[..., 1])
    length = np.maximum(along_x**2 + along_y**2, np.float32(1e-6))
    share = x * (along_x / length) + y * (along_y / length)
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    # In place from here on: it is fetching memory that would take the time.
    distance = share * along_x
    np.subtract(x, distance, out=distance)
    distance *= distance
    across = share * along_y
    np.subtract(y, across, out=across)
    across *= across
    distance += across
    np.sqrt(distance, out=distance)
    share *= column(last - first)
    share += column(first)
    share -= distance
    return np.clip(np.float32(0.5) + share.max(axis=1) / np.float32(_EDGE), 0, 1)


# The forms. A digit is about 1 tall; what varies less than it could keeps clear of other digits.


def _zero(vary, width, close):
    """An oval from the top and around to the left; ``close``: how far its end passes its start."""
    w, lean = width / 2, vary(-0.06, 0.06)
    return [
        [
            (w + vary(-0.05, 0.1) * 2 * w, vary(0, 0.04)),
            (w * 0.25, 0.14),
            (0, 0.5 + lean),
            (w * 0.3, 0.88),
            (w, 1),
            (w * 1.75, 0.86),
            (w * 2, 0.5 - lean),
            (w * 1.75, 0.14),
            (w - close, 0.02 + close * vary(0, 0.6)),
        ]
    ]


def _zero_narrow(vary):
    return _zero(vary, vary(0.36, 0.6), vary(-0.02, 0.08))


def _zero_wide(vary):
    return _zero(vary, vary(0.65, 1.0), vary(-0.04, 0.15))


def _zero_open(vary):
    """Its end does not reach its start."""
    return _zero(vary, vary(0.45, 0.8), vary(-0.24, -0.1))


def _zero_curled(vary):
    (oval,) = _zero(vary, vary(0.5, 0.85), vary(0.1, 0.16))
    x, y = oval[-1]
    return [[*oval, (x + vary(0.0, 0.06), y + vary(0.1, 0.16))]]


def _one(vary, flag, spread, stem=(0.0, 0.0)):
    """A stem; ``flag``: how far it reaches down, ``spread``: how far out for each step down."""
    bend = vary(-0.025, 0.025)
    top, foot = stem
    upstroke = [
        (top - flag * spread, flag),
        (top - flag * spread * 0.5 + vary(-0.02, 0.02), flag * 0.5),
    ]
    return [*upstroke, (top, 0, _CORNER), ((top + foot) / 2 + bend, 0.5), (foot, 1)]


def _one_plain(vary):
    bend = vary(-0.04, 0.04)
    return [[(0, 0), (bend, 0.35), (bend * vary(-0.5, 1.2), 0.7), (vary(-0.03, 0.03), 1)]]


def _one_flagged(vary):
    return [_one(vary, vary(0.2, 0.48), vary(0.4, 0.95))]


def _one_short_flag(vary):
    return [_one(vary, vary(0.1, 0.25), vary(0.5, 1.0))]


def _one_long_flag(vary):
    return [_one(vary, vary(0.4, 0.54), vary(0.4, 0.75))]


def _base(vary, foot=0.0):
    tilt = vary(-0.03, 0.03)
    return [(foot - vary(0.12, 0.32), 1 + tilt), (foot + vary(0.14, 0.36), 1 - tilt)]


def _one_flag_and_base(vary):
    return [_one(vary, vary(0.15, 0.45), vary(0.5, 1.0)), _base(vary)]


def _one_leaning_on_base(vary):
    """The stem leans back, the flag is a mere stub, the base lies more to the right."""
    lean = vary(0, 0.22)
    stem = _one(vary, vary(0.02, 0.42), vary(0.3, 0.8), (-lean, 0.0))
    tilt = vary(-0.04, 0.02)
    return [stem, [(vary(-0.28, -0.04), 1 + tilt), (vary(0.25, 0.5), 1 - tilt)]]


def _two_start(vary):
    return [
        (vary(0, 0.08), vary(0.2, 0.32)),
        (0.12, 0.07),
        (0.32, 0),
        (0.54, 0.1),
        (vary(0.54, 0.6), 0.3),
    ]


def _two_plain(vary):
    return [
        [
            *_two_start(vary),
            (0.4, 0.58),
            (0, vary(0.92, 0.98), _CORNER),
            (0.3, vary(0.92, 1.0)),
            (vary(0.55, 0.75), vary(0.92, 1.02)),
        ]
    ]


def _two_narrow(vary):
    """A small hook, a steep stroke, and a short base."""
    return [
        [
            (vary(0, 0.06), vary(0.16, 0.26)),
            (0.07, 0.05),
            (0.2, 0),
            (vary(0.32, 0.38), 0.14),
            (0.33, 0.36),
            (0.22, 0.64),
            (vary(0, 0.1), vary(0.92, 0.98), _CORNER),
            (0.25, vary(0.92, 0.98)),
            (vary(0.4, 0.55), vary(0.92, 1.02)),
        ]
    ]


def _two_looped(vary):
    low = vary(0, 0.03)
    return [
        [
            *_two_start(vary),
            (0.42, 0.56),
            (0.2, 0.86),
            (0.05, 0.97 + low),
            (-0.02, vary(0.86, 0.9)),
            (0.1, vary(0.77, 0.83)),
            (0.3, 0.89),
            (0.48, 0.98 + low),
            (vary(0.6, 0.75), vary(0.85, 0.95)),
        ]
    ]


def _two_wavy_base(vary):
    return [
        [
            *_two_start(vary),
            (0.42, 0.55),
            (0.05, 0.92, _CORNER),
            (0.22, vary(0.83, 0.88)),
            (0.42, 0.97),
            (vary(0.6, 0.75), vary(0.82, 0.92)),
        ]
    ]


def _two_curled_top(vary):
    return [
        [
            (vary(0.14, 0.2), vary(0.26, 0.32)),
            (0.03, 0.26),
            (0.06, 0.1),
            (0.3, 0),
            (0.52, 0.1),
            (0.5, 0.32),
            (0.34, 0.6),
            (0, 0.96, _CORNER),
            (0.3, vary(0.94, 1.0)),
            (vary(0.55, 0.7), vary(0.94, 1.02)),
        ]
    ]


def _three_end(vary, right):
    return [
        (right, vary(0.66, 0.76)),
        (right * 0.8, 0.93),
        (right * 0.45, 1),
        (vary(-0.06, 0.06), vary(0.84, 0.94)),
    ]


def _three_round(vary):
    waist = vary(0.42, 0.5)
    return [
        [
            (vary(0, 0.08), vary(0.08, 0.18)),
            (0.25, 0),
            (vary(0.42, 0.52), 0.2),
            (vary(0.14, 0.24), waist, _CORNER),
            (0.42, waist + 0.06),
            *_three_end(vary, vary(0.5, 0.6)),
        ]
    ]


def _three_flat_top(vary):
    waist = vary(0.36, 0.45)
    return [
        [
            (vary(0, 0.08), vary(0.0, 0.05)),
            (vary(0.46, 0.58), vary(-0.02, 0.02), _CORNER),
            (vary(0.16, 0.26), waist, _CORNER),
            (0.42, waist + 0.06),
            *_three_end(vary, vary(0.5, 0.6)),
        ]
    ]


def _three_looped(vary):
    waist = vary(0.42, 0.5)
    return [
        [
            (vary(0, 0.08), vary(0.1, 0.2)),
            (0.26, 0),
            (vary(0.44, 0.52), 0.18),
            (0.34, waist - 0.05),
            (0.16, waist + 0.02),
            (0.17, waist - 0.08),
            (0.36, waist + 0.04),
            *_three_end(vary, vary(0.5, 0.6)),
        ]
    ]


def _four_open(vary):
    """Two strokes that do not touch at the top."""
    bar, stem = vary(0.5, 0.64), vary(0.38, 0.48)
    left = [
        (vary(0.02, 0.2), vary(0, 0.1)),
        (0.02, bar * 0.6),
        (0, bar, _CORNER),
        (stem + vary(0.12, 0.25), bar + vary(-0.05, 0.03)),
    ]
    return [left, [(stem + vary(0, 0.06), vary(-0.04, 0.2)), (stem + vary(-0.06, 0.02), 1)]]


def _four_closed(vary):
    """A triangle, its corner on the left sharp, its bar passing through the stem."""
    bar, stem = vary(0.58, 0.72), vary(0.36, 0.46)
    left = [
        (stem, 0),
        (0, bar, _CORNER),
        (stem + vary(0.14, 0.28), bar + vary(-0.03, 0.03)),
    ]
    return [left, [(stem + vary(-0.03, 0.03), vary(0, 0.04)), (stem + vary(-0.04, 0.04), 1)]]


def _four_short_stem(vary):
    """A long stroke down to the left, and a short one that only crosses the bar."""
    bar, stem = vary(0.56, 0.7), vary(0.34, 0.46)
    left = [
        (vary(0.2, 0.42), 0),
        (vary(0.1, 0.18), bar * 0.5),
        (0, bar, _CORNER),
        (stem + vary(0.12, 0.28), bar + vary(-0.1, 0.04)),
    ]
    return [left, [(stem + vary(0, 0.08), bar - vary(0.15, 0.32)), (stem - vary(0, 0.1), 1)]]


def _four_curved(vary):
    """In one sweep down and to the right, then a short stem; between both it stays open."""
    low, stem = vary(0.64, 0.84), vary(0.42, 0.54)
    left = [
        (vary(0.2, 0.4), 0),
        (vary(0.08, 0.16), low * 0.45),
        (0, low - vary(0.08, 0.16)),
        (vary(0.06, 0.12), low),
        (stem * 0.7, low - vary(0, 0.06)),
        (stem + vary(0.04, 0.22), low - vary(0.06, 0.18)),
    ]
    return [left, [(stem + vary(0, 0.1), low - vary(0.24, 0.39)), (stem - vary(0, 0.16), 1)]]


def _five_bowl(vary):
    right = vary(0.48, 0.6)
    return [
        (0.26, vary(0.34, 0.42)),
        (right * 0.9, 0.46),
        (right, vary(0.64, 0.74)),
        (right * 0.72, 0.95),
        (0.2, 1),
        (vary(-0.06, 0.04), vary(0.86, 0.95)),
    ]


def _five_joined(vary):
    corner = (vary(0.06, 0.14), vary(0, 0.04), _CORNER)
    down = (vary(0.02, 0.1), vary(0.4, 0.46), _CORNER)
    return [[(vary(0.45, 0.65), vary(-0.04, 0.04)), corner, down, *_five_bowl(vary)]]


def _five_detached_bar(vary):
    """The bar is drawn last, and may not reach the rest."""
    down = (vary(0.02, 0.1), vary(0.4, 0.46), _CORNER)
    body = [(vary(0.06, 0.14), vary(0.02, 0.08)), down, *_five_bowl(vary)]
    start = vary(0.06, 0.24)
    return [body, [(start, vary(-0.05, 0.04)), (start + vary(0.3, 0.5), vary(-0.08, 0.04))]]


def _five_curved(vary):
    return [
        [
            (vary(0.45, 0.62), vary(-0.02, 0.06)),
            (0.28, 0.02),
            (0.09, 0.12),
            (0.08, 0.32),
            (0.3, 0.43),
            (vary(0.46, 0.56), vary(0.62, 0.72)),
            (0.36, 0.95),
            (0.15, 1),
            (vary(-0.06, 0.02), vary(0.86, 0.95)),
        ]
    ]


def _six(vary, start, shoulder, bowl):
    """Down to the left and around; ``bowl``: how high the bowl reaches."""
    right, middle = vary(0.42, 0.55), (1 + bowl) / 2
    return [
        [
            start,
            shoulder,
            (0, middle + vary(-0.05, 0.05)),
            (right * 0.25, 0.95),
            (right * 0.6, 1),
            (right, middle + vary(-0.04, 0.06)),
            (right * 0.6, bowl),
            (right * vary(0.0, 0.3), middle + vary(-0.06, 0.1)),
        ]
    ]


def _six_curved(vary):
    return _six(vary, (vary(0.35, 0.55), vary(0, 0.05)), (0.13, 0.28), vary(0.42, 0.55))


def _six_like_b(vary):
    lean = vary(0.0, 0.16)
    return _six(vary, (lean, 0), (0.02 + lean * 0.4, 0.4), vary(0.45, 0.6))


def _six_curled(vary):
    """It begins with a small hook, and its bowl is small."""
    (stroke,) = _six(vary, (0.4, 0), (0.1, 0.26), vary(0.5, 0.62))
    return [[(vary(0.5, 0.56), vary(0.12, 0.2)), *stroke]]


def _seven(vary, serif=0.0):
    """``serif``: how far the start hangs down."""
    width, level, foot = vary(0.42, 0.6), vary(-0.04, 0.04), vary(0.08, 0.3)
    bend = vary(-0.05, 0.06)
    top = [(0, level), (width / 2, level / 2 + vary(-0.03, 0.03)), (width, 0, _CORNER)]
    if np.any(serif):
        top = [(vary(-0.03, 0.03), level + serif), (0, level, _CORNER), *top[1:]]
    middle = ((width + foot) / 2 - bend, 0.48)
    return [*top, middle, (foot, 1)], middle


def _seven_plain(vary):
    return [_seven(vary)[0]]


def _seven_serif(vary):
    return [_seven(vary, vary(0.06, 0.18))[0]]


def _cross(vary, middle):
    x, y = middle
    y, tilt = y + vary(-0.06, 0.1), vary(-0.05, 0.06)
    return [(x - vary(0.12, 0.26), y + tilt), (x + vary(0.12, 0.26), y - tilt)]


def _seven_crossed(vary):
    seven, middle = _seven(vary)
    return [seven, _cross(vary, middle)]


def _seven_crossed_serif(vary):
    seven, middle = _seven(vary, vary(0.05, 0.16))
    return [seven, _cross(vary, middle)]


def _eight_one_stroke(vary):
    w, big, waist = vary(0.42, 0.56), vary(1.0, 1.15), vary(0.44, 0.52)
    middle = w / 2
    return [
        [
            (w * vary(0.8, 0.95), vary(0.06, 0.16)),
            (middle, 0),
            (w * 0.1, 0.18),
            (middle, waist),
            (middle + big * w / 2, 0.75),
            (middle, 1),
            (middle - big * w / 2, 0.76),
            (middle, waist),
            (w * 0.9, 0.22),
            (w * vary(0.7, 0.9), vary(0.02, 0.1)),
        ]
    ]


def _ring(vary, x, y, w, h):
    """A circle from the top and around to the left."""
    gap = vary(-0.04, 0.03)
    around = [(-0.7, -0.72), (-1, 0), (-0.7, 0.72), (0, 1), (0.7, 0.72), (1, 0), (0.7, -0.72)]
    places = [(x + w * a, y + h * b) for a, b in around]
    return [(x, y - h), *places, (x + gap, y - h)]


def _eight_two_rings(vary):
    border = vary(0.44, 0.52)
    upper = _ring(vary, vary(-0.03, 0.03), border / 2, vary(0.16, 0.22), border / 2)
    lower = _ring(vary, 0, (1 + border) / 2, vary(0.2, 0.27), (1 - border) / 2)
    return [upper, lower]


def _nine_loop(vary, low):
    """From the right around to the left, and up again; the end is where the tail begins."""
    right = vary(0.38, 0.52)
    return right, [
        (right * vary(0.92, 1), vary(0.08, 0.16)),
        (right * 0.55, 0),
        (right * 0.1, low * 0.25),
        (vary(-0.02, 0.03), low * 0.6),
        (right * 0.4, low),
        (right * 0.85, low * 0.72),
        (right * vary(0.98, 1.04), vary(0.02, 0.16), _CORNER),
    ]


def _nine_straight(vary):
    right, loop = _nine_loop(vary, vary(0.4, 0.52))
    return [[*loop, (right + vary(-0.04, 0.02), 0.5), (right - vary(0, 0.16), 1)]]


def _nine_hooked(vary):
    right, loop = _nine_loop(vary, vary(0.4, 0.52))
    tail = [
        (right + vary(0, 0.04), 0.5),
        (right * vary(0.88, 1), 0.8),
        (right * 0.55, 1),
        (vary(-0.04, 0.1), vary(0.84, 0.97)),
    ]
    return [[*loop, *tail]]


def _nine_round(vary):
    """A ring, and a tail that swings out from it and far back."""
    low = vary(0.42, 0.52)
    w = vary(0.17, 0.24)
    x = vary(0.2, 0.26)
    tail = [
        (x + w * vary(0.95, 1.05), low * 0.5),
        (x + w * vary(1.1, 1.4), 0.66),
        (x + w * 0.9, 0.9),
        (x - 0.02, 1),
        (vary(-0.08, 0.1), vary(0.9, 1.0)),
    ]
    return [_ring(vary, x, low / 2, w, low / 2), tail]


def _nine_waist(vary):
    """A small ring, a waist below it, and a tail that ends level."""
    low = vary(0.39, 0.49)
    w = vary(0.15, 0.22)
    x = vary(0.18, 0.26)
    tail = [
        (x + w * vary(0.9, 1.05), low * 0.55),
        (x + w * vary(0.6, 0.95), low + vary(0.02, 0.08)),
        (x + w * vary(0.9, 1.6), 0.72),
        (x + w * vary(0.8, 1.3), vary(0.9, 0.96)),
        (x + vary(-0.05, 0.05), 1),
        (vary(-0.1, 0.08), vary(0.93, 1.02)),
    ]
    return [_ring(vary, x, low / 2, w, low / 2), tail]


FORMS = (
    Form("narrow zero", 0, 0.4, _zero_narrow),
    Form("wide zero", 0, 0.3, _zero_wide),
    Form("curled zero", 0, 0.2, _zero_curled),
    Form("open zero", 0, 0.1, _zero_open, broadest=3.6),
    Form("plain one", 1, 0.18, _one_plain, felt=0.5),
    Form("flagged one", 1, 0.3, _one_flagged, felt=0.3),
    Form("one with a short flag", 1, 0.12, _one_short_flag, felt=0.3),
    Form("one with a long flag", 1, 0.14, _one_long_flag, felt=0.3),
    Form("one with flag and base", 1, 0.14, _one_flag_and_base),
    Form("one leaning on its base", 1, 0.12, _one_leaning_on_base),
    Form("plain two", 2, 0.3, _two_plain),
    Form("narrow two", 2, 0.2, _two_narrow),
    Form("looped two", 2, 0.2, _two_looped),
    Form("two with a wavy base", 2, 0.15, _two_wavy_base),
    Form("two with a curled top", 2, 0.15, _two_curled_top),
    Form("round three", 3, 0.5, _three_round),
    Form("three with a flat top", 3, 0.3, _three_flat_top),
    Form("looped three", 3, 0.2, _three_looped),
    Form("open four", 4, 0.3, _four_open),
    Form("closed four", 4, 0.25, _four_closed),
    Form("four with a short stem", 4, 0.25, _four_short_stem, broadest=3.8),
    Form("four in a sweep", 4, 0.2, _four_curved, broadest=3.6),
    Form("joined five", 5, 0.4, _five_joined),
    Form("five with a detached bar", 5, 0.4, _five_detached_bar),
    Form("curved five", 5, 0.2, _five_curved),
    Form("curved six", 6, 0.45, _six_curved),
    Form("six like b", 6, 0.4, _six_like_b),
    Form("six with a hook", 6, 0.15, _six_curled),
    Form("plain seven", 7, 0.2, _seven_plain),
    Form("seven with a serif", 7, 0.15, _seven_serif),
    Form("crossed seven", 7, 0.4, _seven_crossed),
    Form("crossed seven with a serif", 7, 0.25, _seven_crossed_serif),
    Form("eight in one stroke", 8, 0.65, _eight_one_stroke),
    Form("eight of two rings", 8, 0.35, _eight_two_rings),
    Form("nine with a straight tail", 9, 0.3, _nine_straight),
    Form("nine with a hooked tail", 9, 0.35, _nine_hooked),
    Form("nine of a ring and a tail", 9, 0.2, _nine_round),
    Form("nine with a waist", 9, 0.1, _nine_waist, broadest=3.3),
)
"""All forms, by digit."""
