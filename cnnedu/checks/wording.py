"""Print inputs and answers so that a counterexample can be read at a glance.

Whole numbers are printed without a decimal point, floats with four digits, arrays as rows under
each other; what is too large to read is named by its shape. Nothing printed changes from one run
to the next.
"""

import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from cnnedu.checks.answers import as_numbers, describe

WIDTH = 86
LARGEST_SHOWN = 64  # array elements


def paragraph(mark: str, text: str) -> str:
    """Wrap a sentence behind its mark, the following lines indented under the first.

    Parameters
    ----------
    mark : str
        One character: ○, ✓ or ✗.
    text : str
        The sentence.

    Returns
    -------
    str
    """
    return textwrap.fill(f"{mark} {text}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Set labels and (possibly many-line) values in two columns.

    Parameters
    ----------
    rows : iterable of (label, text)
        For example ``("kernel =", "[1 0 -1]")``.

    Returns
    -------
    str
        Every line indented by two spaces.
    """
    rows = list(rows)
    width = max((len(label) for label, _ in rows), default=0)
    lines = []
    for label, text in rows:
        first, *others = text.splitlines() or [""]
        lines.append(f"  {label:<{width}} {first}")
        lines.extend(f"  {'':<{width}} {line}" for line in others)
    return "\n".join(line.rstrip() for line in lines)


def show(value: Any, digits: int = 4) -> str:
    """Format any input or answer as stable, readable text.

    Parameters
    ----------
    value : object
        A number, an array, a dictionary of arrays, a random generator, ...
    digits : int
        Significant digits of floats.

    Returns
    -------
    str
        One line, or one line per row of an array.

    Examples
    --------
    >>> print(show(np.array([[1.0, 2.5], [-3.0, 4.0]])))
    [[  1 2.5]
     [ -3   4]]
    """
    if isinstance(value, np.random.Generator):
        return "a random generator"
    if isinstance(value, (bool, np.bool_, str)) or value is None:
        return repr(value if not isinstance(value, np.bool_) else bool(value))[:60]
    if isinstance(value, dict):
        items = (f"{name!r}: {show(item, digits)}" for name, item in value.items())
        return textwrap.fill("{" + ", ".join(items) + "}", WIDTH - 16, subsequent_indent=" ")
    if isinstance(value, (tuple, list)) and (not len(value) or as_numbers(value) is None):
        return _show_sequence(value, digits)
    array = as_numbers(value)
    if array is None:
        return describe(value)
    if array.size > LARGEST_SHOWN:
        return f"an array of shape {array.shape}"
    if array.ndim == 0:
        return _number(array[()], digits)
    if isinstance(value, (tuple, list)) and array.ndim == 1:
        return _show_sequence(value, digits)
    return _show_array(array, digits)


def show_both(expected: Any, answer: Any) -> tuple[str, str]:
    """Format two different answers with as many digits as it takes to see the difference.

    Parameters
    ----------
    expected, answer : object
        The right answer and the learner's.

    Returns
    -------
    tuple of str
    """
    for digits in (4, 8, 16):
        texts = show(expected, digits), show(answer, digits)
        if texts[0] != texts[1]:
            break
    if texts[0] == texts[1] and isinstance(answer, (float, np.floating)):
        return texts[0], repr(float(answer))
    return texts


def first_difference(expected: Any, answer: Any) -> str | None:
    """Point at the first wrong element of an array too large to compare by eye.

    Parameters
    ----------
    expected, answer : object
        The right answer and the learner's.

    Returns
    -------
    str or None
        None for small arrays, equal ones, and ones of different shapes.
    """
    right, given = as_numbers(expected), as_numbers(answer)
    if right is None or given is None or right.shape != given.shape or right.size < 10:
        return None
    wrong = np.argwhere(~np.isclose(given, right, rtol=1e-5, atol=1e-5))
    if not len(wrong):
        return None
    position = tuple(int(index) for index in wrong[0])
    texts = show_both(right[position], given[position])
    return f"{list(position)}: expected {texts[0]}, yours {texts[1]}"


def _number(number: Any, digits: int) -> str:
    if isinstance(number, (bool, np.bool_)):
        return str(bool(number))
    number = float(number)
    if number.is_integer() and abs(number) < 1e9:
        return str(int(number))
    return f"{number:.{digits}g}"


def _show_array(array: np.ndarray, digits: int) -> str:
    if array.size == 0:
        return f"an empty array of shape {array.shape}"
    width = 0 if array.ndim == 1 else max(len(_number(item, digits)) for item in array.flat)
    text = np.array2string(
        array,
        max_line_width=WIDTH - 14,
        threshold=LARGEST_SHOWN + 1,
        formatter={"all": lambda item: f"{_number(item, digits):>{width}}"},
    )
    return "\n".join(line for line in text.splitlines() if line.strip())


def _show_sequence(values: tuple | list, digits: int) -> str:
    left, right = "()" if isinstance(values, tuple) else "[]"
    items = ", ".join(show(item, digits) for item in values)
    if len(items) > 400:
        return describe(values)
    return textwrap.fill(left + items + right, WIDTH - 14, subsequent_indent=" ")
