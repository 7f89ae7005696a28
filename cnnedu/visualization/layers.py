"""What a layer does to its numbers: small arrays as equations, im2col, curves of activations."""

from collections.abc import Iterable

import numpy as np

from cnnedu.shapes import pair
from cnnedu.visualization.cells import MOST_CELLS, draw_boxes, draw_cells, read_boxes, rows_text
from cnnedu.visualization.colors import CURVE_COLORS, PICTURE, scale_for
from cnnedu.visualization.correlation import slide
from cnnedu.visualization.figures import Figure, drawn, finish, number, wrap
from cnnedu.visualization.inputs import (
    as_array,
    as_channels,
    as_matrix,
    as_position,
    as_titles,
    is_layer,
)
from cnnedu.visualization.worked import Row

DASHES = ("-", "--", "-.", ":")


@drawn
def plot_equation(
    arrays,
    signs,
    *,
    titles=None,
    highlight=None,
    signed=None,
    title: str | None = None,
):
    """Draw small arrays side by side with signs between them, such as ``a × b = c``.

    Parameters
    ----------
    arrays : sequence of arrays
        Each (rows, columns), or (columns,) for a single row.
    signs : sequence of str
        What stands between them, one fewer than arrays: "×", "+", "=", "→", or "" for a gap.
    titles : sequence of str, optional
        Above each array.
    highlight : sequence, optional
        For each array None, or the cells to frame: a pair (rows, columns) of slices or numbers, or
        a list of pairs. Frames of the same rank have the same color in all arrays.
    signed : bool or sequence of bool, optional
        Draw the arrays (all of them, or those marked True) on one zero-centered scale, and the
        others in gray, as pictures are. If not given, those with a negative value share the scale.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the numbers out.

    Raises
    ------
    ValueError
        If there are not as many signs, titles, highlights or marks in `signed` as the arrays ask
        for, or the arrays together are too wide to be read.
    """
    matrices = [as_matrix(each, f"arrays[{index}]") for index, each in enumerate(arrays)]
    if not matrices:
        raise ValueError("arrays is empty; there is nothing to draw")
    signs = [str(sign) for sign in signs]
    if len(signs) != len(matrices) - 1:
        raise ValueError(
            f"signs stand between the arrays: {len(matrices)} arrays need {len(matrices) - 1}, "
            f"but there are {len(signs)}"
        )
    names = as_titles(titles, len(matrices), "arrays")
    highlight = [None] * len(matrices) if highlight is None else list(highlight)
    if len(highlight) != len(matrices):
        raise ValueError(
            f"highlight must name the cells (or None) of each of the {len(matrices)} arrays, "
            f"but it holds {len(highlight)}"
        )
    boxes = [read_boxes(each, m.shape) for each, m in zip(highlight, matrices, strict=True)]
    marks = _read_signed(signed, matrices)
    columns = sum(matrix.shape[1] for matrix in matrices)
    if columns > 40 or sum(matrix.size for matrix in matrices) > MOST_CELLS:
        raise ValueError(
            f"the arrays have {columns} columns side by side, too many to read (at most 40); "
            "draw fewer or smaller ones"
        )
    figure = _draw_equation(matrices, signs, names, boxes, marks, title)
    return finish(figure, _equation_text(matrices, signs, names, title))


def _draw_equation(matrices, signs, names, boxes, marks, heading):
    shapes = [matrix.shape for matrix in matrices]
    cell = Row(shapes, signs).cell
    names = [wrap(n, max(w * cell + 0.25, 0.7)) for n, (_, w) in zip(names, shapes, strict=True)]
    lines = max(name.count("\n") + 1 for name in names)
    sheet = Row(shapes, signs, heading, title_lines=lines)
    figure, axes = sheet.open()
    colored = [matrix for matrix, signed in zip(matrices, marks, strict=True) if signed]
    panels = zip(axes, matrices, names, boxes, marks, strict=True)
    for ax, matrix, name, framed, signed in panels:
        if signed:
            scale = scale_for(colored, signed=True)  # one for all: same color, same number
        else:
            scale = scale_for([matrix], signed=False, cmap=PICTURE)
        draw_cells(ax, matrix, sheet.cell, scale=scale, title=name)
        draw_boxes(ax, framed)
    return figure


def _read_signed(signed, matrices) -> list[bool]:
    if signed is None:
        return [bool(matrix.min() < 0) for matrix in matrices]
    if isinstance(signed, bool):
        return [signed] * len(matrices)
    marks = [bool(mark) for mark in signed]
    if len(marks) != len(matrices):
        raise ValueError(
            f"signed must mark each of the {len(matrices)} arrays, but it holds {len(marks)}"
        )
    return marks


