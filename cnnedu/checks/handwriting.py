"""The exercises of lesson 8: from a page to an image like MNIST's, and an honest judgment."""

import numpy as np

from cnnedu.checks.framework import exercise
from cnnedu.checks.sliding import floats

WHITE_PAPER = floats([[0.9, 0.9, 0.8], [0.9, 0.1, 0.9]])
BLACK_BOARD = floats([[0.1, 0.1, 0.2], [0.1, 0.9, 0.1]])
GRAY_PAPER = floats([[0.6, 0.6, 0.6], [0.6, 0.2, 0.6]])
DARK_INK = floats([[0.7, 0.0, 0.0, 0.7], [0.7, 0.0, 0.7, 0.7], [0.7, 0.7, 0.7, 0.0]])
BRIGHT_INK = floats([[0.3, 1.0, 1.0], [0.3, 1.0, 0.3], [0.3, 0.3, 0.3]])
"""Much ink, so that the mean is misled where the median is not."""
MUCH_INK = floats([[0.6, 0.0, 0.0], [0.6, 0.0, 0.6], [0.6, 0.6, 0.0]])


def _random_page(rng):
    page = np.full(rng.integers(3, 5, 2), float(rng.choice([0.2, 0.8])))
    page[rng.integers(len(page)), : page.shape[1] - 1] = rng.integers(4, 7) / 10
    return (page,)


@exercise(
    lesson=8,
    cases=[
        (WHITE_PAPER,),
        (BLACK_BOARD,),
        (GRAY_PAPER,),
        (DARK_INK,),
        (BRIGHT_INK,),
        (MUCH_INK,),
        (floats([[0.2, 0.9, 0.9, 0.9]]),),
    ],
    random_case=_random_page,
    right="a network that has learned bright ink reads dark ink as the paper's shape: this one "
    "line decides between reading and guessing.",
    hint="most of a page is paper, so np.median(page) is the paper. Above 0.5 it is light, and the "
    "page is turned around: 1 - page.",
)
def white_on_black(page):
    """Return a page with bright ink on dark paper: turned around if its paper is light.

    page (rows, columns) has pixels from 0 (black) to 1 (white). The paper is light if the median of
    all pixels is above 0.5.
    """
    return 1 - page if np.median(page) > 0.5 else page.copy()


@white_on_black.mistake(
    "you always turn the page around: a chalkboard has bright ink already, and stays as it is."
)
def _(page):
    return 1 - page


@white_on_black.mistake(
    "you never turn the page around: where the paper is light, return 1 - page."
)
def _(page):
    return page.copy()


@white_on_black.mistake(
    "the wrong pages are turned around: it is light paper (a median above 0.5) that becomes dark."
)
def _(page):
    return page.copy() if np.median(page) > 0.5 else 1 - page


@white_on_black.mistake(
    "you ask the mean, which a lot of ink pulls away from the paper: ask the median."
)
def _(page):
    return 1 - page if page.mean() > 0.5 else page.copy()


@white_on_black.mistake(
    "you ask the pixel in the corner, where there may be ink: ask the median of all pixels."
)
def _(page):
    return 1 - page if page[0, 0] > 0.5 else page.copy()


@white_on_black.mistake(
    "pixels go from 0 to 1 here, so the opposite is 1 - page; 255 - page is for bytes."
)
def _(page):
    return 255 - page if np.median(page) > 0.5 else page.copy()


@white_on_black.mistake("-page is not the opposite: black, 0, must become white, 1. Use 1 - page.")
def _(page):
    return -page if np.median(page) > 0.5 else page.copy()


@white_on_black.mistake(
    "you return black and white only: keep the grays, which make the edges of strokes smooth."
)
def _(page):
    ink = 1 - page if np.median(page) > 0.5 else page
    return (ink > 0.5).astype(float)


# ---------------------------------------------------------------------------------------------

SMALL_STROKE = floats([[0, 0, 0, 0], [0, 0.2, 0.9, 0], [0, 0, 0.8, 0]])
TO_THE_BORDER = floats([[0, 0.6, 0], [0, 0.7, 0.9]])
WITH_A_HOLE = floats([[0, 0, 0, 0, 0], [0, 0.9, 0, 0.7, 0], [0, 0, 0, 0, 0], [0, 0.8, 0, 0, 0]])
EXACTLY = floats([[0.5, 0, 0], [0, 0.9, 0], [0, 0.6, 0]])


