"""What the kernel editor computes: the response of a picture to nine numbers, and how to read it.

No widget and no browser in here: arrays in, arrays and sentences out.
"""

from dataclasses import dataclass

import numpy as np

from cnnedu.data import load_digits, load_photograph
from cnnedu.kernels import DESCRIPTIONS, KERNELS, kernel
from cnnedu.layers import conv2d_forward
from cnnedu.visualization.colors import PICTURE, Scale, picture_scale, scale_for
from cnnedu.visualization.figures import number
from cnnedu.visualization.maps import response_scale

SIDE = 3
LONGEST_SIDE = 640
PHOTOGRAPH_SIDE = 200
PICTURES = ("digit", "photograph")
WAYS = ("correlation", "convolution")
SCALES = ("fit", "fixed")
_DIRECTIONS = {
    (0, 1): "to the right",
    (0, -1): "to the left",
    (1, 0): "downward",
    (-1, 0): "upward",
    (1, 1): "toward the lower right",
    (1, -1): "toward the lower left",
    (-1, 1): "toward the upper right",
    (-1, -1): "toward the upper left",
}


def load_picture(name: str) -> np.ndarray:
    """Return one of the pictures that come with the editor.

    Parameters
    ----------
    name : {"digit", "photograph"}

    Returns
    -------
    ndarray, shape (28, 28) or (200, W), float32
        Gray, in [0, 1].
    """
    if name == "digit":
        return load_digits().test.images[3, 0].copy()
    if name == "photograph":
        return load_photograph("grace_hopper", size=PHOTOGRAPH_SIDE)
    raise ValueError(f"picture must be one of {', '.join(PICTURES)}, but it is {name!r}")


def as_gray(image) -> np.ndarray:
    """Check a picture: one gray image that a kernel of 3 x 3 can slide over.

    Parameters
    ----------
    image : array_like, shape (H, W), (1, H, W) or (1, 1, H, W)
        Real and finite; H and W from 3 to 640.

    Returns
    -------
    ndarray, shape (H, W), float64

    Raises
    ------
    TypeError, ValueError
        If it is no such picture.
    """
    array = _as_numbers(image, "image")
    shape = array.shape
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    if array.ndim != 2:
        color = "; take the mean of its colors first" if shape[-1:] == (3,) else ""
        raise ValueError(
            f"image must be one gray picture of shape (H, W), but its shape is {shape}{color}"
        )
    if min(array.shape) < SIDE or max(array.shape) > LONGEST_SIDE:
        raise ValueError(
            f"image must have {SIDE} to {LONGEST_SIDE} pixels on each side, but its shape is "
            f"{array.shape}"
        )
    return array.astype(np.float64)


def as_nine(numbers) -> np.ndarray:
    """Check a kernel: a name, or nine finite numbers.

    Parameters
    ----------
    numbers : str or array_like, shape (3, 3) or (9,)

    Returns
    -------
    ndarray, shape (3, 3), float64

    Raises
    ------
    TypeError, ValueError
        If there is no kernel of that name, or these are not nine numbers.
    """
    if isinstance(numbers, str):
        return kernel(numbers)
    array = _as_numbers(numbers, "kernel")
    if array.shape not in ((SIDE, SIDE), (SIDE**2,)):
        raise ValueError(
            f"kernel must be a name or {SIDE} x {SIDE} numbers, but its shape is {array.shape}"
        )
    return array.astype(np.float64).reshape(SIDE, SIDE)


def _as_numbers(value, name: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be one array, but its rows differ in length") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, but it is {value!r}")
    if array.size == 0:
        raise ValueError(f"{name} is empty: its shape is {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, but it holds NaN or infinity")
    return array


def name_of(weights: np.ndarray) -> str:
    """Return the name of a kernel that has one, else an empty text.

    Typed numbers are short: a third may come as 0.3333.
    """
    for name, known in KERNELS.items():
        if np.allclose(weights, known, rtol=0, atol=1e-4):
            return name
    return ""