def _equation_text(matrices, signs, names, title) -> str:
    text = f"{title}: " if title else ""
    for index, (matrix, name) in enumerate(zip(matrices, names, strict=True)):
        label = name.replace("\n", " ")
        text += (f"{label} " if label else "") + f"[{rows_text(matrix)}]"
        if index < len(signs):
            text += f" {signs[index]} " if signs[index] else ", "
    return text + "."


@drawn
def plot_im2col(image, kernels, row: int = 0, column: int = 0, *, stride=1, title=None):
    """Draw a convolution as a matrix product: kernels as rows × patches as columns = maps.

    Parameters
    ----------
    image : array
        (H, W).
    kernels : array
        (F, kh, kw), or (kh, kw) for a single one.
    row, column : int
        Which patch, column and outputs to frame.
    stride : int or pair
        Of the layer.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the numbers out.
    """
    image = as_matrix(image, "image")
    kernels = as_channels(kernels, "kernels")
    sliding = slide(image[np.newaxis], kernels[:1], stride)
    rows, columns = sliding.output_shape
    row = as_position(row, "row", rows)
    column = as_position(column, "column", columns)
    places = list(np.ndindex(rows, columns))
    patches = np.stack([sliding.patch(*place).ravel() for place in places], axis=1)
    matrix = kernels.reshape(len(kernels), -1)
    answers = matrix @ patches
    stride, chosen = pair(stride, "stride"), row * columns + column
    top, left = row * stride[0], column * stride[1]
    height, width = kernels.shape[1:]
    patch = (slice(top, top + height), slice(left, left + width))
    framed = (slice(None), chosen)
    count = len(kernels)
    return plot_equation(
        [image, matrix, patches, answers],
        ["", "×", "="],
        titles=[
            "image",
            "kernel as a row" if count == 1 else "kernels as rows",
            "patches as columns",
            "map as a row" if count == 1 else "maps as rows",
        ],
        highlight=[patch, None, framed, framed],
        title=title,
    )


@drawn
def plot_activations(layers, *, limit: float = 5.0, title: str | None = None):
    """Draw the curves of activation layers, and beside them their derivatives.

    Both are computed by the layers themselves: `forward` gives the curve, `backward` the slope.

    Parameters
    ----------
    layers : layer or sequence of layers
        At most four, such as ``[ReLU(), Tanh(), Sigmoid()]``.
    limit : float
        The input runs from ``-limit`` to ``limit``.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which says where each curve and slope begins, passes zero and ends.
    """
    import matplotlib.pyplot as plt

    layers = list(layers) if isinstance(layers, Iterable) else [layers]
    for layer in layers:
        if not is_layer(layer) or layer.params:
            raise TypeError(f"layers must be activations, such as ReLU(), but one is {layer!r}")
    if not 1 <= len(layers) <= len(DASHES):
        raise ValueError(f"from 1 to {len(DASHES)} layers can be told apart, got {len(layers)}")
    if not float(as_array(limit, "limit")) > 0:
        raise ValueError(f"limit must be positive, but it is {limit}")
    x = np.linspace(-limit, limit, 401)[np.newaxis]
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.0), FigureClass=Figure, layout="constrained")
    said = []
    for layer, color, dash in zip(layers, CURVE_COLORS, DASHES, strict=False):
        y, cache = layer.compute(x)
        slope, _ = layer.differentiate(np.ones_like(y), cache)
        for ax, values in zip(axes, (y, slope), strict=True):
            ax.plot(*_broken(x[0], values[0]), dash, color=color, label=layer.kind)
        said.append(f"{layer.kind} {_three(y)}, its slope {_three(slope)}")
    for ax, name in zip(axes, ("y", "slope dy/dx"), strict=True):
        _finish_axes(ax, name)
    axes[0].legend(frameon=False)
    if title:
        figure.suptitle(title, weight="bold")
    span = f"from {number(-limit)} over 0 to {number(limit)}"
    return finish(figure, f"{title + ': ' if title else ''}{span}: {'; '.join(said)}.")


def _broken(x, y) -> tuple[np.ndarray, np.ndarray]:
    """Break a curve where it jumps: what lies between the two ends is not one of its values."""
    jumps = np.flatnonzero(np.abs(np.diff(y)) > 0.5) + 1
    return np.insert(x, jumps, x[jumps]), np.insert(y, jumps, np.nan)


def _three(values) -> str:
    chosen = (values[0, index] for index in (0, values.shape[1] // 2, -1))
    return ", ".join(number(value) for value in chosen)


def _finish_axes(ax, name: str) -> None:
    ax.set_xlabel("x")
    ax.set_ylabel(name)
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    for place in (ax.axhline, ax.axvline):
        place(0, color="0.4", linewidth=0.8)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
