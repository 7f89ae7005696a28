"""Which kernel wins where: maps of winners, in colors that stay apart in gray and carry numbers."""

import math

import numpy as np
from matplotlib.colors import to_rgb

from cnnedu.visualization.colors import ink_on, picture_scale
from cnnedu.visualization.figures import (
    GAP,
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bare,
    choose_columns,
    count_lines,
    drawn,
    finish,
    line_height,
    open_figure,
    plural,
    same_pixels,
    show,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_array, as_pictures, as_titles

# Lightness (CIE L*) rises by about nine from each to the next, from 12 to 92; neighbors differ in
# hue as well, and the hues of equal kinds lie far apart in lightness.
WINNERS = (
    "#17172f",
    "#5c1a4a",
    "#1f4e9c",
    "#b8442c",
    "#1f9475",
    "#cf7fae",
    "#e9a23b",
    "#98d0ee",
    "#fbf3b8",
)
MOST_MAPS = 12


@drawn
def plot_winners(
    winners,
    *,
    images=None,
    names=None,
    titles=None,
    columns: int | None = None,
    title: str | None = None,
):
    """Draw maps of winners: at each place the color, and here and there the number, of a kernel.

    Parameters
    ----------
    winners : array of int
        The number of the winning kernel at each place, (H, W) or (N, H, W), such as
        ``maps.argmax(axis=1)``; numbers from 0 to 8.
    images : array, optional
        One picture for each map, (N, 1, height, width), shown above it.
    names : list of str, optional
        What the kernels are called, beside their numbers. Their colors are then chosen as far
        apart as so many can be; without names a number always has the same color.
    titles : list of str, optional
        One above each map (above its image, if there are images).
    columns : int, optional
        Maps per row, if there are no images.
    title : str, optional
        Above everything.

    Returns
    -------
    Figure
        With `alt`, which gives the share of places that each kernel wins.

    Raises
    ------
    TypeError, ValueError
        If the numbers are not whole, not from 0 to 8, or what goes with them does not match.

    Notes
    -----
    Lesson 7.
    """
    maps = _read_winners(winners)
    colors = _colors(None if names is None else len(names))
    names = _read_names(names, int(maps.max()) + 1)
    above = as_titles(titles, len(maps), "maps")
    if images is None:
        pictures = []
    else:
        pictures = as_pictures(images)
        if len(pictures) != len(maps):
            raise ValueError(
                f"images must hold one picture for each of the {plural(len(maps), 'map')}, but "
                f"there are {len(pictures)}"
            )
        columns = len(maps)
    figure, upper, lower, legend = _open(maps, len(pictures), above, names, columns, title)
    if pictures:
        scale = picture_scale(pictures)
        for ax, picture in zip(upper, pictures, strict=True):
            show(ax, picture, scale)
            bare(ax)
        same_pixels(upper, pictures)
    for ax, each in zip(lower, maps, strict=True):
        _draw_map(ax, each, colors)
    for ax, text in zip(upper or lower, above, strict=True):
        ax.set_title(text, pad=4)
    _draw_legend(legend, colors, names)
    return finish(figure, _winners_text(maps, names, above, bool(pictures), title))


def _read_winners(winners) -> np.ndarray:
    maps = as_array(winners, "winners")
    if maps.dtype.kind not in "iu":
        raise TypeError(
            f"winners must hold whole numbers, the numbers of kernels, but they are {maps.dtype}; "
            "maps.argmax(axis=1) gives them"
        )
    maps = maps[None] if maps.ndim == 2 else maps
    if maps.ndim != 3:
        raise ValueError(f"winners must have shape (H, W) or (N, H, W), but it is {maps.shape}")
    if maps.min() < 0 or maps.max() >= len(WINNERS):
        raise ValueError(
            f"winners must lie between 0 and {len(WINNERS) - 1}, since only so many colors can be "
            f"told apart, but they run from {maps.min()} to {maps.max()}"
        )
    if len(maps) > MOST_MAPS:
        raise ValueError(f"at most {MOST_MAPS} maps fit, but there are {len(maps)}; choose some")
    return maps


def _read_names(names, least: int) -> list[str]:
    if names is None:
        return [""] * least
    names = [str(name) for name in names]
    if not least <= len(names) <= len(WINNERS):
        raise ValueError(
            f"names must name each of the {plural(least, 'kernel')} (at most {len(WINNERS)}), but "
            f"there are {len(names)}"
        )
    return names


def _open(maps, pictures: int, titles, names, columns, title):
    """Return the figure, the panels of images (if any), those of maps, and the legend's place."""
    columns = choose_columns(len(maps), columns, 6)
    rows = math.ceil(len(maps) / columns) * (2 if pictures else 1)
    letter = 0.62 * size().letters / 72
    side = 0.55 + letter * max(len(name) + 2 for name in names)
    width = min(1.9, (PAGE_WIDTH - GAP - side) / columns - GAP)
    height = width * maps.shape[1] / maps.shape[2]
    above = line_height() * count_lines(titles) + 0.07
    between = GAP if pictures else GAP + above
    total_width = max(GAP + columns * (width + GAP) + side, 3.0)
    heading = wrap(title, total_width - 0.2, 1.1) if title else ""
    top = above + line_height(1.1) * count_lines([heading]) + (0.12 if heading else 0)
    total_height = top + rows * height + (rows - 1) * between + GAP
    figure = open_figure(total_width, total_height)
    if heading:
        add_heading(figure, heading, total_width, total_height)
    panels = []
    for index in range(len(maps) + pictures):
        row, column = divmod(index, columns)
        x, y = GAP + column * (width + GAP), total_height - top - (row + 1) * height - row * between
        panels.append(add_panel(figure, x, y, width, height, total_width, total_height))
    tall = min(total_height - top - GAP, 0.28 * len(names))
    x = GAP + columns * (width + GAP) + 0.05
    legend = add_panel(figure, x, GAP, 0.16, tall, total_width, total_height)
    return figure, panels[:pictures], panels[pictures:], legend


def _draw_map(ax, winners: np.ndarray, colors: np.ndarray) -> None:
    """Color every place, and write each kernel's number into its larger regions."""
    ax.imshow(colors[winners], interpolation="nearest")
    bare(ax)
    for kernel, row, column in number_places(winners):
        ink = ink_on(colors[kernel])
        letters = size().letters * 0.85
        ax.text(column, row, str(kernel), ha="center", va="center_baseline", color=ink,
                size=letters)  # fmt: skip


def _colors(count: int | None) -> np.ndarray:
    """Return the colors of the kernels: all in order, or `count` of them spread out."""
    colors = np.array([to_rgb(color) for color in WINNERS])
    if count is None:
        return colors
    return colors[np.linspace(0, len(colors) - 1, min(count, len(colors))).round().astype(int)]


def number_places(winners: np.ndarray) -> list[tuple[int, int, int]]:
    """Return (kernel, row, column): the innermost place of each region that has room for a number.

    A region is a set of neighboring places with the same winner.
    """
    from scipy.ndimage import distance_transform_edt, label

    places = []
    for kernel in np.unique(winners):
        regions, count = label(winners == kernel)
        for region in range(1, count + 1):
            depth = distance_transform_edt(np.pad(regions == region, 1))[1:-1, 1:-1]
            if depth.max() >= min(2.0, max(winners.shape) / 10):
                row, column = np.unravel_index(depth.argmax(), depth.shape)
                places.append((int(kernel), int(row), int(column)))
    return places


def _draw_legend(ax, colors: np.ndarray, names: list[str]) -> None:
    """Turn the place of the bar of colors into a column of one cell per kernel."""
    ax.imshow(colors[: len(names), None], interpolation="nearest", aspect="auto")
    ax.set_xticks([])
    ax.yaxis.tick_right()
    labels = [f"{number} {name}".strip() for number, name in enumerate(names)]
    ax.set_yticks(range(len(names)), labels)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_linewidth(0.5)


def _winners_text(maps, names, titles, has_images: bool, title) -> str:
    shares = np.bincount(maps.ravel(), minlength=len(names)) / maps.size
    parts = [
        f"{f'{number} {name}'.strip()} {share:.0%}"
        for number, (name, share) in enumerate(zip(names, shares, strict=True))
    ]
    text = f"{title}: " if title else ""
    text += f"{plural(len(maps), 'map')} of winners, {maps.shape[1]} x {maps.shape[2]} places"
    if any(titles):
        text += f" ({', '.join(each or '–' for each in titles)})"
    text += ", each under its image" if has_images else ""
    return f"{text}; places won by kernel: {', '.join(parts)}."
