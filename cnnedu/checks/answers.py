"""Compare a learner's answer with the expected one, and put the difference into words.

Answers are numbers, arrays, tuples of them, or dictionaries of them. Lists of numbers are
welcome where an array is expected; a float is not welcome where a whole number is.
"""

from numbers import Integral, Real
from typing import Any

import numpy as np

RELATIVE_TOLERANCE = 1e-5
ABSOLUTE_TOLERANCE = 1e-5  # a float32 answer is as good as a float64 one


def difference(expected: Any, answer: Any) -> str | None:
    """Say in one sentence how an answer differs from the expected one.

    Parameters
    ----------
    expected : int, float, numpy.ndarray, tuple or dict
        The right answer; its type decides how the other one is read.
    answer : object
        Whatever the learner's function returned.

    Returns
    -------
    str or None
        None where the two agree (numbers to about five digits).
    """
    if isinstance(expected, dict):
        return _dict_difference(expected, answer)
    if isinstance(expected, tuple):
        return _tuple_difference(expected, answer)
    if isinstance(expected, np.ndarray):
        return _array_difference(expected, answer)
    return _number_difference(expected, answer)


def same(one: Any, other: Any) -> bool:
    """Whether two answers hold the same values, be they integers or floats, NaN or not.

    Parameters
    ----------
    one, other : object
        Two answers, of any kind.

    Returns
    -------
    bool
    """
    if isinstance(one, dict) or isinstance(other, dict):
        if not (isinstance(one, dict) and isinstance(other, dict)):
            return False
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    left, right = as_numbers(one), as_numbers(other)
    if left is not None and right is not None:
        return left.shape == right.shape and _close(left, right)
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return one is None and other is None


def as_numbers(answer: Any) -> np.ndarray | None:
    """Read an answer as an array of numbers.

    Parameters
    ----------
    answer : object
        A number, an array, or (nested) lists or tuples of numbers.

    Returns
    -------
    numpy.ndarray or None
        None if it is anything else: text, None, lists of unequal length, ...
    """
    if not isinstance(answer, (np.ndarray, np.generic, list, tuple, Real)):
        return None
    try:
        array = np.asarray(answer)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def describe(value: Any) -> str:
    """Name what a value is: "an array of shape (2, 3)", "the text 'five'", "None".

    Parameters
    ----------
    value : object
        Anything a function may return.

    Returns
    -------
    str
        Without memory addresses, so that the text is the same in every run.
    """
    if value is None:
        return "None"
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.ndarray):
        kind = (
            "an array" if value.dtype.kind in "biuf" else f"an array of {value.dtype.name} values"
        )
        return f"{kind} of shape {value.shape}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    if isinstance(value, (bool, np.bool_)):
        return f"the truth value {bool(value)}"
    if isinstance(value, Integral):
        return f"the integer {int(value)}" if abs(value) < 10**18 else "a huge integer"
    if isinstance(value, (Real, np.floating)):
        return f"the float {float(value):.6g}"
    if isinstance(value, type) or callable(value):
        return f"{'the class' if isinstance(value, type) else 'the function'} " + getattr(
            value, "__name__", type(value).__name__
        )
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of length {len(value)}"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def _close(left: np.ndarray, right: np.ndarray) -> bool:
    return np.allclose(
        left, right, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE, equal_nan=True
    )


def _number_difference(expected: Real, answer: Any) -> str | None:
    number = as_numbers(answer)
    whole = isinstance(expected, Integral)
    wanted = "a whole number" if whole else "a single number"
    if number is None or isinstance(answer, (bool, np.bool_)):
        return f"the answer is {wanted}, but your function returns {describe(answer)}"
    if number.shape != ():
        return f"the answer is {wanted}, but yours has the shape {number.shape}"
    if not np.isfinite(number):
        return f"your answer is {float(number)}, not a finite number"
    if not _close(number, np.asarray(expected)):
        return "the value is not the right one yet"
    if whole and number.dtype.kind == "f":
        return (
            f"the number is right, but it is the float {float(number)}: "
            "sizes, counts and positions must be integers (divide with //)"
        )
    return None


def _array_difference(expected: np.ndarray, answer: Any) -> str | None:
    array = as_numbers(answer)
    if array is None:
        wanted = f"an array of shape {expected.shape}"
        return f"the answer is {wanted}, but your function returns {describe(answer)}"
    if array.shape != expected.shape:
        wanted = f"the shape should be {expected.shape}, but yours is {array.shape}"
        return wanted + _off_by_one(expected.shape, array.shape)
    wrong = ~np.isfinite(array)
    if wrong.any():
        kind = "NaN (not a number)" if np.isnan(array).any() else "infinity"
        return f"your answer contains {kind} in {wrong.sum()} of {array.size} places"
    if not _close(array, expected) and array.size == 1:
        return "the shape is right, but the value is not"
    if not _close(array, expected):
        bad = np.count_nonzero(
            ~np.isclose(array, expected, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE)
        )
        return f"the shape is right, but {bad} of {array.size} values are not"
    return None


def _off_by_one(expected: tuple[int, ...], given: tuple[int, ...]) -> str:
    """Point out a shape that is one too small, or one too large, along some axes."""
    if len(expected) != len(given):
        return ""
    steps = {b - a for a, b in zip(expected, given, strict=True)}
    if steps <= {0, -1}:
        return ": one too few, does a loop stop a step too early?"
    return ": one too many, does a loop go a step too far?" if steps <= {0, 1} else ""


def _tuple_difference(expected: tuple, answer: Any) -> str | None:
    wanted = f"a tuple of {len(expected)} values"
    if isinstance(answer, np.ndarray) and answer.ndim == 1:
        answer = tuple(answer)
    if not isinstance(answer, (tuple, list)):
        return f"the answer is {wanted}, but your function returns {describe(answer)}"
    if len(answer) != len(expected):
        return f"the answer is {wanted}, but yours has {len(answer)}"
    for position, (right, given) in enumerate(zip(expected, answer, strict=True)):
        complaint = difference(right, given)
        if complaint:
            return f"at position {position} of the tuple: {complaint}"
    return None


def _dict_difference(expected: dict, answer: Any) -> str | None:
    if not isinstance(answer, dict):
        return f"the answer is a dictionary, but your function returns {describe(answer)}"
    if answer.keys() != expected.keys():
        names = ", ".join(map(repr, expected))
        given = ", ".join(map(repr, answer)) or "none at all"
        return f"the dictionary should have the names {names}, but yours has {given}"
    for name, right in expected.items():
        complaint = difference(right, answer[name])
        if complaint:
            return f"at {name!r}: {complaint}"
    return None
