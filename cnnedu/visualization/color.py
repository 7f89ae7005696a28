"""Kernels that look at red, green and blue; and the regions of a picture that patches come from."""

from collections.abc import Mapping

import numpy as np

from cnnedu.visualization.colors import FRAME_COLORS, scale_for
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bare,
    choose_columns,
    count_lines,
    drawn,
    finish,
    frame,
    line_height,
    number,
    open_figure,
    open_grid,
    plural,
    show,
    size,
    style_colorbar,
    wrap,
)
from cnnedu.visualization.filters import MOST_SHOWN, _read_filters
from cnnedu.visualization.inputs import as_picture, as_titles

CHANNELS = ("red", "green", "blue")
ROW_NAMES = ("in color", *CHANNELS)
MOST_COLUMNS = 8
NOTE = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}


def kernels_as_colors(weights: np.ndarray) -> np.ndarray:
    """Turn kernels of three channels into color pictures, on one scale for all of them.

    ``color = 0.5 + weight / (2 * largest magnitude)``: a weight of zero in all three channels is
    a middle gray, positive weights make a channel brighter than that, negative ones darker.

    Parameters
    ----------
    weights : ndarray, shape (F, 3, kh, kw)

    Returns
    -------
    ndarray, shape (F, kh, kw, 3)
        Between 0 and 1; 0.5 everywhere if all weights are zero.
    """
    largest = float(np.abs(weights).max()) or 1.0
    return np.clip(0.5 + np.moveaxis(weights, 1, -1) / (2 * largest), 0, 1)


@drawn
def plot_color_filters(
    filters,
    titles=None,
    *,
    layer: str | int | None = None,
    columns: int | None = None,
    title: str | None = None,
):
    """Draw kernels of three channels in color, and each channel below on one zero-centered scale.

    In the colored picture middle gray is zero, and a colored cell is the color that its weights
    answer to: a positive weight for red only is reddish, a negative one greenish blue.

    Parameters
    ----------
    filters : layer, network or array
        A convolution layer of three input channels; a network together with `layer`; or weights
        (F, 3, kh, kw), or one kernel (3, kh, kw).
    titles : sequence, optional
        One per filter; their numbers if not given.
    layer : str or int, optional
        Which layer of a network; its first convolution layer if not given.
    columns : int, optional
        Filters in a row, at most 8 if not given.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which says for each filter what it answers to.

    Raises
    ------
    TypeError, ValueError
        If the filters do not have three channels, or the layer has no kernels.
    """
    if isinstance(filters, np.ndarray) and filters.ndim == 3:
        filters = filters[np.newaxis]
    weights, _ = _read_filters(filters, layer)
    if weights.shape[1] != 3:
        raise ValueError(
            f"plot_color_filters needs kernels of 3 channels, (F, 3, kh, kw), but their shape is "
            f"{weights.shape}; use plot_filters"
        )
    names = [str(index) for index in range(len(weights))] if len(weights) > 1 else [""]
    if titles is not None:
        names = as_titles(titles, len(weights), "filters")
    shown, names = weights[:MOST_SHOWN], names[:MOST_SHOWN]
    rows = [kernels_as_colors(shown), *np.moveaxis(shown, 1, 0)]
    figure = _draw_rows(rows, names, scale_for([shown], signed=True), columns, title)
    return finish(figure, _color_text(weights, names, title))


