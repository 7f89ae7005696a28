"""Pictures in a grid, and the gallery of a network's worst errors."""

import numpy as np

from cnnedu.visualization.colors import picture_scale, scale_for
from cnnedu.visualization.figures import (
    bare,
    drawn,
    finish,
    open_axes,
    open_grid,
    plural,
    same_pixels,
    show,
    span_text,
)
from cnnedu.visualization.inputs import as_array, as_labels, as_pictures, as_titles

MOST_PICTURES = 200


@drawn
def plot_images(
    images,
    titles=None,
    columns: int | None = None,
    *,
    signed: bool = False,
    title: str | None = None,
    axes=None,
):
    """Draw pictures in a grid, all on one gray scale.

    Parameters
    ----------
    images : array or list of arrays
        (N, 1, H, W), (N, H, W), (H, W), in color (N, 3, H, W) or (H, W, 3), or a list of pictures,
        which may differ in size (their pixels do not). Values in [0, 1] (colors must be).
    titles : sequence, optional
        One per picture; labels will do.
    columns : int, optional
        Pictures in a row; chosen to fill the rows evenly if not given.
    signed : bool
        Draw on a zero-centered scale, for pictures of gradients and differences.
    title : str, optional
        Heading of the whole figure.
    axes : Axes or sequence of Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Figure
        With `alt`, a text that says what it shows.

    Raises
    ------
    ValueError
        If a shape is none of those above, the array is empty or not finite, or titles are too few.
    """
    pictures = as_pictures(images)
    if len(pictures) > MOST_PICTURES:
        raise ValueError(
            f"images holds {len(pictures)} pictures, and more than {MOST_PICTURES} would be too "
            "small to see; choose some, such as images[:20]"
        )
    names = as_titles(titles, len(pictures), "pictures")
    gray = [picture for picture in pictures if picture.ndim == 2]
    scale = None
    if gray:
        scale = scale_for(gray, signed=True) if signed else picture_scale(gray)
    tallest, widest = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    ratio = tallest / widest
    most, largest = (10, 2.0) if ratio > 0.8 and tallest <= 64 else (4, 2.0)
    if min(tallest, widest) > 64:  # photographs
        most, largest = 3, 3.0
    if len(pictures) == 1:
        largest = max(largest, 2.6)
    grid = open_grid(
        names, ratio, columns=columns, most=most, largest=largest, heading=title, axes=axes,
        colorbar=signed and bool(gray),
    )  # fmt: skip
    drawings = [show(ax, each, scale) for ax, each in zip(grid.axes, pictures, strict=True)]
    same_pixels(grid.axes, pictures)
    for ax, name in zip(grid.axes, grid.titles, strict=True):
        bare(ax, name)
    if signed and gray:
        grid.colorbar(next(d for d, p in zip(drawings, pictures, strict=True) if p.ndim == 2))
    return finish(grid.figure, _images_text(pictures, names, title))


def _images_text(pictures, names, title) -> str:
    sizes = sorted({picture.shape[:2] for picture in pictures})
    kind = "color " if pictures[0].ndim == 3 else ""
    size_text = ", ".join(f"{h} x {w}" for h, w in sizes)
    text = f"{title}: " if title else ""
    text += f"{plural(len(pictures), f'{kind}picture')} of {size_text} pixels"
    text += f", {span_text(pictures)}"
    if any(names):
        text += "; titles: " + ", ".join(name.replace("\n", " ") for name in names)
    return text + "."


@drawn
def plot_errors(
    images,
    labels,
    probabilities,
    count: int = 20,
    columns: int | None = None,
    *,
    title: str | None = None,
    axes=None,
):
    """Draw the wrongly read pictures, the most confidently wrong first.

    Sorted by the probability given to the true class, lowest first; each title says the true
    class, what was read instead, and both probabilities.

    Parameters
    ----------
    images : array
        (N, 1, H, W) or (N, H, W) or (N, 3, H, W).
    labels : array of int
        True classes, (N,).
    probabilities : array
        (N, K), as from ``network.predict_proba(images)``.
    count : int
        At most this many errors.
    columns : int, optional
        Pictures in a row.
    title : str, optional
        Heading; says how many errors there are if not given.
    axes : sequence of Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`. Without any error it says so instead of showing pictures.
    """
    pictures = as_pictures(images)
    probabilities = as_array(probabilities, "probabilities")
    if probabilities.ndim != 2 or len(probabilities) != len(pictures):
        raise ValueError(
            f"probabilities must have shape ({len(pictures)}, classes), one row per picture, "
            f"but the shape is {probabilities.shape}"
        )
    if probabilities.min() < -1e-6 or probabilities.max() > 1 + 1e-6:
        raise ValueError(
            f"probabilities must lie between 0 and 1, but they go from {probabilities.min():g} to "
            f"{probabilities.max():g}; pass network.predict_proba(images), not the logits"
        )
    labels = as_labels(labels, "labels", len(pictures))
    if labels.max() >= probabilities.shape[1]:
        raise ValueError(
            f"labels must be below {probabilities.shape[1]}, the number of classes in "
            f"probabilities, but one is {labels.max()}"
        )
    if not isinstance(count, int | np.integer) or count < 1:
        raise ValueError(f"count must be a whole number from 1, but it is {count!r}")
    order, guesses, truth = _worst(labels, probabilities)
    heading = title or (
        f"{plural(len(order), 'error')} among {len(labels)}"
        + (f", the {count} worst" if len(order) > count else "")
    )
    if len(order) == 0:
        return _no_errors(heading, len(labels), axes)
    order = order[:count]
    names = [
        f"true {labels[i]}: {_percent(truth[i])}\nread {guesses[i]}: "
        f"{_percent(probabilities[i, guesses[i]])}"
        for i in order
    ]
    chosen = [pictures[i] for i in order]
    gray = [picture for picture in chosen if picture.ndim == 2]
    grid = open_grid(names, chosen[0].shape[0] / chosen[0].shape[1], columns=columns, most=7,
                     largest=1.4, heading=heading, axes=axes)  # fmt: skip
    scale = picture_scale(gray) if gray else None
    for ax, picture, name in zip(grid.axes, chosen, grid.titles, strict=True):
        show(ax, picture, scale)
        bare(ax, name)
    listed = "; ".join(
        f"a {labels[i]} (given {_percent(truth[i])}) read as {guesses[i]} "
        f"({_percent(probabilities[i, guesses[i]])})"
        for i in order
    )
    return finish(grid.figure, f"{heading}: {listed}.")


def _worst(labels, probabilities):
    guesses = probabilities.argmax(axis=1)
    truth = probabilities[np.arange(len(labels)), labels]
    wrong = np.flatnonzero(guesses != labels)
    return wrong[np.argsort(truth[wrong], kind="stable")], guesses, truth


def _percent(probability: float) -> str:
    if 0 < probability < 0.01:
        return "<1 %"
    if 0.99 < probability < 1:
        return ">99 %"
    return f"{100 * probability:.0f} %"


def _no_errors(heading: str, count: int, axes):
    ax = None if axes is None else np.ravel(np.asarray(axes, dtype=object))[0]
    figure, ax = open_axes(ax, 4, 1)
    ax.set_axis_off()
    text = f"No error among {count}"
    ax.text(0.5, 0.5, text, ha="center", va="center")
    return finish(figure, f"{text}: every picture was read correctly.")