@dataclass(frozen=True, eq=False)
class Response:
    """A picture, nine numbers, and what comes of them.

    Attributes
    ----------
    image : ndarray, shape (H, W), float64
    weights : ndarray, shape (3, 3), float64
        As typed.
    convolution : bool
        Whether the kernel is turned by 180 degrees before it slides.
    values : ndarray, shape (H - 2, W - 2), float64
        The answers, wherever the kernel fits (valid).
    """

    image: np.ndarray
    weights: np.ndarray
    convolution: bool
    values: np.ndarray

    @property
    def sliding(self) -> np.ndarray:
        """The kernel as it slides: turned if it is a convolution."""
        return self.weights[::-1, ::-1] if self.convolution else self.weights

    def scale(self, which: str = "fit") -> Scale:
        """Return the colors of the response.

        Parameters
        ----------
        which : {"fit", "fixed"}
            "fit" ends at the strongest answer to this picture (of a photograph, leaving out the
            strongest half percent); "fixed" at the strongest that any picture with values in
            [0, 1] can give, so that a weak response looks weak.
        """
        if which not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, but it is {which!r}")
        signed = bool((self.weights < 0).any() or (self.values < 0).any())
        if which == "fit":
            if signed and self.values.min() >= 0:
                return scale_for([self.values], signed=True)
            return response_scale([self.values])
        ends = [self.weights[self.weights > 0].sum(), -self.weights[self.weights < 0].sum()]
        return scale_for([np.array([max(ends)])], signed=signed, cmap=PICTURE)

    def picture_scale(self) -> Scale:
        """Return the grays of the picture."""
        return picture_scale([self.image])

    def kernel_scale(self) -> Scale:
        """Return the colors of the kernel, zero in the middle."""
        return scale_for([self.weights], signed=True)

    def limits(self) -> str:
        """Return the sum of the numbers and the span of the answers, in words."""
        return (
            f"sum of the kernel {number(_rounded(self.weights.sum()))}; response from "
            f"{number(_rounded(self.values.min()))} to {number(_rounded(self.values.max()))}"
        )

    def reading(self) -> str:
        """Return one sentence: what the kernel answers to, and what flat areas give."""
        name = name_of(self.weights)
        symmetric = np.allclose(self.weights, self.weights[::-1, ::-1], rtol=0, atol=1e-9)
        if name and (symmetric or not self.convolution):
            what = f"the kernel {name} answers to {DESCRIPTIONS[name]}"
        else:
            what = ("turned by 180 degrees, it " if self.convolution else "it ") + _what(
                self.sliding
            )
        total = _rounded(self.weights.sum())
        if not self.weights.any():
            return "All nine numbers are 0, so every answer is 0."
        flat = "0" if total == 0 else f"{number(total)} times their brightness"
        if total == 1:
            flat = "their own brightness"
        return (
            f"{what[0].upper()}{what[1:]}; the sum is {number(total)}, so flat areas give {flat}."
        )

    def at(self, row: int, column: int) -> str:
        """Return one answer as the sum it is, nine products long.

        Parameters
        ----------
        row, column : int
            A place in the response.
        """
        for name, place, size in zip(
            ("row", "column"), (row, column), self.values.shape, strict=True
        ):
            whole = isinstance(place, int | np.integer) and not isinstance(place, bool)
            if not whole or not 0 <= place < size:
                raise ValueError(
                    f"{name} must be a whole number from 0 to {size - 1}, but it is {place!r}"
                )
        patch = self.image[row : row + SIDE, column : column + SIDE]
        terms = [
            f"{number(_rounded(weight))}×{number(round(float(pixel), 2))}"
            for weight, pixel in zip(self.sliding.ravel(), patch.ravel(), strict=True)
            if weight
        ]
        equals = "=" if np.allclose(patch, patch.round(2), rtol=0, atol=1e-6) else "≈"
        total = number(_rounded(self.values[row, column]))
        return f"row {row}, column {column}: {' + '.join(terms) or '0'} {equals} {total}"


def _rounded(value: float) -> float:
    """Drop what is only rounding: the ninths of a blur add up to 0.9999999999999998."""
    return round(float(value), 4) + 0.0


def _what(weights: np.ndarray) -> str:
    """Say what a kernel without a name answers to."""
    if (weights >= 0).all():
        return "adds up brightness, the more the larger the number"
    if (weights <= 0).all():
        return "adds up darkness: the brighter, the more negative"
    if np.allclose(weights, -weights[::-1, ::-1], rtol=0, atol=1e-9):
        across = weights[:, 2].sum() - weights[:, 0].sum()
        down = weights[2].sum() - weights[0].sum()
        strongest = max(abs(across), abs(down))
        # A direction counts if it has at least 0.4 (tangent of 22 degrees) of the other's weight.
        signs = tuple(
            int(np.sign(part)) if abs(part) > 0.4 * strongest else 0 for part in (down, across)
        )
        if strongest > 1e-9:
            return f"is positive where it gets brighter {_DIRECTIONS[signs]}"
    return "is positive where it is brighter under the positive numbers than under the negative"


def respond(image, weights, *, convolution: bool = False) -> Response:
    """Slide nine numbers over a picture.

    Parameters
    ----------
    image : array_like, shape (H, W)
        See `as_gray`.
    weights : str or array_like, shape (3, 3)
        See `as_nine`.
    convolution : bool
        Turn the kernel by 180 degrees first, as mathematicians do; networks do not (lesson 1).

    Returns
    -------
    Response
    """
    image, weights = as_gray(image), as_nine(weights)
    sliding = weights[::-1, ::-1] if convolution else weights
    values, _ = conv2d_forward(image[None, None], np.ascontiguousarray(sliding)[None, None])
    return Response(image, weights, bool(convolution), values[0, 0])
