"""The paper that everything is drawn on: figures with an alternative text, grids of panels, sizes.

Figures come from `pyplot`, so a notebook shows them under their cell, once, whether the cell ends
with the call or keeps the figure in a variable. No setting of Matplotlib is changed for good.
"""

import functools
import io
import math
import textwrap
from dataclasses import dataclass

import matplotlib
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.patches import Rectangle
from PIL import Image

PAGE_WIDTH = 9.0  # inches: the text width of a notebook at 100 dots per inch
GAP = 0.12
LARGE_PICTURE = 60_000  # bytes


@dataclass(frozen=True)
class Size:
    """How large to draw: dots per inch, letters (points), and the thickness of lines."""

    dpi: int
    letters: float
    lines: float


SIZES = {"page": Size(dpi=100, letters=9.5, lines=1.4), "projector": Size(180, 11.5, 2.2)}
_current = "page"


class style:  # noqa: N801 (reads as a function: `style("projector")`)
    """Choose the size of all figures from here on, or of those in a ``with`` block.

    Parameters
    ----------
    name : {"page", "projector"}
        "page" fits the text width of a notebook; "projector" has nearly twice the pixels, larger
        letters and thicker lines, for the back row of a lecture room.

    Examples
    --------
    >>> previous = style("projector")      # everything from here on
    >>> previous = style("page")           # and back
    >>> with style("projector"):           # or only inside
    ...     pass
    """

    def __init__(self, name: str):
        global _current
        if name not in SIZES:
            raise ValueError(f"style must be one of {', '.join(SIZES)}, but it is {name!r}")
        self._before = _current
        _current = name

    def __enter__(self) -> "style":
        return self

    def __exit__(self, *_) -> None:
        global _current
        _current = self._before


def projector() -> style:
    """Draw for a projector: ``with projector(): plot_filters(layer)``; see `style`."""
    return style("projector")


def size() -> Size:
    """Return the size in use."""
    return SIZES[_current]


class Figure(matplotlib.figure.Figure):
    """A Matplotlib figure with `alt`, a text that says what it shows.

    In a notebook it appears once: as the value of a cell it leaves pyplot's list of open figures,
    which would show it a second time at the end of the cell. The text goes along as metadata, from
    which nbconvert makes the picture's alternative text. Since notebooks keep the pictures they
    show, large ones are stored with 256 colors; files saved with `savefig` are not changed.
    """

    alt = ""

    def set_canvas(self, canvas):
        """Attach a canvas, and let it write smaller PNG for notebooks."""
        super().set_canvas(canvas)
        if hasattr(type(canvas), "print_png"):
            canvas.print_png = functools.partial(_print_png, canvas)

    def _repr_mimebundle_(self, include=None, exclude=None):
        plt.close(self)
        return {}, {"image/png": {"alt": self.alt}} if self.alt else {}


def _print_png(canvas, target, *, metadata=None, pil_kwargs=None, **_) -> None:
    """Write a PNG; into memory, as notebooks ask for it, with 256 colors if it would be large."""
    type(canvas).print_png(canvas, target, metadata=metadata, pil_kwargs=pil_kwargs)
    if isinstance(target, io.BytesIO) and target.getbuffer().nbytes > LARGE_PICTURE:
        smaller = fewer_colors(target.getvalue(), 256)
        target.seek(0)
        target.truncate()
        target.write(smaller)


def fewer_colors(png: bytes, colors: int) -> bytes:
    """Return a PNG with at most that many colors, a third of the size."""
    with Image.open(io.BytesIO(png)) as full:
        dpi = full.info.get("dpi", (100, 100))
        small = full.convert("RGB").quantize(colors, kmeans=1, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, "png", optimize=True, dpi=dpi)
    return buffer.getvalue()


def settings() -> dict:
    """Return the Matplotlib settings that hold while a figure is made."""
    letters, lines = size().letters, size().lines
    return {
        "figure.dpi": size().dpi,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "font.family": ["sans-serif"],
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": letters,
        "axes.titlesize": letters,
        "axes.titleweight": "normal",
        "axes.labelsize": letters,
        "xtick.labelsize": letters * 0.9,
        "ytick.labelsize": letters * 0.9,
        "legend.fontsize": letters * 0.95,
        "figure.titlesize": letters * 1.1,
        "lines.linewidth": lines,
        "axes.linewidth": 0.8,
        "axes.grid": False,
        "axes.facecolor": "white",
        "axes.edgecolor": "black",
        "axes.labelcolor": "black",
        "axes.titlecolor": "auto",
        "text.color": "black",
        "xtick.color": "black",
        "ytick.color": "black",
        "image.interpolation": "auto",
        "image.origin": "upper",
        "text.usetex": False,
        "figure.autolayout": False,
        "figure.constrained_layout.use": False,
    }


