"""Every shape rule of the package, and the wording of every error about a shape.

The one formula to remember (lesson 1): along each axis

    output = (size + padding_before + padding_after - dilation * (kernel - 1) - 1) // stride + 1
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def pair(value: Any, name: str, *, minimum: int = 1) -> tuple[int, int]:
    """Read one whole number, or a pair of them, as (rows, columns).

    Parameters
    ----------
    value : int or pair of int
        ``3`` means ``(3, 3)``.
    name : str
        What the value is called, for the error message.
    minimum : int
        The smallest value allowed.

    Returns
    -------
    tuple of int
        (rows, columns).

    Raises
    ------
    TypeError
        If the value is not made of whole numbers.
    ValueError
        If there are not one or two of them, or one is below the minimum.
    """
    values = tuple(value) if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
    for number in values:
        if isinstance(number, bool) or not isinstance(number, numbers.Integral):
            raise TypeError(
                f"{name} must be a whole number or a pair (rows, columns) of them, got {value!r}"
            )
    if len(values) != 2:
        raise ValueError(
            f"{name} must be one number or a pair (rows, columns), got {len(values)} "
            f"numbers: {value!r}"
        )
    if min(values) < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value!r}")
    return int(values[0]), int(values[1])


def positive(value: Any, name: str) -> int:
    """Check that ``value`` is a whole number of at least 1, and return it as an int."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {value!r}")
    return int(value)


def check_padding(padding: Any) -> str | tuple[int, int]:
    """Read a padding: ``"valid"``, ``"same"``, a number, or a pair (rows, columns)."""
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f'padding must be a number, a pair, "valid" or "same", got {padding!r}'
            )
        return padding
    return pair(padding, "padding", minimum=0)


