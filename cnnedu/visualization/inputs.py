"""What may be drawn: every rule about shapes and values, and the wording of every refusal."""

from collections.abc import Mapping

import numpy as np

from cnnedu.kernels import KERNELS, kernel


def as_array(value, name: str) -> np.ndarray:
    """Return `value` as an array of real, finite numbers; refuse empty and other arrays."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be one array, but its rows differ in length") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} must hold real numbers, but it is {_describe(value, array)}; "
            "pass an array or a list of numbers"
        )
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}; there is nothing to draw")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        where = tuple(int(index) for index in bad[0])
        raise ValueError(
            f"{name} must be finite to be drawn, but {len(bad)} of its {array.size} values are not "
            f"(the first is {array[where]} at {where})"
        )
    return array.astype(np.int64) if array.dtype.kind == "b" else array


def _describe(value, array: np.ndarray) -> str:
    if array.dtype.kind == "O" and array.ndim == 0:
        return f"a {type(value).__name__}"
    return f"an array of dtype {array.dtype}"


def as_matrix(value, name: str) -> np.ndarray:
    """Return `value` as (rows, columns); leading axes of length 1 are dropped."""
    array = as_array(value, name)
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 1:
        array = array[np.newaxis]
    if array.ndim != 2:
        raise ValueError(f"{name} must have shape (rows, columns), but its shape is {shape}")
    return array


def as_channels(value, name: str) -> np.ndarray:
    """Return `value` as (channels, rows, columns)."""
    array = as_array(value, name)
    shape = array.shape
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        array = array[np.newaxis]
    if array.ndim != 3:
        raise ValueError(
            f"{name} must have shape (rows, columns) or (channels, rows, columns), "
            f"but its shape is {shape}"
        )
    return array


def as_pictures(value, name: str = "images") -> list[np.ndarray]:
    """Return a list of pictures, each (rows, columns) or (rows, columns, 3).

    Takes (H, W), (N, H, W), (N, 1, H, W), (N, 3, H, W), a photograph (H, W, 3), or a list of
    pictures, which may then differ in size.
    """
    if isinstance(value, list | tuple) and len(value) and np.ndim(value[0]) >= 2:
        return [_one_picture(each, f"{name}[{index}]") for index, each in enumerate(value)]
    array = as_array(value, name)
    if array.ndim == 2 or _is_photograph(array):
        return [_one_picture(array, name)]
    if array.ndim == 3:
        return list(array)
    if array.ndim == 4 and array.shape[1] in (1, 3):
        return [_one_picture(each, name) for each in array]
    raise ValueError(
        f"{name} must have shape (H, W), (N, H, W), (N, 1, H, W) or (N, 3, H, W), "
        f"but its shape is {array.shape}"
    )


def as_picture(value, name: str = "image") -> np.ndarray:
    """Return one picture, (rows, columns) or (rows, columns, 3)."""
    if np.ndim(value) == 3 and len(value) == 3:  # one in color, rather than three in gray
        value = as_array(value, name)[np.newaxis]
    pictures = as_pictures(value, name)
    if len(pictures) != 1:
        raise ValueError(
            f"{name} must be a single picture, but its shape {np.shape(value)} holds "
            f"{len(pictures)}; choose one, such as {name}[0]"
        )
    return pictures[0]


def _is_photograph(array: np.ndarray) -> bool:
    return array.ndim == 3 and array.shape[2] == 3 and min(array.shape[:2]) > 3


def _one_picture(value, name: str) -> np.ndarray:
    array = as_array(value, name)
    shape = array.shape
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 3 and array.shape[0] == 3 and not _is_photograph(array):
        array = np.moveaxis(array, 0, -1)
    if array.ndim == 2:
        return array
    if array.ndim == 3 and array.shape[2] == 3:
        return _as_color(array, name)
    raise ValueError(
        f"{name} must be one picture of shape (H, W), (1, H, W), (3, H, W) or (H, W, 3), "
        f"but its shape is {shape}"
    )


def _as_color(array: np.ndarray, name: str) -> np.ndarray:
    if array.dtype == np.uint8:
        return array / np.float32(255)
    if array.min() < 0 or array.max() > 1:
        raise ValueError(
            f"{name}: colors must lie between 0 and 1, but they go from {array.min():g} to "
            f"{array.max():g}; divide by 255, or draw the channels one by one"
        )
    return array.astype(np.float32)


def as_kernels(value, name: str = "kernels") -> dict[str, np.ndarray]:
    """Return kernels by name from a mapping, a list of names, or one name."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        named = {str(key): as_matrix(each, f"{name}[{key!r}]") for key, each in value.items()}
    elif isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        named = {each: kernel(each) for each in value}
    else:
        array = as_array(value, name)
        if array.ndim == 2:
            array = array[np.newaxis]
        if array.ndim != 3:
            raise ValueError(
                f"{name} must be a mapping from names to kernels, a list of names (such as "
                f"{list(KERNELS)[1:4]}), or an array (count, rows, columns), "
                f"but its shape is {array.shape}"
            )
        named = {f"kernel {index}": each for index, each in enumerate(array)}
    if not named:
        raise ValueError(f"{name} is empty; there is nothing to draw")
    return named


def as_labels(value, name: str, count: int | None = None) -> np.ndarray:
    """Return whole-number labels of shape (N,)."""
    array = as_array(value, name)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be whole numbers of shape (N,), but they are {array.dtype} of shape "
            f"{array.shape}"
        )
    if count is not None and len(array) != count:
        raise ValueError(f"{name} must hold {count} labels, but there are {len(array)}")
    if array.min() < 0:
        raise ValueError(f"{name} must be class numbers from 0, but one is {array.min()}")
    return array


def as_titles(titles, count: int, what: str) -> list[str]:
    """Return `count` titles as text; None gives empty ones."""
    if titles is None:
        return [""] * count
    if isinstance(titles, str):
        titles = [titles]
    titles = [str(title) for title in titles]
    if len(titles) != count:
        raise ValueError(
            f"titles must name each of the {count} {what}, but there are {len(titles)} titles"
        )
    return titles


def as_position(value, name: str, size: int) -> int:
    """Return a row or column number within 0 .. size - 1."""
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not is_whole or not 0 <= value < size:
        raise ValueError(f"{name} must be a whole number from 0 to {size - 1}, but it is {value!r}")
    return int(value)


def is_network(value) -> bool:
    """Tell whether `value` is a network (it has layers and can show what they compute)."""
    return hasattr(value, "layers") and hasattr(value, "activations")


def is_layer(value) -> bool:
    """Tell whether `value` is a layer."""
    return hasattr(value, "params") and hasattr(value, "forward") and not is_network(value)
