"""Arrays as cells with their numbers in them: the base of every worked example."""

import numpy as np
from matplotlib.collections import LineCollection

from cnnedu.visualization.colors import FRAME_COLORS, Scale, scale_for
from cnnedu.visualization.figures import bare, frame

MINUS = "\N{MINUS SIGN}"
MOST_CELLS = 1600


def format_numbers(array: np.ndarray, digits: int | None = None) -> np.ndarray:
    """Return the numbers of an array as text: whole ones without a point, others equally long."""
    array = np.asarray(array)
    if digits is None:
        digits = choose_digits(array)
    if digits < 0:
        texts = [f"{value:.1e}" for value in array.ravel()]
    else:
        texts = [f"{value:.{digits}f}" for value in array.ravel()]
    texts = [_tidy(text) for text in texts]
    return np.array(texts, dtype=object).reshape(array.shape)


def choose_digits(array: np.ndarray) -> int:
    """Return how many digits after the point an array needs to be read; -1 for powers of ten."""
    largest = float(np.abs(array).max())
    if array.dtype.kind in "iu" or np.array_equal(array, np.round(array)):
        return 0 if largest < 1e6 else -1
    if largest < 0.01 or largest >= 1e5:
        return -1
    exact_in_one = np.allclose(array * 10, np.round(array * 10), rtol=0, atol=1e-6)
    if exact_in_one or largest >= 10:
        return 1
    return 2


def _tidy(text: str) -> str:
    if float(text) == 0:
        text = text.replace("-", "")
    return text.replace("-", MINUS)


def letters_for(cell: float, texts) -> float:
    """Return the size of letters (points) that fit cells of `cell` inches."""
    longest = max((len(text) for text in np.ravel(texts)), default=1)
    return min(13.0, cell * 72 * 0.45, cell * 72 * 0.86 / (0.64 * max(longest, 1)))


def fit_letters(texts, cell: float, ends: np.ndarray, digits: int) -> None:
    """Give all texts the size at which the longest of the numbers to come, at one end, will fit."""
    letters = letters_for(cell, format_numbers(ends, digits))
    for text in texts:
        text.set_size(letters)


def draw_cells(
    ax,
    array: np.ndarray,
    cell: float,
    *,
    scale: Scale | None = None,
    numbers: bool = True,
    digits: int | None = None,
    title: str = "",
):
    """Draw an array as colored cells of `cell` inches, with numbers; return (image, texts)."""
    scale = scale or scale_for([array])
    image = ax.imshow(array, cmap=scale.cmap, vmin=scale.low, vmax=scale.high, aspect="equal")
    draw_rules(ax, array.shape)
    texts = []
    if numbers:
        written = format_numbers(array, digits)
        letters = letters_for(cell, written)
        for (row, column), text in np.ndenumerate(written):
            ink = scale.ink(array[row, column])
            texts.append(
                ax.text(
                    column, row, text, ha="center", va="center_baseline", color=ink, size=letters
                )
            )
    bare(ax, title)
    return image, texts


def draw_rules(ax, shape: tuple[int, int]) -> None:
    """Draw thin lines between cells."""
    rows, columns = shape
    lines = [[(-0.5, r - 0.5), (columns - 0.5, r - 0.5)] for r in range(1, rows)]
    lines += [[(c - 0.5, -0.5), (c - 0.5, rows - 0.5)] for c in range(1, columns)]
    width = 0.8 if max(shape) <= 16 else 0.3
    ax.add_collection(LineCollection(lines, colors="0.35", linewidths=width, zorder=2))


def read_box(box, shape: tuple[int, int], name: str = "highlight") -> tuple[int, int, int, int]:
    """Return (top, left, height, width) of a pair (rows, columns) of slices or numbers."""
    if not isinstance(box, tuple | list) or len(box) != 2:
        raise ValueError(
            f"{name} must be a pair (rows, columns) of slices or numbers, such as "
            f"(slice(0, 3), slice(1, 4)), but it is {box!r}"
        )
    spans = []
    for part, length, what in zip(box, shape, ("rows", "columns"), strict=True):
        if isinstance(part, int | np.integer) and not isinstance(part, bool):
            part = slice(part, part + 1)
        is_slice = isinstance(part, slice) and part.step in (None, 1)
        start = (part.start or 0) if is_slice else 0
        stop = (length if part.stop is None else part.stop) if is_slice else 0
        if not 0 <= start < stop <= length:
            raise ValueError(
                f"{name}: {what} must be a number or a slice within 0 .. {length}, "
                f"but it is {part!r}"
            )
        spans.append((int(start), int(stop - start)))
    (top, height), (left, width) = spans
    return top, left, height, width


def read_boxes(highlight, shape: tuple[int, int]) -> list[tuple[int, int, int, int]]:
    """Return the boxes of a `highlight` argument: None, one pair, or a list of pairs."""
    if highlight is None:
        return []
    if isinstance(highlight, tuple):
        highlight = [highlight]
    return [read_box(box, shape) for box in highlight]


def draw_boxes(ax, boxes) -> None:
    """Frame each of the boxes in a color of its own."""
    for index, box in enumerate(boxes):
        frame(ax, *box, FRAME_COLORS[index % len(FRAME_COLORS)], thickness=2.4)


def rows_text(array: np.ndarray, most: int = 64) -> str:
    """Return the numbers of a small array as text, row by row; of a large one only the shape."""
    array = np.atleast_2d(array)
    if array.size > most:
        return f"{array.shape[0]} x {array.shape[1]} numbers"
    written = format_numbers(array)
    return "; ".join(" ".join(row) for row in written)