def _random_ink(rng):
    image = rng.choice([0.0, 0.1, 0.3], (5, 6))
    rows, columns = np.sort(rng.integers(0, 5, 2)), np.sort(rng.integers(0, 6, 2))
    image[rows[0], columns[0]] = image[rows[1], columns[1]] = 0.9
    return (image, 0.5)


def _box(image, threshold):
    rows = np.flatnonzero((image > threshold).any(axis=1))
    columns = np.flatnonzero((image > threshold).any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


@exercise(
    lesson=8,
    cases=[
        # image, threshold
        (SMALL_STROKE, 0.5),
        (TO_THE_BORDER, 0.5),
        (WITH_A_HOLE, 0.5),
        (EXACTLY, 0.5),
        (SMALL_STROKE, 0.1),
        (floats([[0, 0, 0], [0, 0, 0.7]]), 0.3),
    ],
    random_case=_random_ink,
    right="after this it no longer matters where on the page the digit was written, nor how large "
    "the page is.",
    hint="(image > threshold).any(axis=1) says for each row whether there is ink in it; the first "
    "and the last True are the box. np.flatnonzero gives their positions.",
)
def crop_to_ink(image, threshold):
    """Cut out the smallest box of rows and columns that holds every pixel above the threshold.

    image (rows, columns) has ink 1 on 0. Return the part of the image, with all its grays.
    """
    top, bottom, left, right = _box(image, threshold)
    return image[top : bottom + 1, left : right + 1].copy()


@crop_to_ink.mistake(
    "the last row and the last column of ink are missing: a slice ends before its second number, "
    "so add 1."
)
def _(image, threshold):
    top, bottom, left, right = _box(image, threshold)
    return image[top:bottom, left:right].copy()


@crop_to_ink.mistake("the last row of ink is missing: rows need the + 1 as well as columns.")
def _(image, threshold):
    top, bottom, left, right = _box(image, threshold)
    return image[top:bottom, left : right + 1].copy()


@crop_to_ink.mistake("the last column of ink is missing: columns need the + 1 as well as rows.")
def _(image, threshold):
    top, bottom, left, right = _box(image, threshold)
    return image[top : bottom + 1, left:right].copy()


@crop_to_ink.mistake(
    "you take out every empty row and column, also those inside of the digit: its parts move "
    "together. Keep all between the first and the last."
)
def _(image, threshold):
    ink = image > threshold
    return image[ink.any(axis=1)][:, ink.any(axis=0)]


@crop_to_ink.mistake(
    "the threshold is not used: any faint gray counts as ink, and a spot of shadow widens the box."
)
def _(image, threshold):
    top, bottom, left, right = _box(image, 0)
    return image[top : bottom + 1, left : right + 1].copy()


@crop_to_ink.mistake("a pixel exactly at the threshold is not above it: compare with >, not >=.")
def _(image, threshold):
    rows = np.flatnonzero((image >= threshold).any(axis=1))
    columns = np.flatnonzero((image >= threshold).any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@crop_to_ink.mistake("you return where there is ink, not how much: cut the box out of the image.")
def _(image, threshold):
    top, bottom, left, right = _box(image, threshold)
    return (image > threshold)[top : bottom + 1, left : right + 1].astype(float)


@crop_to_ink.mistake("your box has a border of one empty pixel all around: cut right at the ink.")
def _(image, threshold):
    top, bottom, left, right = _box(image, threshold)
    return image[max(top - 1, 0) : bottom + 2, max(left - 1, 0) : right + 2]


# ---------------------------------------------------------------------------------------------


def _around(*rows, size=8, top=1, left=1):
    """Put a small pattern into a dark square."""
    pattern = floats(list(rows))
    image = np.zeros((size, size))
    image[top : top + pattern.shape[0], left : left + pattern.shape[1]] = pattern
    return image


def _random_square(rng):
    while True:  # a center of mass halfway between two pixels could be rounded either way
        pattern = rng.integers(0, 4, (3, 3)).astype(float)
        pattern[1, 1] = 4
        top, left = rng.integers(0, 6, 2)
        image = _around(*pattern, top=top, left=left)
        center = np.array(_center(image))
        if np.abs(center % 1 - 0.5).min() > 0.05:
            return (image,)


def _center(image):
    total = image.sum()
    rows, columns = np.arange(image.shape[0]), np.arange(image.shape[1])
    return (image.sum(axis=1) @ rows) / total, (image.sum(axis=0) @ columns) / total


def _moved(image, down, right):
    """Move an image by whole pixels; zeros come in."""
    result = np.zeros_like(image)
    height, width = image.shape
    for i in range(height):
        for j in range(width):
            if 0 <= i - down < height and 0 <= j - right < width:
                result[i, j] = image[i - down, j - right]
    return result


def _whole(*distances):
    return [int(np.rint(distance)) for distance in distances]


def _to_middle(image, center):
    return _whole(image.shape[0] / 2 - center[0], image.shape[1] / 2 - center[1])


@exercise(
    lesson=8,
    cases=[
        (_around([1, 0], [1, 1], size=6),),
        (_around([4], [4], [4], size=6, top=3, left=5),),
        (_around([9, 1, 1, 1], size=8, top=6, left=0),),
        (_around([1, 1, 1, 1, 1, 9], size=8, top=0, left=2),),
        (_around([1, 1, 1], [1, 9, 1], [1, 1, 1], size=8, top=3, left=3),),
        (_around([9], [1], [1], [1], [1], [1], [1], size=8, top=0, left=2),),
    ],
    random_case=_random_square,
    right="MNIST was centered in this way, so a network trained on it expects the ink, not the "
    "box, to balance in the middle.",
    hint="the center of mass along the rows is sum(row number * ink) / sum(ink). The distance from "
    "there to rows / 2, rounded, is how far everything moves down. Then copy into zeros.",
)
def center_ink(image):
    """Move an image by whole pixels so that its ink balances on row H / 2 and column W / 2.

    image (H, W) has ink on 0. The center of mass is sum(position * ink) / sum(ink), along rows and
    along columns; the way to the middle is rounded to whole pixels. Zeros come in at the borders,
    and what leaves the image is lost.
    """
    return _moved(image, *_to_middle(image, _center(image)))


@center_ink.mistake(
    "np.roll brings back on one side what leaves on the other: zeros should come in, and what "
    "leaves is lost."
)
def _(image):
    return np.roll(image, _to_middle(image, _center(image)), axis=(0, 1))


@center_ink.mistake(
    "you center the box around the ink: a heavy stroke on one side should pull. Weight each "
    "position by its ink."
)
def _(image):
    top, bottom, left, right = _box(image, 0)
    return _moved(image, *_to_middle(image, ((top + bottom) / 2, (left + right) / 2)))


@center_ink.mistake(
    "every pixel with some ink counts the same: weight its position by how much ink there is."
)
def _(image):
    return _moved(image, *_to_middle(image, _center((image > 0).astype(float))))


@center_ink.mistake(
    "it moves away from the middle: the way is middle - center, not center - middle."
)
def _(image):
    down, right = _to_middle(image, _center(image))
    return _moved(image, -down, -right)


@center_ink.mistake(
    "rows and columns have changed places: the first shift goes down, along axis 0."
)
def _(image):
    down, right = _to_middle(image, _center(image))
    return _moved(image, right, down)


@center_ink.mistake("only the rows are centered: move along the columns, too.")
def _(image):
    return _moved(image, _to_middle(image, _center(image))[0], 0)


@center_ink.mistake("only the columns are centered: move along the rows, too.")
def _(image):
    return _moved(image, 0, _to_middle(image, _center(image))[1])


@center_ink.mistake(
    "the way is cut off, not rounded: int(2.7) is 2. Use round(...) or np.rint(...)."
)
def _(image):
    row, column = _center(image)
    return _moved(image, int(image.shape[0] / 2 - row), int(image.shape[1] / 2 - column))


@center_ink.mistake(
    "your middle is (H - 1) / 2: as in MNIST, the ink is to balance on row H / 2 and column W / 2, "
    "counted from 0."
)
def _(image):
    row, column = _center(image)
    height, width = image.shape
    return _moved(image, *_whole((height - 1) / 2 - row, (width - 1) / 2 - column))


# ---------------------------------------------------------------------------------------------

ALONE = floats([1, 2, 5, 9, 10]), np.array([0, 0, 1, 1, 1])


def _random_examples(rng):
    while True:  # no value halfway between two means, whoever is left out
        labels = np.concatenate([[0, 0, 1, 1], rng.integers(0, 2, 2)])
        values = rng.integers(0, 12, 6) + 5.0 * labels
        gaps = [
            abs(abs(values[i] - a) - abs(values[i] - b))
            for i in range(6)
            for without in (True, False)
            for a, b in [_two_means(values, labels, i if without else None)]
        ]
        if min(gaps) > 0.01:
            return values, labels


def _two_means(values, labels, left_out):
    kept = np.arange(len(values)) != left_out
    return [values[kept & (labels == k)].mean() for k in (0, 1)]


def _guess(value, means):
    return int(abs(value - means[1]) < abs(value - means[0]))


@exercise(
    lesson=8,
    cases=[
        # values, labels
        ALONE,
        (floats([0, 5, 6, 10]), np.array([0, 0, 1, 1])),
        (floats([0, 3, 4, 7]), np.array([0, 1, 0, 1])),
        (floats([8, 1, 9, 2, 4, 7]), np.array([1, 0, 1, 0, 0, 0])),
        (floats([1, 2, 8, 9, 3]), np.array([0, 0, 1, 1, 1])),
    ],
    random_case=_random_examples,
    right="the value asked about had no part in the means. All that leave-one-out costs is one "
    "training for each example.",
    hint="for each i, first make the arrays without it: np.delete(values, i) and np.delete(labels, "
    "i). Then the two means, then the guess for values[i].",
)
def honest_share(values, labels):
    """Return the share of values that the others would label right: leave-one-out.

    values (N,) are numbers, labels (N,) are 0 or 1, at least two of each. To label a value, take
    the mean of the *other* values of each class, and choose the class whose mean is nearer.
    """
    right = [
        _guess(value, _two_means(values, labels, i)) == label
        for i, (value, label) in enumerate(zip(values, labels, strict=True))
    ]
    return float(np.mean(right))


@honest_share.mistake(
    "this leaks: the value you ask about is in the mean of its own class, which comes nearer for "
    "it. Leave it out before you take the means."
)
def _(values, labels):
    means = _two_means(values, labels, None)
    return np.mean([_guess(v, means) == k for v, k in zip(values, labels, strict=True)])


@honest_share.mistake("you count: divide by how many values there are.")
def _(values, labels):
    return honest_share.reference(values, labels) * len(values)


@honest_share.mistake("that is the share of wrong answers: you want the right ones.")
def _(values, labels):
    return 1 - honest_share.reference(values, labels)


@honest_share.mistake(
    "that is the nearest other value: compare with the means of the two classes instead."
)
def _(values, labels):
    distances = np.abs(values[:, None] - values) + np.diag(np.full(len(values), np.inf))
    return np.mean(labels[distances.argmin(axis=1)] == labels)


@honest_share.mistake(
    "once left out, a value stays out: each one is left out alone, so begin with all values again."
)
def _(values, labels):
    right, kept = [], np.ones(len(values), bool)
    for i in range(len(values)):
        kept[i] = False
        means = [values[kept & (labels == k)].mean() for k in (0, 1)]
        right.append(_guess(values[i], means) == labels[i])
    return np.mean(right)


@honest_share.mistake(
    "you judge the values that were learned from: with value i left out, ask about value i alone."
)
def _(values, labels):
    shares = []
    for i in range(len(values)):
        means = _two_means(values, labels, i)
        others = np.delete(np.arange(len(values)), i)
        shares.append(np.mean([_guess(values[j], means) == labels[j] for j in others]))
    return np.mean(shares)


@honest_share.mistake(
    "without value i, you ask about all values: most of them are in the means. Ask about value i "
    "alone."
)
def _(values, labels):
    shares = []
    for i in range(len(values)):
        means = _two_means(values, labels, i)
        shares.append(np.mean([_guess(v, means) == k for v, k in zip(values, labels, strict=True)]))
    return np.mean(shares)
