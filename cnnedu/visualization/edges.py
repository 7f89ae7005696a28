"""Edges and their kernels: signals in one dimension, gradients as arrows, weights on their way."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from cnnedu.visualization.cells import format_numbers
from cnnedu.visualization.colors import BLUE, CURVE_COLORS, SIGNED, picture_scale
from cnnedu.visualization.curves import DASHES
from cnnedu.visualization.figures import (
    Figure,
    add_panel,
    bare,
    drawn,
    finish,
    line_height,
    number,
    open_axes,
    open_figure,
    plural,
    points,
    root_figure,
    show,
    size,
)
from cnnedu.visualization.inputs import as_array, as_picture

MOST_SIGNALS = 8
MOST_WRITTEN = 24
ARROWS = "#ffd24d"  # in a black rim: seen on black, gray and white


@drawn
def plot_signals(signals, *, title: str | None = None):
    """Draw signals one under the other as bars, each under the pixels it was computed from.

    All are on one scale, so that heights can be compared. A signal that is shorter than the longest
    is centered below it: the response of a kernel (valid) then stands under the middle of its
    patch, between two pixels if the kernel is even.

    Parameters
    ----------
    signals : mapping of str to array
        Names and one-dimensional arrays, at most eight.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads short signals out.

    Raises
    ------
    ValueError
        If there is no signal, too many, or one is not a one-dimensional array of finite numbers.
    """
    named = _read_signals(signals)
    longest = max(len(values) for values in named.values())
    margin = 0.3 + 0.6 * size().letters / 72 * max(len(name) for name in named)
    width, height = min(9.0, margin + 0.3 + 0.46 * longest), 1.05
    top = line_height(1.1) + 0.15 if title else 0.1
    total = top + height * len(named) + 0.35
    figure = open_figure(width, total)
    span = max(np.ptp(np.append(values, 0)) for values in named.values()) or 1.0
    if title:
        figure.text(0.5, 1 - 0.06 / total, title, ha="center", va="top", weight="bold",
                    size=size().letters * 1.1)  # fmt: skip
    for index, (name, values) in enumerate(named.items()):
        bottom = total - top - (index + 1) * height + 0.08
        ax = add_panel(figure, margin, bottom, width - margin - 0.1, height - 0.16, width, total)
        _draw_bars(ax, name, values, longest, span)
        if index == len(named) - 1:
            ax.set_xticks(range(0, longest, max(1, longest // 16)))
            ax.tick_params(axis="x", length=2, width=0.5)
            ax.set_xlabel("position", labelpad=2)
    listed = "; ".join(_signal_text(name, values) for name, values in named.items())
    return finish(figure, f"{title + ': ' if title else ''}{listed}.")


def _read_signals(signals) -> dict[str, np.ndarray]:
    if not isinstance(signals, Mapping) or not signals:
        raise ValueError(
            "signals must be a mapping from names to one-dimensional arrays, such as "
            f'{{"signal": [0, 0, 1]}}, but it is {type(signals).__name__}'
            + (" without entries" if isinstance(signals, Mapping) else "")
        )
    if len(signals) > MOST_SIGNALS:
        raise ValueError(
            f"signals holds {len(signals)}, at most {MOST_SIGNALS} can be drawn at once"
        )
    named = {str(name): as_array(values, f"signals[{name!r}]") for name, values in signals.items()}
    for name, values in named.items():
        if values.ndim != 1:
            raise ValueError(
                f"signals[{name!r}] must have one axis, shape (length,), but its shape is "
                f"{values.shape}"
            )
    return named


def _draw_bars(ax, name, values, longest, span) -> None:
    places = np.arange(len(values)) + (longest - len(values)) / 2
    # As everywhere: blue below zero and yellow above; gray where nothing is negative.
    colors = "0.5" if values.min() >= 0 else [SIGNED(0.25 if v < 0 else 0.75) for v in values]
    rims = {"edgecolor": "0.3", "linewidth": points(0.5)} if longest <= 60 else {}
    ax.bar(places, values, width=0.72 if longest <= 60 else 1.0, color=colors, **rims)
    ax.axhline(0, color="0.3", linewidth=points(0.8))
    low, high = min(0, values.min()), max(0, values.max())
    spare, room = (span - (high - low)) / 2, 0.3 * span
    ax.set_ylim(low - spare - room, high + spare + room)
    ax.set_xlim(-0.7, longest - 0.3)
    if longest <= MOST_WRITTEN:
        for place, value, text in zip(places, values, format_numbers(values), strict=True):
            ax.annotate(text, (place, value), xytext=(0, -2 if value < 0 else 2),
                        textcoords="offset points", ha="center",
                        va="top" if value < 0 else "bottom", size=size().letters * 0.9)  # fmt: skip
    bare(ax)
    for side in ("top", "right", "left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=6)


def _signal_text(name: str, values: np.ndarray) -> str:
    if len(values) <= MOST_WRITTEN:
        return f"{name}: {' '.join(format_numbers(values))}"
    return f"{name}: {len(values)} values from {number(values.min())} to {number(values.max())}"


@drawn
def plot_arrows(
    image,
    grad_x,
    grad_y,
    *,
    least: float = 0.25,
    step: int = 1,
    title: str | None = None,
    ax=None,
):
    """Draw a picture with an arrow at each edge that points to where it gets brighter.

    Parameters
    ----------
    image : array
        One gray picture, (H, W) or (1, H, W).
    grad_x, grad_y : array
        Change to the right and change downward, such as the responses to ``sobel_x`` and
        ``sobel_y``; both of one shape, that of the picture or smaller (valid).
    least : float
        Arrows shorter than this share of the longest are left out.
    step : int
        Draw an arrow only at every so many pixels.
    title : str, optional
        Above the picture.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which counts the arrows and gives the longest.

    Raises
    ------
    ValueError
        If the shapes do not belong together, or `least` or `step` make no sense.
    """
    picture = as_picture(image)
    grad_x, grad_y = as_array(grad_x, "grad_x"), as_array(grad_y, "grad_y")
    _check_arrows(picture, grad_x, grad_y, least, step)
    strength = np.hypot(grad_x, grad_y)
    strongest = float(strength.max())
    above, left = ((a - b) / 2 for a, b in zip(picture.shape, strength.shape, strict=True))
    rows, columns = np.nonzero((strength >= least * strongest) & (strength > 0))
    on_grid = (rows % step == 0) & (columns % step == 0)
    rows, columns = rows[on_grid], columns[on_grid]
    height = 4.2
    figure, ax = open_axes(ax, height * picture.shape[1] / picture.shape[0] + 0.2, height + 0.3)
    show(ax, picture, picture_scale([picture]))
    if len(rows):
        ax.quiver(columns + left, rows + above, grad_x[rows, columns], grad_y[rows, columns],
                  angles="xy", scale_units="xy", scale=strongest / (0.95 * step), pivot="mid",
                  facecolor=ARROWS, edgecolor="black", linewidth=0.8, width=0.005,
                  headwidth=3.4, headlength=3, headaxislength=3, minshaft=1.5)  # fmt: skip
    bare(ax, title or "")
    where = ""
    if len(rows):
        row, column = np.unravel_index(strength.argmax(), strength.shape)
        where = (
            f"; the longest, {number(strongest)}, at row {row + above:g}, column {column + left:g}"
        )
    text = (
        f"{title + ': ' if title else ''}a picture of {picture.shape[0]} x {picture.shape[1]} with "
        f"{plural(len(rows), 'arrow')} that point to where it gets brighter{where}."
    )
    return finish(figure, text)


def _check_arrows(picture, grad_x, grad_y, least, step) -> None:
    if picture.ndim != 2:
        raise ValueError(f"image must be gray, (H, W), but its shape is {picture.shape}")
    smaller = grad_x.ndim == 2 and all(np.less_equal(grad_x.shape, picture.shape))
    if grad_x.shape != grad_y.shape or not smaller:
        raise ValueError(
            f"grad_x and grad_y must have one shape, at most that of the picture, {picture.shape}, "
            f"but they have {grad_x.shape} and {grad_y.shape}"
        )
    if not 0 <= least <= 1:
        raise ValueError(f"least must be a share between 0 and 1, but it is {least!r}")
    if not isinstance(step, int | np.integer) or isinstance(step, bool) or step < 1:
        raise ValueError(f"step must be a whole number from 1, but it is {step!r}")


@drawn
def plot_weight_paths(steps, weights, target=None, *, losses=None, title: str | None = None):
    """Draw how each weight of a kernel moved along a training, and the loss beside it.

    Parameters
    ----------
    steps : sequence of int
        When each copy was made, as in `WeightRecorder.steps`; 0 is the start.
    weights : sequence of array
        One copy of the kernel per step, of any one shape.
    target : array, optional
        The kernel that should be found, of as many weights: weights with one target are drawn
        alike, and their target is a thin gray line.
    losses : sequence of float, optional
        One loss per step in `steps`, or one per gradient step (loss of the weights *before* the
        step: the first belongs to step 0); drawn on a logarithmic scale.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives the start and the end.

    Raises
    ------
    ValueError
        If the numbers of steps, copies, targets or losses do not belong together.
    """
    steps = as_array(steps, "steps")
    paths = _read_paths(steps, weights)
    goal = None if target is None else _read_target(target, paths.shape[1])
    times = None if losses is None else _loss_times(steps, as_array(losses, "losses"))
    panels = 1 if losses is None else 2
    figure, made = plt.subplots(
        1, panels, figsize=(4.9 if panels == 1 else 9.0, 3.2), FigureClass=Figure,
        layout="constrained", squeeze=False, width_ratios=[1.25, 1][:panels],
    )  # fmt: skip
    ax = made[0, 0]
    for path, look, label in _styled(paths, goal):
        ax.plot(steps, path, label=label, **_look(look))
    for value in [] if goal is None else np.unique(goal):
        ax.axhline(value, color="0.55", linewidth=points(0.8), zorder=1)
    finish_steps(ax, steps, "weight")
    if goal is not None and _have_room(ax, np.unique(goal)):
        _name_targets(ax, paths, goal)
    else:
        ax.legend(
            frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5),
            title="should become" if goal is not None else "weight", handlelength=2.0,
        )  # fmt: skip
    if losses is not None:
        _draw_losses(made[0, 1], steps, times, as_array(losses, "losses"))
    if title:
        figure.suptitle(title, weight="bold")
    return finish(root_figure(ax), _paths_text(steps, paths, goal, losses, title))


def _read_paths(steps, weights) -> np.ndarray:
    copies = [as_array(each, "weights") for each in weights]
    shapes = sorted({each.shape for each in copies})
    if len(shapes) > 1:
        raise ValueError(f"weights must be copies of one kernel, but their shapes are {shapes}")
    if steps.ndim != 1 or len(copies) != len(steps):
        raise ValueError(
            f"weights must hold one copy per step, but there are {len(copies)} copies and steps of "
            f"shape {steps.shape}"
        )
    return np.array([each.ravel() for each in copies], dtype=np.float64)


def _read_target(target, count: int) -> np.ndarray:
    goal = as_array(target, "target").ravel()
    if len(goal) != count:
        raise ValueError(f"target must have {count} weights, as the kernel, but it has {len(goal)}")
    return goal


def _styled(paths, goal):
    """Yield (path, number of its look, label); weights of one target look alike, named once."""
    if goal is None:
        yield from ((path, index, str(index)) for index, path in enumerate(paths.T))
        return
    for look, value in enumerate(np.unique(goal)[::-1]):
        members = np.flatnonzero(goal == value)
        for place, index in enumerate(members):
            label = f"{number(value)} ({plural(len(members), 'weight')})" if place == 0 else None
            yield paths[:, index], look, label


def _look(look: int) -> dict:
    return {
        "color": CURVE_COLORS[look % len(CURVE_COLORS)],
        "linestyle": DASHES[look % len(DASHES)],
    }


def _have_room(ax, targets) -> bool:
    """Return whether a line of text fits beside each target without meeting the next one."""
    inches = ax.figure.get_figheight() * 0.75
    line = np.ptp(ax.get_ylim()) * line_height() / inches
    return bool((np.diff(targets) > line).all())


def _name_targets(ax, paths, goal) -> None:
    """Name each target at the end of its line, with a piece of the curves that should reach it."""
    at_the_end = ax.get_yaxis_transform()
    for _, look, label in _styled(paths, goal):
        if label:
            value = np.unique(goal)[::-1][look]
            ax.plot([1.02, 1.1], [value] * 2, transform=at_the_end, clip_on=False, **_look(look))
            ax.text(1.12, value, label, transform=at_the_end, va="center")
    ax.annotate("should become", (1.02, 1), xycoords="axes fraction", xytext=(0, 4),
                textcoords="offset points", va="bottom", color="0.3")  # fmt: skip


def _loss_times(steps, losses) -> np.ndarray:
    """Return the step of each loss."""
    if losses.ndim == 1 and len(losses) == len(steps):
        return steps
    if losses.shape not in ((steps[-1],), (steps[-1] + 1,)):
        raise ValueError(
            f"losses must hold one loss per copy ({len(steps)}) or per step ({int(steps[-1])}), "
            f"but the shape is {losses.shape}"
        )
    return np.arange(len(losses))


def _draw_losses(ax, steps, times, losses) -> None:
    positive = losses > 0
    if not positive.any():
        raise ValueError("losses must hold a loss above 0 to be drawn on a logarithmic scale")
    ax.plot(times[positive], losses[positive], color=BLUE)
    ax.set_yscale("log")
    finish_steps(ax, steps, "loss")


def finish_steps(ax, steps, label: str) -> None:
    """Set the axes; a long training gets a logarithmic one, its first steps matter as much."""
    if steps[-1] > 50:
        ax.set_xscale("symlog", linthresh=1, linscale=0.4)
        ax.set_xlim(0, steps[-1])
        powers = 10 ** np.arange(0, int(np.log10(steps[-1])) + 1)
        ax.set_xticks([0, *powers], ["0", *(f"{power:,}" for power in powers)])
        ax.set_xticks([], minor=True)
    ax.set_xlabel("step")
    ax.set_ylabel(label)
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _paths_text(steps, paths, goal, losses, title) -> str:
    text = f"{title}: " if title else ""
    text += f"{plural(paths.shape[1], 'weight')} over {int(steps[-1])} steps, "
    text += f"from {', '.join(number(each) for each in paths[0])} "
    text += f"to {', '.join(number(each) for each in paths[-1])}"
    if goal is not None:
        text += f"; farthest from its target at the end: {number(np.abs(paths[-1] - goal).max())}"
    if losses is not None:
        text += f"; loss from {number(losses[0])} to {number(losses[-1])}"
    return text + "."