@functools.cache
def _load_backend() -> None:
    """Let pyplot load its backend now, once.

    Notebooks switch the showing of figures on when it is loaded, by a setting; loaded later, under
    our own settings, that would be undone with them.
    """
    plt.switch_backend(matplotlib.get_backend())


def drawn(function):
    """Run a drawing function under this package's settings, and none of them afterwards."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        _load_backend()
        before = plt.get_fignums()
        with matplotlib.rc_context(settings()):
            try:
                return function(*args, **kwargs)
            except BaseException:
                # A refused call leaves no half-drawn figure to appear under the cell.
                for number in set(plt.get_fignums()) - set(before):
                    plt.close(number)
                raise

    return wrapper


def finish(figure, alt: str):
    """Attach the text (after an earlier drawing's in the same figure); return the figure."""
    earlier = getattr(figure, "alt", "")
    figure.alt = f"{earlier} {alt}".strip()
    return figure


def root_figure(ax):
    """Return the whole figure an axes belongs to."""
    return ax.figure.canvas.figure


def open_figure(width: float, height: float, **kwargs):
    """Return an empty figure of `width` x `height` inches."""
    return plt.figure(figsize=(width, height), FigureClass=Figure, **kwargs)


def open_axes(ax, width: float, height: float):
    """Return (figure, axes): the given axes, or new ones in a figure of its own."""
    if ax is not None:
        return root_figure(ax), ax
    figure, ax = plt.subplots(
        figsize=(width, height), FigureClass=Figure, layout="constrained", squeeze=True
    )
    return figure, ax


def line_height(scale: float = 1.0) -> float:
    """Return the height of a line of text in inches."""
    return size().letters * scale * 1.3 / 72


def wrap(text: str, width: float, scale: float = 1.0) -> str:
    """Break `text` so that its lines fit into `width` inches."""
    per_line = max(4, int(width * 72 / (0.56 * size().letters * scale)))
    lines = []
    for part in text.split("\n"):
        # A long name breaks after an underscore rather than anywhere.
        words = (w.replace("_", "_ ") if len(w) > per_line else w for w in part.split(" "))
        broken = textwrap.wrap(" ".join(words), per_line) or [""]
        lines += [line.replace("_ ", "_") for line in broken]
    return "\n".join(lines)


def count_lines(texts) -> int:
    """Return the number of lines of the tallest of `texts` (0 if all are empty)."""
    return max((text.count("\n") + 1 if text else 0 for text in texts), default=0)


def choose_columns(count: int, columns: int | None, most: int = 10) -> int:
    """Return a number of columns: what was asked, or one that fills the rows evenly."""
    if columns is not None:
        if not isinstance(columns, int | np.integer) or isinstance(columns, bool) or columns < 1:
            raise ValueError(f"columns must be a whole number from 1, but it is {columns!r}")
        return min(int(columns), count)
    if count <= min(6, most):
        return count
    rows = max(2, math.ceil(count / most))
    return math.ceil(count / rows)


@dataclass
class Grid:
    """Equal panels in rows: the figure, its axes, their size, and a place for a colorbar."""

    figure: object
    axes: list
    titles: list
    color_axes: object = None
    own: bool = True

    def colorbar(self, image, label: str = ""):
        """Draw the one colorbar of the grid, and return it."""
        if self.own:
            bar = self.figure.colorbar(image, cax=self.color_axes)
        else:
            bar = self.figure.colorbar(image, ax=self.axes, shrink=0.8)
        style_colorbar(bar, label)
        return bar


def bar_room() -> float:
    """Return the width in inches that a bar of colors, its numbers and its label need."""
    return 0.4 + 0.45 * size().letters / SIZES["page"].letters


def style_colorbar(bar, label: str) -> None:
    """Give a colorbar few ticks and a thin outline."""
    bar.outline.set_linewidth(0.5)
    bar.ax.locator_params(nbins=5)
    bar.ax.tick_params(width=0.5, length=3)
    if label:
        bar.set_label(label)


def open_grid(
    titles: list[str],
    ratio: float,
    *,
    columns: int | None = None,
    most: int = 10,
    largest: float = 2.0,
    heading: str | None = None,
    colorbar: bool = False,
    axes=None,
) -> Grid:
    """Return one axes per title, placed to the inch so that no title meets another.

    `ratio` is height / width of a panel. Given `axes` are used as they are.
    """
    count = len(titles)
    if axes is not None:
        return _given_grid(axes, titles)
    columns = choose_columns(count, columns, most)
    rows = math.ceil(count / columns)
    side = bar_room() if colorbar else GAP
    room = PAGE_WIDTH - GAP - side
    width = min(largest, (room - (columns - 1) * GAP) / columns)
    ratio = min(max(ratio, 0.08), 4.0)
    height = width * ratio
    titles = [wrap(title, width) for title in titles]
    title_height = count_lines(titles) * line_height() + 0.07
    content = columns * width + (columns - 1) * GAP
    total_width = max(content + GAP + side, 3.0)
    left = GAP + (total_width - content - GAP - side) / 2
    heading = wrap(heading, total_width - 2 * GAP, 1.1) if heading else ""
    heading_height = count_lines([heading]) * line_height(1.1) + (0.12 if heading else 0)
    total_height = heading_height + rows * (height + title_height) + (rows - 1) * GAP + GAP
    figure = open_figure(total_width, total_height)
    if heading:
        add_heading(figure, heading, total_width, total_height)
    panels = []
    for index in range(count):
        row, column = divmod(index, columns)
        x = left + column * (width + GAP)
        y = total_height - heading_height - (row + 1) * (height + title_height) - row * GAP
        panels.append(add_panel(figure, x, y, width, height, total_width, total_height))
    color_axes = None
    if colorbar:
        tall = min(rows * (height + title_height) + (rows - 1) * GAP - title_height, 3.2)
        x = left + content + 0.12
        color_axes = add_panel(figure, x, GAP, 0.13, tall, total_width, total_height)
    return Grid(figure, panels, titles, color_axes)


def _given_grid(axes, titles: list[str]) -> Grid:
    panels = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(panels) < len(titles):
        raise ValueError(f"axes must hold {len(titles)} axes, but there are {len(panels)}")
    for spare in panels[len(titles) :]:
        spare.set_axis_off()
    panels = panels[: len(titles)]
    return Grid(root_figure(panels[0]), panels, titles, own=False)


def add_heading(container, text: str, width: float, height: float) -> None:
    """Write a heading at the top of a container of `width` x `height` inches."""
    container.text(
        0.5,
        1 - 0.06 / height,
        text,
        ha="center",
        va="top",
        size=size().letters * 1.1,
        weight="bold",
    )


def add_panel(container, x, y, width, height, total_width, total_height):
    """Add axes at a place given in inches from the lower left corner."""
    return container.add_axes(
        (x / total_width, y / total_height, width / total_width, height / total_height)
    )


def bare(ax, title: str = "") -> None:
    """Take ticks from an axes, keep a thin outline, set its title."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_linewidth(0.5)
        spine.set_color("0.4")
    if title:
        ax.set_title(title, pad=4)


def show(ax, array: np.ndarray, scale=None):
    """Draw an array as pixels on an axes; `scale` is ignored for color pictures."""
    if array.ndim == 3:
        return ax.imshow(array, interpolation="nearest" if len(array) < 64 else "auto")
    return ax.imshow(
        array,
        cmap=scale.cmap,
        vmin=scale.low,
        vmax=scale.high,
        interpolation="nearest" if max(array.shape) < 64 else "auto",
    )


def points(width: float) -> float:
    """Return the width of a line or a mark, in points, that goes along with the size in use."""
    return width * size().lines / SIZES["page"].lines


def halo(width: float, *, whole: bool = False) -> list:
    """Return the path effect of a white rim, `width` points wide: seen on dark and on light.

    With `whole` it runs on under the gaps of dashes.
    """
    dashes = {"dash_offset": 0, "dash_list": None} if whole else None
    return [patheffects.withStroke(linewidth=points(width), foreground="white", dashes=dashes)]


def same_pixels(axes, arrays) -> None:
    """Give the pixels of all arrays one size: the smaller ones stand in the middle of a margin."""
    rows, columns = (max(array.shape[axis] for array in arrays) for axis in (0, 1))
    for ax, array in zip(axes, arrays, strict=True):
        top, left = (rows - array.shape[0]) / 2, (columns - array.shape[1]) / 2
        ax.set_xlim(-0.5 - left, array.shape[1] - 0.5 + left)
        ax.set_ylim(array.shape[0] - 0.5 + top, -0.5 - top)


def frame(ax, top, left, height, width, color, *, thickness=2.0, dashed=False, label=""):
    """Draw a frame around cells, seen on dark and on light; coordinates are cell numbers."""
    rectangle = Rectangle(
        (left - 0.5, top - 0.5),
        width,
        height,
        fill=False,
        edgecolor=color,
        linewidth=points(thickness),
        linestyle=(0, (2, 1)) if dashed else "-",
        zorder=4,
        clip_on=False,
    )
    rectangle.set_path_effects(halo(thickness + 1.6, whole=True))
    rectangle.set_label(label or "frame")
    ax.add_patch(rectangle)
    return rectangle


def plural(count: int, word: str, words: str | None = None) -> str:
    """Return "1 map", "3 maps"."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def number(value: float) -> str:
    """Return a number for running text: short, with a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def span_text(arrays) -> str:
    """Return "values from -1 to 2" for all `arrays` together."""
    low = min(float(np.min(array)) for array in arrays)
    high = max(float(np.max(array)) for array in arrays)
    return f"values from {number(low)} to {number(high)}"