def _draw_rows(rows, names, scale, columns, title):
    """Draw blocks of four rows: the colored kernels, then their channels."""
    count, (height, width) = len(names), rows[1].shape[1:]
    columns = choose_columns(count, columns or min(count, MOST_COLUMNS))
    blocks = -(-count // columns)
    room, side, gap = 0.85, 0.85, 0.08
    wide = min(0.95, (PAGE_WIDTH - room - side) / columns - gap)
    high = wide * height / width
    labels = [wrap(name, wide + gap) for name in names]
    above = count_lines(labels) * line_height() + 0.08
    block = above + len(rows) * (high + gap) + 0.12
    total_width = max(room + columns * (wide + gap) + side, 3.6)
    heading = wrap(title, total_width - 0.2, 1.1) if title else ""
    top = count_lines([heading]) * line_height(1.1) + (0.12 if heading else 0.04)
    total_height = top + blocks * block
    figure = open_figure(total_width, total_height)
    if heading:
        add_heading(figure, heading, total_width, total_height)
    image = None
    for index in range(count):
        line, column = divmod(index, columns)
        x = room + column * (wide + gap)
        y = total_height - top - line * block - above
        for row, (pictures, name) in enumerate(zip(rows, ROW_NAMES, strict=True)):
            y -= high + gap
            ax = add_panel(figure, x, y, wide, high, total_width, total_height)
            drawing = show(ax, pictures[index], scale)
            bare(ax, labels[index] if row == 0 else "")
            image = drawing if row else image
            if column == 0:
                figure.text((room - 0.1) / total_width, (y + high / 2) / total_height, name,
                            ha="right", va="center")  # fmt: skip
    tall = min(3 * (high + gap), 2.6)
    x = room + columns * (wide + gap) + 0.1
    bar = add_panel(figure, x, 0.12, 0.13, tall, total_width, total_height)
    style_colorbar(figure.colorbar(image, cax=bar), "weight")
    return figure


def _color_text(weights, names, title) -> str:
    text = f"{title}: " if title else ""
    text += (
        f"{plural(len(weights), 'filter')} of {weights.shape[2]} x {weights.shape[3]} weights for "
        f"red, green and blue, from {number(weights.min())} to {number(weights.max())}, each in "
        "color and channel by channel; sums of the weights: "
    )
    sums = [
        (f"{name}: " if name else "")
        + ", ".join(
            f"{channel} {number(each)}" for channel, each in zip(CHANNELS, total, strict=True)
        )
        for name, total in zip(names, weights.sum(axis=(2, 3)), strict=False)
    ]
    return text + "; ".join(sums) + "."


@drawn
def plot_regions(images: Mapping, regions: Mapping, *, title: str | None = None):
    """Draw pictures side by side, with named frames around regions of them.

    Parameters
    ----------
    images : mapping of str to array
        Pictures by name, gray (H, W) or in color (H, W, 3).
    regions : mapping of str to mapping
        For each picture's name, from a region's name to (top, bottom, left, right) in pixels, the
        bottom and the right not included. Names that begin alike up to a comma get one color; the
        second and later ones of a color are dashed.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the regions out.

    Raises
    ------
    TypeError, ValueError
        If a region is not inside its picture, or there is no picture of its name.
    """
    if not isinstance(images, Mapping) or not images:
        raise ValueError(
            'images must be a mapping from names to pictures, such as {"china": picture}, with at '
            f"least one entry, but it is a {type(images).__name__}"
        )
    pictures = {str(name): as_picture(each, str(name)) for name, each in images.items()}
    for name in regions:
        if name not in pictures:
            raise ValueError(f"regions names {name!r}, but the pictures are {', '.join(pictures)}")
    tall, wide = (max(each.shape[axis] for each in pictures.values()) for axis in (0, 1))
    grid = open_grid(list(pictures), tall / wide, most=2, largest=4.2, heading=title)
    parts = []
    for ax, (name, picture), label in zip(grid.axes, pictures.items(), grid.titles, strict=True):
        show(ax, picture, scale_for([picture], cmap="gray"))
        bare(ax, label)
        colors: dict[str, str] = {}
        for region, box in regions.get(name, {}).items():
            top, bottom, left, right = _read_region(region, box, picture.shape)
            kind = region.split(",")[0]
            again = kind in colors
            color = colors.setdefault(kind, FRAME_COLORS[len(colors) % len(FRAME_COLORS)])
            frame(ax, top, left, bottom - top, right - left, color, dashed=again)
            # Above the frame, where it hides nothing of the region, if there is room for two lines.
            above = top > 0.14 * picture.shape[0]
            ax.text((left + right) / 2, top + (-0.02 if above else 0.02) * picture.shape[0],
                    region.replace(", ", "\n"), ha="center", va="bottom" if above else "top",
                    size=size().letters * 0.9, bbox=NOTE)  # fmt: skip
            parts.append(
                f"{region} in {name}, rows {top} to {bottom - 1}, columns {left} to {right - 1}"
            )
    text = f"{title}: " if title else ""
    text += f"{plural(len(pictures), 'picture')}, {', '.join(pictures)}, with framed regions: "
    return finish(grid.figure, text + ("; ".join(parts) or "none") + ".")


def _read_region(name: str, box, shape) -> tuple[int, int, int, int]:
    values = np.asarray(box)
    if values.shape != (4,) or values.dtype.kind not in "iu":
        raise ValueError(
            f"region {name!r} must be (top, bottom, left, right) in pixels, but it is {box!r}"
        )
    top, bottom, left, right = (int(value) for value in values)
    if not (0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]):
        raise ValueError(
            f"region {name!r} must lie inside the picture of {shape[0]} x {shape[1]} pixels, but "
            f"it is {(top, bottom, left, right)}"
        )
    return top, bottom, left, right