def padding_amounts(
    size: int, kernel: int, stride: int, padding: int | str, dilation: int = 1
) -> tuple[int, int]:
    """Zeros to add before and after one axis.

    ``"same"`` gives ``ceil(size / stride)`` outputs; when the zeros do not divide evenly, the extra
    one goes after (bottom, right), as TensorFlow and PyTorch do.

    Parameters
    ----------
    size, kernel, stride, dilation : int
        Of this axis, in pixels.
    padding : int or {"valid", "same"}
        Zeros on each side, or the rule.

    Returns
    -------
    tuple of int
        (before, after).
    """
    if padding == "valid":
        return 0, 0
    if padding == "same":
        reach = dilation * (kernel - 1) + 1
        outputs = -(-size // stride)
        total = max((outputs - 1) * stride + reach - size, 0)
        return total // 2, total - total // 2
    return padding, padding


def output_size(
    size: int, kernel: int, stride: int = 1, padding: int | str = 0, dilation: int = 1
) -> int:
    """Count the places where a kernel fits along one axis.

    ``output = (size + before + after - dilation * (kernel - 1) - 1) // stride + 1``
    (Dumoulin and Visin, 2016; lesson 1).

    Parameters
    ----------
    size, kernel, stride, dilation : int
        Of this axis, in pixels.
    padding : int or {"valid", "same"}
        Zeros on each side, or the rule.

    Returns
    -------
    int
        The number of outputs.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded input.

    Examples
    --------
    >>> output_size(28, 3), output_size(28, 5, stride=2), output_size(28, 5, padding="same")
    (26, 12, 28)
    """
    before, after = padding_amounts(size, kernel, stride, padding, dilation)
    reach = dilation * (kernel - 1) + 1
    room = size + before + after - reach
    if room < 0:
        raise ValueError(
            f"the kernel does not fit: it reaches over {reach} pixels (kernel {kernel}, dilation "
            f"{dilation}) but the input has {size} plus {before + after} of padding; "
            "use a smaller kernel, more padding or a larger image"
        )
    return room // stride + 1


def check_float(array: Any, name: str) -> np.ndarray:
    """Check that ``array`` is a NumPy array of float32 or float64."""
    if not isinstance(array, np.ndarray):
        remedy = f"np.asarray({name}, np.float32)"
        if hasattr(array, "images"):
            remedy = "its images: data.test.images"
        raise TypeError(f"{name} must be a NumPy array, got {type(array).__name__}; use {remedy}")
    if array.dtype not in FLOATS:
        remedy = f"{name}.astype(np.float32)"
        if array.dtype.kind in "ui" and name in ("x", "images"):
            remedy += ", and divide images by 255 so that they lie in [0, 1]"
        raise TypeError(f"{name} must be float32 or float64, got {array.dtype}; use {remedy}")
    return array


def check_dtype(dtype: Any) -> np.dtype:
    """Check that ``dtype`` is float32 or float64."""
    if np.dtype(dtype) not in FLOATS:
        raise TypeError(f"dtype must be np.float32 or np.float64, got {np.dtype(dtype)}")
    return np.dtype(dtype)


def check_rng(rng: Any) -> np.random.Generator:
    """Check that ``rng`` is one of NumPy's random generators."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a generator, like np.random.default_rng(0), got {rng!r}")
    return rng


def check_images(x: Any, channels: int | None = None, name: str = "x") -> np.ndarray:
    """Check that ``x`` is a batch of images, float (N, C, H, W), with at least one of them."""
    x = check_float(x, name)
    if x.ndim != 4:
        remedy = {
            2: f"a single image: use {name}[None, None]",
            3: f"a batch without a channel axis: use {name}[:, None] (or {name}[None] if the first "
            "axis holds the channels of one image)",
        }.get(x.ndim, "reshape it")
        raise ValueError(
            f"{name} must have shape (images, channels, rows, columns), got {x.shape}: {remedy}"
        )
    if channels is not None and x.shape[1] != channels:
        raise ValueError(
            f"{name} must have {channels} channel{'s' * (channels != 1)} (axis 1), "
            f"got shape {x.shape} with {x.shape[1]}"
        )
    if 0 in x.shape:
        raise ValueError(f"{name} is empty: its shape is {x.shape}")
    return x


def check_vectors(x: Any, features: int | None = None, name: str = "x") -> np.ndarray:
    """Check that ``x`` is a batch of vectors, float (N, features), with at least one of them."""
    x = check_float(x, name)
    if x.ndim != 2:
        remedy = "put Flatten() before this layer" if x.ndim == 4 else f"use {name}[None] for one"
        raise ValueError(f"{name} must have shape (images, features), got {x.shape}: {remedy}")
    if features is not None and x.shape[1] != features:
        raise ValueError(
            f"{name} must have {features} features (axis 1), got shape {x.shape} with {x.shape[1]}"
        )
    if 0 in x.shape:
        raise ValueError(f"{name} is empty: its shape is {x.shape}")
    return x


def check_finite(array: np.ndarray, name: str) -> np.ndarray:
    """Check that there is no NaN and no infinity in ``array``."""
    # The sum is not finite as soon as one value is not: no array of booleans is needed.
    # It may also overflow on huge finite values; only then is every value looked at.
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float64)
    if not np.isfinite(total) and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))[0]
        place = ", ".join(str(int(index)) for index in bad)
        raise ValueError(
            f"{name} must be finite, got {array[tuple(bad)]} at [{place}]; "
            "look for a division by zero or a missing value where the array was made"
        )
    return array


def check_labels(labels: Any, count: int, classes: int | None = None) -> np.ndarray:
    """Check that ``labels`` are ``count`` whole numbers from 0 to ``classes`` - 1; return int64."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or len(labels) != count:
        remedy = ""
        if labels.ndim == 2 and len(labels) == count:
            remedy = "; one-hot rows become class numbers by labels.argmax(axis=1)"
        raise ValueError(
            f"labels must have shape ({count},), one class number per image, got {labels.shape}"
            + remedy
        )
    if labels.dtype.kind not in "ui":
        raise TypeError(
            f"labels must be whole numbers, got {labels.dtype}; use labels.astype(np.int64)"
        )
    labels = labels.astype(np.int64, copy=False)
    # As numbers without a sign, negative ones are huge: one comparison finds all that are wrong.
    if classes is not None and count and labels.view(np.uint64).max() >= classes:
        wrong = labels[(labels < 0) | (labels >= classes)][0]
        raise ValueError(
            f"labels must lie between 0 and {classes - 1} (the network has {classes} outputs), "
            f"got {int(wrong)}"
        )
    return labels


def images_last(x: np.ndarray) -> np.ndarray:
    """Return ``x`` laid out in memory with the images next to each other.

    The shape stays (N, ...); only the strides change. A pixel of all images then lies in one run,
    so every slice that a convolution or a pooling takes moves long contiguous pieces of memory.
    (PyTorch calls the same idea a memory format.) An array that already lies so is returned as it
    is.

    Parameters
    ----------
    x : ndarray, shape (N, ...)

    Returns
    -------
    ndarray
        The same values and shape, with ``strides[0] == itemsize``.

    Examples
    --------
    >>> x = np.zeros((50, 3, 8, 8), np.float32)
    >>> x.strides, images_last(x).strides
    ((768, 256, 32, 4), (4, 12800, 1600, 200))
    """
    if x.strides[0] == x.itemsize or len(x) == 1:
        return x
    return to_front(np.ascontiguousarray(to_back(x)))


_BACK = [tuple([*range(1, ndim), 0][:ndim]) for ndim in range(8)]
_FRONT = [tuple([ndim - 1, *range(ndim - 1)][:ndim]) for ndim in range(8)]
"""The orders of axes, by their number: written out, for they are needed at every step."""


def to_back(array: np.ndarray) -> np.ndarray:
    """View (N, ...) as (..., N)."""
    return array.transpose(_BACK[array.ndim])


def to_front(array: np.ndarray) -> np.ndarray:
    """View (..., N) as (N, ...)."""
    return array.transpose(_FRONT[array.ndim])
