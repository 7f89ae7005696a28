"""What the drawing pad computes: a drawing made like MNIST, a network's answer, its maps.

No widget and no browser in here: arrays in, arrays and sentences out.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnedu.data import HandwritingError, center_by_mass, scale_to_box
from cnnedu.data.digits import BOX_SIZE, IMAGE_SIZE
from cnnedu.data.handwriting import adjust_strokes, widen_thin_strokes
from cnnedu.network import Sequential

FINE = 10
SMALLEST = 0.06  # height or width of a drawing, as a share of the pad
SHAPE = (1, IMAGE_SIZE, IMAGE_SIZE)
# Layers that only pass on what they get: nothing new to see.
PASSING = ("flatten", "dropout")


def as_ink(drawing) -> np.ndarray:
    """Check a drawing.

    Parameters
    ----------
    drawing : array_like, shape (H, W)
        0 for paper, 1 for ink (or 0 to 255, as uint8).

    Returns
    -------
    ndarray, shape (H, W), float32
    """
    ink = np.asarray(drawing)
    if ink.ndim != 2 or min(ink.shape, default=0) < IMAGE_SIZE or ink.dtype.kind not in "biuf":
        raise ValueError(
            f"a drawing must be an array (H, W) of at least {IMAGE_SIZE} x {IMAGE_SIZE} numbers, "
            f"but it is {ink.dtype} of shape {ink.shape}"
        )
    ink = ink.astype(np.float32) / np.float32(255 if ink.dtype == np.uint8 else 1)
    if not np.isfinite(ink).all() or ink.min() < 0 or ink.max() > 1:
        raise ValueError(
            f"ink must be between 0 and 1, but it goes from {ink.min():g} to {ink.max():g}"
        )
    return ink


def prepare_drawing(drawing) -> np.ndarray:
    """Turn a drawing into an image like MNIST's, by the last steps of `prepare_digit`.

    Paper and ink are known here, so the steps that look for them in a photograph are left out.
    What remains: cut out, bring the strokes to MNIST's width, scale to 20 x 20, center by mass.

    Parameters
    ----------
    drawing : array_like, shape (H, W)
        See `as_ink`.

    Returns
    -------
    ndarray, shape (28, 28), float32
        White ink on black, in [0, 1].

    Raises
    ------
    HandwritingError
        If nothing is drawn yet, or only a dot.
    """
    ink = as_ink(drawing)
    rows, columns = (np.flatnonzero((ink > 0.25).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise HandwritingError("nothing is drawn yet")
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if max(cropped.shape) < SMALLEST * max(ink.shape):
        raise HandwritingError("only a dot is drawn yet")
    fine = scale_to_box(widen_thin_strokes(cropped), BOX_SIZE * FINE)
    return center_by_mass(scale_to_box(adjust_strokes(fine, fine=FINE)))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a network says of one image.

    Attributes
    ----------
    image : ndarray, shape (28, 28), float32
    probabilities : ndarray, shape (classes,)
    maps : list of (str, ndarray)
        Each layer's name and its output: (C, H, W) for maps, (units,) for the others.
    """

    image: np.ndarray
    probabilities: np.ndarray
    maps: list[tuple[str, np.ndarray]]

    @property
    def label(self) -> int:
        """The most likely class."""
        return int(self.probabilities.argmax())

    def reading(self) -> str:
        """Return the answer in words."""
        first, second = np.argsort(-self.probabilities, kind="stable")[:2]
        return (
            f"Read as {first} ({percent(self.probabilities[first])}); next {second} "
            f"({percent(self.probabilities[second])})."
        )


def percent(probability: float) -> str:
    """Return a probability in percent; what is nearly 0 or 1 is not called so."""
    if 0 < probability < 0.005:
        return "<1 %"
    if 0.995 < probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def check_network(network) -> Sequential:
    """Check that a network reads images of (1, 28, 28) and answers with scores.

    Raises
    ------
    TypeError, ValueError
        If it is no network, wants other images, does not end in at least two scores, or its
        scores are not finite.
    """
    if not isinstance(network, Sequential):
        raise TypeError(f"network must be a Sequential, but it is a {type(network).__name__}")
    if network.input_shape not in (None, SHAPE):
        raise ValueError(
            f"network must take images of shape {SHAPE}, as drawings become, but it takes "
            f"{network.input_shape}"
        )
    network.check_ends_in_logits()
    try:
        output = network.output_shape(SHAPE)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"network must take images of shape {SHAPE}, as drawings become, but {error}"
        ) from None
    if len(output) != 1 or output[0] < 2:
        raise ValueError(
            f"network must put out one score per class, but it puts out {output}; end it with "
            "Flatten() and Dense(...)"
        )
    answer(network, np.zeros(SHAPE[1:], network.dtype))  # refuses weights that are NaN
    return network


def answer(network: Sequential, image: np.ndarray) -> Answer:
    """Ask a network what an image shows, and keep what each layer made of it.

    Parameters
    ----------
    network : Sequential
        See `check_network`.
    image : ndarray, shape (28, 28)

    Returns
    -------
    Answer

    Raises
    ------
    ValueError
        If the scores are not finite.
    """
    outputs = network.activations(image[np.newaxis, np.newaxis])
    logits = outputs[network.names[-1]][0].astype(np.float64)
    if not np.isfinite(logits).all():
        raise ValueError(
            "the network's scores are NaN or infinite, as after a training with too high a "
            "learning rate; train it anew"
        )
    grown = np.exp(logits - logits.max())
    maps = [
        (name, output[0]) for name, output in outputs.items() if network[name].kind not in PASSING
    ]
    return Answer(image, grown / grown.sum(), maps)


def save_drawing(drawing, folder: str | os.PathLike, label: int | None = None) -> Path:
    """Save a drawing as dark ink on white paper, for `read_folder` and `prepare_digit`.

    Parameters
    ----------
    drawing : array_like, shape (H, W)
        See `as_ink`.
    folder : path-like
        Made if there is none.
    label : int, optional
        Which digit it is, 0 to 9; the file's name begins with it, as `label_of` wants it.

    Returns
    -------
    Path
        "7.png", or "7_2.png" and so on: nothing is overwritten.
    """
    from PIL import Image

    ink = as_ink(drawing)
    if not (ink > 0.25).any():
        raise HandwritingError("nothing is drawn yet, so there is nothing to save")
    whole = isinstance(label, int | np.integer) and not isinstance(label, bool)
    if label is not None and not (whole and 0 <= label <= 9):
        raise ValueError(f"label must be a digit from 0 to 9, but it is {label!r}")
    folder = Path(folder).expanduser()
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"drawings are saved in a folder, but {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    name = "drawing" if label is None else str(int(label))
    page = Image.fromarray(np.rint(255 * (1 - ink)).astype(np.uint8))
    for number in range(1, 10_000):
        path = folder / (f"{name}.png" if number == 1 else f"{name}_{number}.png")
        try:
            with path.open("xb") as file:
                page.save(file, "png")
            return path
        except FileExistsError:
            continue
    raise FileExistsError(f"{folder} holds 9,999 drawings named {name} already; use another folder")
