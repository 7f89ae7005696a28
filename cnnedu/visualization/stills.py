"""What the widgets show, as still pictures: for stored notebooks and pages without scripts."""

import io

import matplotlib.pyplot as plt
import numpy as np

from cnnedu.visualization.cells import draw_cells
from cnnedu.visualization.colors import BLUE, VERMILION, Scale, ink_on
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

MOST_NUMBERED = 12


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
    side, gap, between = 1.9, 0.2, 0.3
    heading = wrap(heading, 0.85 * PAGE_WIDTH, 1.1)
    top = line_height(1.1) * (heading.count("\n") + 1) + 0.12
    title = line_height() + 0.06
    width = (PAGE_WIDTH - side) / 2 - gap - between
    # Each sheet as wide as there is room, or as high as the image; two columns about equally high.
    heights = [min(side, width * p.shape[0] / p.shape[1]) for _, p in sheets]
    steps = [title + height + 0.08 for height in heights]
    split = min(range(len(steps) + 1), key=lambda n: max(sum(steps[:n]), sum(steps[n:])))
    bars_below = 2 * title + side + 0.1
    body = max(bars_below + side + line_height(), sum(steps[:split]), sum(steps[split:]))
    height = top + body + gap
    figure = open_figure(PAGE_WIDTH, height)
    add_heading(figure, heading, PAGE_WIDTH, height)
    place = (PAGE_WIDTH, height)
    ax = add_panel(figure, gap, height - top - title - side, side, side, *place)
    ax.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    bare(ax, "image")
    letter = size().letters / 72
    ax = add_panel(figure, gap + letter, height - top - bars_below - side, side - letter, side,
                   *place)  # fmt: skip
    _draw_bars(ax, probabilities)
    for column, chosen in enumerate((slice(split), slice(split, None))):
        x, y = gap + side + between + column * (width + between), height - top
        for (caption, pixels), tall in zip(sheets[chosen], heights[chosen], strict=True):
            y -= title + tall
            _draw_sheet(figure, caption, pixels, (x, y, tall), place)
            y -= 0.08
    return finish(figure, text)


def _draw_sheet(figure, caption, pixels, corner: tuple, place: tuple) -> None:
    """Draw painted maps or units with their caption; of few units, each with its number."""
    x, y, tall = corner
    rows, columns = pixels.shape[:2]
    ax = add_panel(figure, x, y, tall * columns / rows, tall, *place)
    ax.imshow(pixels, interpolation="nearest", aspect="auto")
    ax.set_axis_off()
    above = (y + tall + 0.05) / place[1]
    figure.text(x / place[0], above, caption, va="bottom", size=size().letters * 0.95)
    if rows == 1 and columns <= MOST_NUMBERED:
        for unit, color in enumerate(pixels[0] / 255):
            ax.text(unit, 0, str(unit), ha="center", va="center_baseline", color=ink_on(color))


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
