"""What the widgets show, as still pictures: for stored notebooks and pages without scripts."""

import io

import matplotlib.pyplot as plt
import numpy as np

from cnnedu.visualization.cells import draw_cells
from cnnedu.visualization.colors import BLUE, VERMILION, Scale
from cnnedu.visualization.figures import (
    LARGE_PICTURE,
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bare,
    drawn,
    fewer_colors,
    finish,
    frame,
    line_height,
    open_figure,
    open_grid,
    same_pixels,
    show,
    size,
    wrap,
)


def png(figure) -> bytes:
    """Return a figure as PNG, and close it: it is not to appear a second time under the cell."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    plt.close(figure)
    large = buffer.getbuffer().nbytes > LARGE_PICTURE
    return fewer_colors(buffer.getvalue(), 256) if large else buffer.getvalue()


@drawn
def response_still(
    image, weights, response, scales: tuple[Scale, Scale, Scale], heading: str, text: str
):
    """Draw a picture, a kernel with its numbers, and the response to it.

    Parameters
    ----------
    image : ndarray, shape (H, W)
    weights : ndarray, shape (3, 3)
    response : ndarray, shape (P, Q)
    scales : (Scale, Scale, Scale)
        The colors of the three.
    heading, text : str
        Above the picture; to screen readers.
    """
    titles = ["image", "kernel", "response"]
    ratio = image.shape[0] / image.shape[1]
    heading = wrap(heading, 0.75 * PAGE_WIDTH, 1.1)
    grid = open_grid(titles, ratio, largest=2.4, heading=heading, colorbar=True)
    left, middle, right = grid.axes
    show(left, image, scales[0])
    cell = middle.get_position().width * grid.figure.get_figwidth() / weights.shape[1]
    draw_cells(middle, weights, cell, scale=scales[1])
    drawing = show(right, response, scales[2])
    same_pixels([left, right], [image, response])
    for ax, title in zip(grid.axes, titles, strict=True):
        bare(ax, title)
    grid.colorbar(drawing, "response")
    return finish(grid.figure, text)


@drawn
def answer_still(image, probabilities, sheets, heading: str, text: str):
    """Draw an image, a network's probabilities as bars, and the maps of its layers.

    Parameters
    ----------
    image : ndarray, shape (28, 28)
    probabilities : ndarray, shape (classes,)
    sheets : list of (str, ndarray)
        Each layer's caption and its painted maps, (rows, columns, 4).
    heading, text : str
        Above the picture; to screen readers.
    """
    side, bars, gap, between = 1.6, 1.7, 0.25, 0.4
    heading = wrap(heading, 0.85 * PAGE_WIDTH, 1.1)
    top = line_height(1.1) * (heading.count("\n") + 1) + 0.12
    title = line_height() + 0.06
    width = PAGE_WIDTH - 2 * gap - side - bars - between * 2
    # Each sheet as wide as there is room, or as high as the image.
    heights = [min(side / 2, width * p.shape[0] / p.shape[1]) for _, p in sheets]
    height = top + max(title + side, sum(heights) + len(sheets) * (title + 0.08)) + gap
    figure = open_figure(PAGE_WIDTH, height)
    add_heading(figure, heading, PAGE_WIDTH, height)
    place = (PAGE_WIDTH, height)
    ax = add_panel(figure, gap, height - top - title - side, side, side, *place)
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    bare(ax, "image")
    ax = add_panel(figure, gap + side + between, height - top - title - side, bars, side, *place)
    _draw_bars(ax, probabilities)
    y = height - top
    for (caption, pixels), tall in zip(sheets, heights, strict=True):
        y -= title + tall
        wide = tall * pixels.shape[1] / pixels.shape[0]
        x = gap + side + bars + 2 * between
        ax = add_panel(figure, x, y, wide, tall, *place)
        ax.imshow(pixels, interpolation="nearest", aspect="auto")
        ax.set_axis_off()
        above = (y + tall + 0.05) / height
        figure.text(x / PAGE_WIDTH, above, caption, va="bottom", size=size().letters * 0.95)
        y -= 0.08
    return finish(figure, text)


def _draw_bars(ax, probabilities) -> None:
    names = [str(index) for index in range(len(probabilities))]
    best = int(np.argmax(probabilities))
    colors = [VERMILION if index == best else BLUE for index in range(len(probabilities))]
    ax.barh(names, probabilities, color=colors)
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_title("probability", pad=4)
    ax.tick_params(length=0)
    ax.set_xticks([0, 0.5, 1])
    for spine in ("top", "right"):
        ax.spines[spine].set_visible(False)


@drawn
def look_still(panels, frames, heading: str, text: str):
    """Draw painted panels side by side, each with a frame or none.

    Parameters
    ----------
    panels : list of (str, ndarray)
        Each panel's title and its painted pixels, (rows, columns, 4).
    frames : list of (top, left, height, width) or None
        What to frame in each.
    heading, text : str
        Above the picture; to screen readers.
    """
    titles = [title for title, _ in panels]
    heading = wrap(heading, 0.85 * PAGE_WIDTH, 1.1)
    grid = open_grid(titles, 1.0, largest=2.1, heading=heading)
    for ax, title, (_, pixels), box in zip(grid.axes, grid.titles, panels, frames, strict=True):
        ax.imshow(pixels, interpolation="nearest" if max(pixels.shape) < 200 else "auto")
        bare(ax, title)
        if box is not None:
            frame(ax, *box, VERMILION, thickness=2.4)
    return finish(grid.figure, text)
