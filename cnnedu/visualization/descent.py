"""Gradient descent seen from outside: steps on a curve, and paths over a landscape of loss."""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np

from cnnedu.visualization.colors import BLUE, VERMILION
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    choose_columns,
    drawn,
    finish,
    number,
    plural,
    points,
)
from cnnedu.visualization.inputs import as_array

MOST_PATHS = 8


@drawn
def plot_descent(
    loss: Callable,
    paths,
    *,
    span: tuple[float, float],
    title: str | None = None,
):
    """Draw the steps of gradient descent on the curve of a loss that depends on one number.

    Parameters
    ----------
    loss : callable
        The loss of an array of parameters, element by element.
    paths : mapping of str to array
        The parameter before the first step and after each, (steps + 1,); one panel per name.
    span : (float, float)
        From where to where to draw the curve. A step that leaves it is drawn to the edge.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives the start and the end of each path.

    Raises
    ------
    ValueError
        If there is no path, too many, one is not one-dimensional and finite, or `span` is empty.
    """
    named = _read_paths(paths, axes=1)
    low, high = _read_span(span)
    grid = np.linspace(low, high, 400)
    curve = as_array(loss(grid), "loss")
    if curve.shape != grid.shape:
        raise ValueError(
            f"loss must return one number per parameter, shape {grid.shape}, but it returned "
            f"{curve.shape}"
        )
    figure, panels = _panels(len(named), 2.5)
    room = 0.06 * (curve.max() - curve.min() or 1.0)
    for ax, (name, path) in zip(panels, named.items(), strict=True):
        ax.plot(grid, curve, color="0.6", zorder=1)
        inside = (path >= low) & (path <= high)
        leaving = int(np.argmin(inside)) if not inside.all() else len(path)
        shown = np.clip(path[: leaving + 1], low, high)
        _draw_steps(ax, shown, loss(shown))
        ax.plot(path[:leaving], loss(path[:leaving]), "o", ms=points(3.5), color=BLUE, zorder=3)
        if leaving:
            ax.plot(path[:1], loss(path[:1]), "s", ms=points(7), color=BLUE, zorder=4)
        ax.locator_params(axis="x", nbins=6, integer=True)
        ax.set_xlim(low, high)
        ax.set_ylim(curve.min() - room, curve.max() + room)
        _finish(ax, name, "parameter", "loss" if ax is panels[0] else "")
    _heading(figure, title)
    return finish(figure, _descent_text(loss, named, title))


def _read_paths(paths, axes: int) -> dict[str, np.ndarray]:
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError(
            'paths must be a mapping with at least one entry, such as {"SGD": positions}, but it '
            f"is {type(paths).__name__}"
            + (" without entries" if isinstance(paths, Mapping) else "")
        )
    if len(paths) > MOST_PATHS:
        raise ValueError(f"paths holds {len(paths)}; at most {MOST_PATHS} can be drawn")
    named = {str(name): as_array(path, f"paths[{name!r}]") for name, path in paths.items()}
    wanted = "(steps,)" if axes == 1 else f"(steps, {axes})"
    for name, path in named.items():
        if path.ndim != min(axes, 2) or (axes > 1 and path.shape[1] != axes):
            raise ValueError(f"paths[{name!r}] must have shape {wanted}, but it is {path.shape}")
    return named


def _read_span(span) -> tuple[float, float]:
    low, high = (float(end) for end in span)
    if not (np.isfinite([low, high]).all() and low < high):
        raise ValueError(f"span must be (low, high) with low < high, but it is {span!r}")
    return low, high


def _panels(count: int, height: float, **kwargs):
    columns = choose_columns(count, None, most=4)
    rows = -(-count // columns)
    width = min(PAGE_WIDTH, 2.9 * columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, rows * height), squeeze=False, FigureClass=Figure,
        layout="constrained", **kwargs,
    )  # fmt: skip
    for spare in axes.ravel()[count:]:
        spare.set_axis_off()
    return figure, list(axes.ravel()[:count])


def _draw_steps(ax, x, y) -> None:
    for i in range(len(x) - 1):
        ax.annotate("", (x[i + 1], y[i + 1]), (x[i], y[i]), zorder=2,
                    arrowprops={"arrowstyle": "->", "color": VERMILION, "lw": points(1.1),
                                "shrinkA": 1, "shrinkB": 2})  # fmt: skip


def _finish(ax, name: str, x_label: str, y_label: str) -> None:
    ax.set_title(name)
    ax.set_xlabel(x_label)
    ax.set_ylabel(y_label)
    ax.spines[["top", "right"]].set_visible(False)


def _heading(figure, title: str | None) -> None:
    if title:
        figure.suptitle(title, weight="bold")


def _descent_text(loss, named, title) -> str:
    listed = "; ".join(
        f"{name}: {plural(len(path) - 1, 'step')} from {number(path[0])} to {number(path[-1])}, "
        f"loss from {number(float(loss(path[:1])[0]))} to {number(float(loss(path[-1:])[0]))}"
        for name, path in named.items()
    )
    return (f"{title}: " if title else "") + f"steps on the curve of a loss; {listed}."


@drawn
def plot_paths(
    loss: Callable,
    paths,
    *,
    span: tuple[tuple[float, float], tuple[float, float]],
    goal: tuple[float, float] = (0.0, 0.0),
    labels: tuple[str, str] = ("first parameter", "second parameter"),
    title: str | None = None,
):
    """Draw paths over a landscape of two parameters, one panel per path, on lines of equal loss.

    Parameters
    ----------
    loss : callable
        ``loss(a, b)`` for arrays of the two parameters.
    paths : mapping of str to array
        Positions from the start on, (steps + 1, 2).
    span : ((float, float), (float, float))
        From where to where to draw the first (across) and the second parameter (up).
    goal : (float, float)
        Where the loss is lowest; marked with a cross.
    labels : (str, str)
        What the two axes are called.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives the number of steps and the loss at the end of each path.

    Raises
    ------
    ValueError
        If there is no path, too many, one has another shape or is not finite, or a span is empty.
    """
    named = _read_paths(paths, axes=2)
    across, up = (_read_span(each) for each in span)
    a, b = np.meshgrid(np.linspace(*across, 200), np.linspace(*up, 200))
    landscape = as_array(loss(a, b), "loss")
    levels = landscape.min() + (landscape.max() - landscape.min()) * np.linspace(0, 1, 11) ** 2
    figure, panels = _panels(len(named), 2.6, sharex=True, sharey=True)
    for ax, (name, path) in zip(panels, named.items(), strict=True):
        ax.contour(a, b, landscape, levels=levels[1:], colors="0.72", linewidths=points(0.7))
        ax.plot(path[:, 0], path[:, 1], "-o", color=BLUE, ms=points(3), lw=points(1.1),
                zorder=3)  # fmt: skip
        ax.plot(*path[0], "s", color=BLUE, ms=points(7), zorder=4)
        ax.plot(*goal, "+", color=VERMILION, ms=points(12), mew=points(2.2), zorder=5)
        ax.set_xlim(*across)
        ax.set_ylim(*up)
        _finish(ax, name, labels[0], labels[1] if ax is panels[0] else "")
    _heading(figure, title)
    listed = "; ".join(
        f"{name}: {plural(len(path) - 1, 'step')} from ({number(path[0, 0])}, "
        f"{number(path[0, 1])}) to ({number(path[-1, 0])}, {number(path[-1, 1])}), "
        f"loss {number(float(loss(*path[-1])))}"
        for name, path in named.items()
    )
    text = (f"{title}: " if title else "") + "paths over lines of equal loss; "
    return finish(figure, f"{text}{listed}.")
