"""Plain diagrams: curves over steps, the spread of repeated measurements, and bars of counts."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from cnnedu.visualization.cells import format_numbers
from cnnedu.visualization.colors import BLUE, CURVE_COLORS
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    drawn,
    finish,
    halo,
    number,
    open_axes,
    plural,
    points,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_array

THICK = 7
MOST_CURVES = len(CURVE_COLORS)
MOST_GROUPS = 20
MOST_BARS = 30
MOST_MARKED = 30
MOST_STACKED = 20
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P")


@drawn
def plot_curves(
    curves,
    x_label: str = "",
    y_label: str = "",
    *,
    levels=None,
    y_range: tuple[float, float] | None = None,
    log: str = "",
    thick: str | None = None,
    title: str | None = None,
    ax=None,
):
    """Draw curves by name in one diagram, with horizontal lines at values worth comparing with.

    Parameters
    ----------
    curves : mapping of str to array, or of str to (x, y)
        Each (points,), or (runs, points) for several runs of the same thing, drawn alike; without
        `x`, the values stand at 1, 2, 3, ...
    x_label, y_label : str
        What the axes measure.
    levels : mapping of str to float, optional
        Horizontal lines by name.
    y_range : (float, float), optional
        Lower and upper end of the vertical axis; chosen to fit if not given.
    log : {"", "x", "y", "xy"}
        Axes with a logarithmic scale.
    thick : str, optional
        The curve to draw broad and pale, so that others that run along it stay visible.
    title : str, optional
        Above the diagram.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which gives each curve's first, last, lowest and highest value; of several runs
        the range of the last values, and of all.

    Raises
    ------
    ValueError
        If there is no curve, too many, one has another shape or is not finite, `thick` names none
        of them, or a logarithmic axis is asked for values that are not positive.
    """
    named = {name: _read_curve(name, each) for name, each in _named(curves, "curves").items()}
    if len(named) > MOST_CURVES:
        raise ValueError(
            f"curves holds {len(named)}; at most {MOST_CURVES} can be told apart in one diagram"
        )
    levels = {} if levels is None else {str(k): float(v) for k, v in levels.items()}
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"log must be '', 'x', 'y' or 'xy', but it is {log!r}")
    if thick is not None and thick not in named:
        raise ValueError(f"thick must be one of {list(named)}, but it is {thick!r}")
    _check_positive(named, levels, log)
    own, legend = ax is None, len(named) > 1
    figure, ax = open_axes(ax, (0.85 if legend else 0.66) * PAGE_WIDTH, 3.0)
    marks = _which_marked(named)
    everywhere = isinstance(marks, slice)
    for index, (name, (x, y)) in enumerate(named.items()):
        drawn_lines = ax.plot(x, y.T, linestyle=DASHES[index], color=CURVE_COLORS[index],
                              marker=MARKERS[index] if marks else None, markevery=marks,
                              ms=points(3.5 if everywhere else 5 + 3 * (index % 2)),
                              mfc="none" if index % 2 else None)  # fmt: skip
        if name == thick:
            for line in drawn_lines:
                line.set(linewidth=points(THICK), alpha=0.45, zorder=1.5)
        elif index and len(y) == 1 and marks is None:
            # Without a rim it would be lost where it runs through the noise of another.
            drawn_lines[0].set_path_effects(halo(3.2))
        drawn_lines[0].set_label(name)
    if "x" in log:
        ax.set_xscale("log")
    elif all(np.array_equal(x, np.rint(x)) for x, _ in named.values()):
        ax.xaxis.get_major_locator().set_params(integer=True)
    if "y" in log:
        ax.set_yscale("log")
    if y_range is not None:
        ax.set_ylim(*y_range)
    elif levels:
        # So that a level at the end of the axis has the margin that curves have.
        x, _ = next(iter(named.values()))
        ax.update_datalim([(x[0], value) for value in levels.values()])
        ax.autoscale_view()
    for name, value in levels.items():
        ax.axhline(value, color="0.35", linewidth=points(0.9), linestyle=(0, (4, 3)), zorder=1)
        ax.annotate(name, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, 2),
                    textcoords="offset points", ha="right", va="bottom", color="0.25",
                    size=size().letters * 0.9)  # fmt: skip
    _finish(ax, x_label, _fitting(y_label, figure) if own else y_label, title)
    if legend and own:
        figure.legend(loc="outside right upper", frameon=False)
    elif legend:
        ax.legend(frameon=False)
    text = "; ".join(_curve_text(name, x, y) for name, (x, y) in named.items())
    return finish(figure, _about(title, y_label, x_label) + text + _levels_text(levels) + ".")


def _which_marked(named) -> slice | list[int] | None:
    """Return which points get a mark: all of few, or the last where curves end at different x."""
    if max(len(x) for x, _ in named.values()) <= MOST_MARKED:
        return slice(None)
    return [-1] if len({float(x[-1]) for x, _ in named.values()}) > 1 else None


def _fitting(y_label: str, figure) -> str:
    """Return the label broken into lines that are no longer than the figure is high."""
    return wrap(y_label, 0.8 * figure.get_figheight())


def _named(values, what: str) -> dict:
    if not isinstance(values, Mapping):
        raise TypeError(
            f'{what} must be a mapping from names to values, such as {{"training": [...]}}, but it '
            f"is a {type(values).__name__}"
        )
    if not values:
        raise ValueError(f"{what} is empty; there is nothing to draw")
    return {str(name): each for name, each in values.items()}


def _read_curve(name: str, value) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(value, tuple) and len(value) == 2 and np.ndim(value[0]):
        x, y = (as_array(each, f"curves[{name!r}]") for each in value)
    else:
        y = as_array(value, f"curves[{name!r}]")
        x = np.arange(1, y.shape[-1] + 1) if y.ndim else y
    if x.ndim != 1 or y.ndim > 2 or x.shape != y.shape[-1:]:
        raise ValueError(
            f"curves[{name!r}] must be (points,) or (runs, points), with as many x as points, but "
            f"the shapes of x and y are {x.shape} and {y.shape}"
        )
    return x, np.atleast_2d(y)


def _check_positive(named, levels, log: str) -> None:
    for letter, index in (("x", 0), ("y", 1)):
        if letter not in log:
            continue
        lowest = min(float(curve[index].min()) for curve in named.values())
        if letter == "y" and levels:
            lowest = min(lowest, *levels.values())
        if lowest <= 0:
            raise ValueError(
                f"a logarithmic {letter} axis needs values above 0, but one is {lowest:g}"
            )


def _finish(ax, x_label: str, y_label: str, title: str | None) -> None:
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    if title:
        ax.set_title(title, weight="bold")
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _about(title: str | None, y_label: str, x_label: str) -> str:
    text = f"{title}: " if title else ""
    if y_label and x_label:
        text += f"{y_label} over {x_label}: "
    return text


def _curve_text(name: str, x: np.ndarray, runs: np.ndarray) -> str:
    y = runs[0]
    if len(runs) > 1:
        return (
            f"{name}: {len(runs)} runs of {plural(len(x), 'point')}, "
            f"the last from {number(runs[:, -1].min())} to {number(runs[:, -1].max())}, "
            f"all from {number(runs.min())} to {number(runs.max())}"
        )
    return (
        f"{name} from {number(y[0])} to {number(y[-1])} in {plural(len(y), 'point')}, "
        f"lowest {number(y.min())} at {number(x[y.argmin()])}, "
        f"highest {number(y.max())} at {number(x[y.argmax()])}"
    )


def _levels_text(levels) -> str:
    if not levels:
        return ""
    return "; lines: " + ", ".join(f"{name} at {number(each)}" for name, each in levels.items())


@drawn
def plot_spread(
    groups,
    value_label: str = "",
    *,
    levels=None,
    x_range: tuple[float, float] | None = None,
    title: str | None = None,
    ax=None,
):
    """Draw repeated measurements as dots, one row per group, each with its mean as an upright bar.

    Equal values are stacked, so that none hides another. Where most of a large group meet, one dot
    stands for them, with their number beside it.

    Parameters
    ----------
    groups : mapping of str to array
        The measurements of each group, one-dimensional, such as one accuracy per seed.
    value_label : str
        What is measured.
    levels : mapping of str to float, optional
        Upright lines across all rows, by name.
    x_range : (float, float), optional
        The ends of the axis; chosen to fit if not given.
    title : str, optional
        Above the diagram.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which gives each group's mean, lowest and highest value.

    Raises
    ------
    ValueError
        If there is no group, too many, or one is not one-dimensional and finite.
    """
    named = {k: as_array(v, f"groups[{k!r}]") for k, v in _named(groups, "groups").items()}
    for name, values in named.items():
        if values.ndim != 1:
            raise ValueError(
                f"groups[{name!r}] must have one axis, (measurements,), but its shape is "
                f"{values.shape}"
            )
    if len(named) > MOST_GROUPS:
        raise ValueError(f"groups holds {len(named)}; at most {MOST_GROUPS} can be drawn")
    levels = {} if levels is None else {str(k): float(v) for k, v in levels.items()}
    figure, ax = open_axes(ax, 0.72 * PAGE_WIDTH, 0.95 + 0.62 * len(named))
    low = min(float(values.min()) for values in named.values())
    high = max(float(values.max()) for values in named.values())
    resolution = (x_range[1] - x_range[0] if x_range else (high - low) or 1.0) / 70
    middle = sum(x_range) / 2 if x_range else (low + high) / 2
    for row, values in enumerate(named.values()):
        dots = _draw_dots(ax, row, values, resolution, middle)
        # Above a cloud of dots, but behind a few of them, which it would hide.
        ax.plot([values.mean()] * 2, [row - 0.42, row + 0.42], color="black", lw=points(2),
                path_effects=halo(4.5), zorder=3 if dots > MOST_MARKED else 1.5)  # fmt: skip
    if levels and x_range is None:
        ax.update_datalim([(value, 0) for value in levels.values()])
        ax.autoscale_view(scaley=False)
    for name, value in levels.items():
        ax.axvline(value, color="0.35", linewidth=points(0.9), linestyle=(0, (4, 3)), zorder=1)
        ax.annotate(name, (value, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                    textcoords="offset points", ha="center", va="bottom", color="0.25",
                    size=size().letters * 0.9)  # fmt: skip
    ax.set_yticks(range(len(named)), list(named))
    ax.set_ylim(len(named) - 0.5, -0.5)
    if x_range is not None:
        ax.set_xlim(*x_range)
    _finish(ax, f"{value_label} (bar: mean)".strip(), "", None)
    if title:
        ax.set_title(title, weight="bold", pad=6 + (line_room() if levels else 0))
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0)
    listed = "; ".join(
        f"{name}: {plural(len(each), 'value')}, mean {number(each.mean())}, "
        f"from {number(each.min())} to {number(each.max())}"
        for name, each in named.items()
    )
    heading = f"{title}: " if title else ""
    heading += f"{value_label}: " if value_label else ""
    return finish(figure, heading + listed + _levels_text(levels) + ".")


def line_room() -> float:
    """Return the room in points that a line of small letters needs above a diagram."""
    return size().letters * 1.3


def _draw_dots(ax, row: int, values, resolution: float, middle: float) -> int:
    """Draw one dot per value, or where most of many meet, one with their number; count them."""
    places = np.rint(values / resolution).astype(np.int64)
    crowded, count = Counter(places.tolist()).most_common(1)[0]
    offsets = _stack(places)
    if count > max(MOST_STACKED, len(values) / 2):
        together = places == crowded
        where = float(np.median(values[together]))
        values, offsets = np.append(values[~together], where), np.append(offsets[~together], 0)
        side = -1 if where > middle else 1
        ax.annotate(f"× {count}", (where, row), xytext=(side * points(8), 0), va="center",
                    textcoords="offset points", ha="right" if side < 0 else "left",
                    path_effects=halo(3))  # fmt: skip
    width = points(5.5) if len(values) <= MOST_MARKED else 5.5  # the many have no room to grow
    ax.plot(values, row + offsets, "o", ms=width, color=BLUE, alpha=0.75,
            mec="white", mew=points(0.5))  # fmt: skip
    return len(values)


def _stack(places: np.ndarray) -> np.ndarray:
    """Return offsets in (-0.4, 0.4) that set those at one place side by side around 0."""
    offsets = np.zeros(len(places))
    for place in np.unique(places):
        members = np.flatnonzero(places == place)
        step = min(0.16, 0.76 / len(members))
        offsets[members] = (np.arange(len(members)) - (len(members) - 1) / 2) * step
    return offsets


@drawn
def plot_bars(
    bars,
    x_label: str = "",
    y_label: str = "",
    *,
    title: str | None = None,
    ax=None,
):
    """Draw one upright bar per name, with its value written above it.

    Parameters
    ----------
    bars : mapping of str to float
        Values from 0 on.
    x_label, y_label : str
        What the names are, and what the bars measure.
    title : str, optional
        Above the diagram.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which reads the values out.

    Raises
    ------
    ValueError
        If there is no bar, too many, or a value is negative or not finite.
    """
    named = _named(bars, "bars")
    values = as_array(list(named.values()), "bars")
    if values.ndim != 1 or values.min() < 0:
        raise ValueError("bars must hold one number from 0 on for each name")
    if len(named) > MOST_BARS:
        raise ValueError(f"bars holds {len(named)}; at most {MOST_BARS} can be drawn")
    own = ax is None
    figure, ax = open_axes(ax, min(0.8 * PAGE_WIDTH, 1.6 + 0.75 * len(named)), 2.7)
    places = np.arange(len(named))
    ax.bar(places, values, width=0.7, color=BLUE)
    texts = format_numbers(values)
    for place, value, text in zip(places, values, texts, strict=True):
        ax.annotate(text, (place, value), xytext=(0, 2), textcoords="offset points", ha="center",
                    va="bottom")  # fmt: skip
    ax.set_xticks(places, list(named))
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(0, (float(values.max()) or 1.0) * 1.13)
    _finish(ax, x_label, _fitting(y_label, figure) if own else y_label, title)
    ax.grid(False, axis="x")
    listed = ", ".join(f"{name}: {text}" for name, text in zip(named, texts, strict=True))
    return finish(figure, _about(title, y_label, x_label) + listed + ".")
