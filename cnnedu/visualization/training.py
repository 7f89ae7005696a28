"""How a training went: curves with the spread of several seeds, and the confusion matrix."""

from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.colors import ListedColormap

from cnnedu.visualization.cells import draw_rules
from cnnedu.visualization.colors import COUNT, CURVE_COLORS, Scale
from cnnedu.visualization.figures import (
    Figure,
    bare,
    drawn,
    finish,
    number,
    open_axes,
    plural,
    points,
    root_figure,
    size,
)
from cnnedu.visualization.inputs import as_array, as_labels

CURVES = {
    "loss": ("loss", "training", "-"),
    "validation_loss": ("loss", "validation", "--"),
    "accuracy": ("accuracy", "training", "-"),
    "validation_accuracy": ("accuracy", "validation", "--"),
}


@drawn
def plot_history(histories, *, title: str | None = None, axes=None):
    """Draw loss and accuracy over the epochs; of several seeds the mean and, as a band, the spread.

    Parameters
    ----------
    histories : History, list of History, or mapping
        One training; several seeds of one training (a list), drawn as the mean with a band from
        the lowest to the highest; or several trainings by name, each one of these. Anything with
        `loss` (and, as there may be, `accuracy`, `validation_loss`, `validation_accuracy`), as
        attributes or keys, one number per epoch, will do.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Where to draw: one for the loss, one for the accuracy (if there is any).

    Returns
    -------
    Figure
        With `alt`, which gives the first and last values.
    """
    runs = _read_histories(histories)
    kinds = ["loss"]
    if any(CURVES[curve][0] == "accuracy" for run in runs.values() for curve in run):
        kinds.append("accuracy")
    figure, panels = _curve_axes(kinds, axes)
    for index, (name, curves) in enumerate(runs.items()):
        color = CURVE_COLORS[index % len(CURVE_COLORS)]
        for curve, values in curves.items():
            kind, part, dash = CURVES[curve]
            label = ", ".join(each for each in (name, part) if each)
            _draw_curve(panels[kind], values, color, dash, label)
    for kind, ax in panels.items():
        _finish_curves(ax, kind)
    if title and axes is None:
        figure.suptitle(title, weight="bold")
    return finish(figure, _history_text(runs, title))


def _read_histories(histories) -> dict[str, dict[str, np.ndarray]]:
    """Return {name: {curve: (seeds, epochs) with NaN where a seed stopped early}}."""
    is_named = isinstance(histories, Mapping) and "loss" not in histories
    named = histories if is_named else {"": histories}
    if not named:
        raise ValueError("histories is empty; there is nothing to draw")
    runs = {}
    for name, group in named.items():
        group = list(group) if isinstance(group, list | tuple) else [group]
        if not group:
            raise ValueError("histories is empty; there is nothing to draw")
        curves = {}
        for curve in CURVES:
            values = [_curve(each, curve) for each in group]
            if any(len(each) for each in values):
                longest = max(len(each) for each in values)
                padded = [np.append(each, np.full(longest - len(each), np.nan)) for each in values]
                curves[curve] = np.array(padded)
        if "loss" not in curves:
            raise ValueError(
                "a history must have `loss`, one number per epoch, but "
                f"{type(group[0]).__name__} has none; pass what fit returned"
            )
        runs[str(name)] = curves
    return runs


def _curve(history, name: str) -> np.ndarray:
    is_mapping = isinstance(history, Mapping)
    values = history.get(name) if is_mapping else getattr(history, name, None)
    if values is None or len(values) == 0:
        return np.empty(0)
    array = as_array(values, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must hold one number per epoch, but its shape is {array.shape}")
    return array.astype(np.float64)


def _curve_axes(kinds, axes):
    if axes is not None:
        given = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(given) < len(kinds):
            raise ValueError(f"axes must hold {len(kinds)} axes, but there are {len(given)}")
        return root_figure(given[0]), dict(zip(kinds, given, strict=False))
    import matplotlib.pyplot as plt

    figure, made = plt.subplots(
        1, len(kinds), figsize=(4.4 * len(kinds), 3.0), FigureClass=Figure, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    return figure, dict(zip(kinds, made[0], strict=True))


def _draw_curve(ax, values, color, dash, label) -> None:
    epochs = np.arange(1, values.shape[1] + 1)
    mean = np.nanmean(values, axis=0)
    marker = "o" if len(epochs) <= 25 else None
    filled = color if dash == "-" else "white"
    ax.plot(epochs, mean, dash, color=color, label=label, marker=marker, ms=points(3.5), mfc=filled)
    if len(values) > 1:
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        ax.fill_between(epochs, low, high, color=color, alpha=0.2, linewidth=0)


def _finish_curves(ax, kind) -> None:
    ax.set_xlabel("epoch")
    ax.set_ylabel(kind)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if kind == "loss":
        ax.set_ylim(bottom=0)
    ax.legend(frameon=False)


def _history_text(runs, title) -> str:
    parts = []
    for name, curves in runs.items():
        seeds, epochs = curves["loss"].shape
        about = f"{name}: " if name else ""
        about += f"{plural(epochs, 'epoch')}"
        about += f", mean of {seeds} seeds with a band from lowest to highest" if seeds > 1 else ""
        said = []
        for curve, values in curves.items():
            _, part, _ = CURVES[curve]
            kind = f"{part} {CURVES[curve][0]}"
            first, last = np.nanmean(values[:, 0]), np.nanmean(_last(values))
            spread = ""
            if seeds > 1:
                ends = _last(values)
                spread = f" ({number(ends.min())} to {number(ends.max())})"
            said.append(f"{kind} from {number(first)} to {number(last)}{spread}")
        parts.append(f"{about}; {', '.join(said)}")
    return (f"{title}: " if title else "") + ". ".join(parts) + "."


def _last(values) -> np.ndarray:
    """Return the last number of each seed, wherever it stopped."""
    return np.array([row[~np.isnan(row)][-1] for row in values if not np.isnan(row).all()])


@drawn
def plot_confusion(
    labels,
    predictions,
    *,
    classes=None,
    title: str | None = None,
    ax=None,
):
    """Draw how often each class was read as each: errors in color, what was right in gray.

    Parameters
    ----------
    labels, predictions : array of int
        True and predicted classes, (N,).
    classes : sequence, optional
        Names of the classes; their numbers if not given.
    title : str, optional
        Above the matrix; the share read correctly if not given.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which names the most frequent errors. The drawn array has the counts of errors,
        the diagonal masked.
    """
    labels = as_labels(labels, "labels")
    predictions = as_labels(predictions, "predictions", len(labels))
    highest = int(max(labels.max(), predictions.max()))
    names = [str(each) for each in (range(max(highest + 1, 2)) if classes is None else classes)]
    if len(names) <= highest:
        raise ValueError(f"classes must name {highest + 1} classes, but there are {len(names)}")
    if len(names) > 40:
        raise ValueError(f"{len(names)} classes are too many for one matrix (at most 40)")
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (labels, predictions), 1)
    right = int(np.trace(counts))
    heading = title or f"{right} of {len(labels)} right ({100 * right / len(labels):.1f} %)"
    side = min(7.0, 1.2 + 0.42 * len(names))
    figure, ax = open_axes(ax, side, side)
    _draw_counts(ax, counts, names, heading)
    return finish(figure, _confusion_text(counts, names, title, right))


def _draw_counts(ax, counts, names, heading) -> None:
    errors = np.ma.masked_array(counts, mask=np.eye(len(counts), dtype=bool))
    highest = max(int(errors.max()), 1)
    # One color per count, none of them pale, and white for no error: most cells have none.
    shades = matplotlib.colormaps[COUNT](np.linspace(0.25, 1, highest + 1))
    scale = Scale(ListedColormap(["white", *shades[1:]]), 0, highest)
    ax.set_facecolor("0.92")
    ax.imshow(errors, cmap=scale.cmap, vmin=0, vmax=highest)
    draw_rules(ax, counts.shape)
    letters = min(1.1 * size().letters, 200 / len(counts))
    for (row, column), count in np.ndenumerate(counts):
        ink = "0.3" if row == column else scale.ink(count)
        if count:
            ax.text(column, row, str(count), ha="center", va="center_baseline", color=ink,
                    size=letters)  # fmt: skip
    bare(ax, heading)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    if max(len(name) for name in names) > 3:
        ax.tick_params(axis="x", rotation=90)
    ax.tick_params(length=0)
    ax.set_xlabel("read as")
    ax.set_ylabel("true class")


def _confusion_text(counts, names, title, right) -> str:
    total = int(counts.sum())
    text = f"{title}: " if title else ""
    text += f"confusion matrix of {len(names)} classes, {right} of {total} read correctly"
    errors = counts - np.diag(np.diag(counts))
    order = np.argsort(-errors, axis=None, kind="stable")[:5]
    worst = [np.unravel_index(each, errors.shape) for each in order if errors.flat[each]]
    if worst:
        listed = ", ".join(
            f"{names[i]} read as {names[j]} ({plural(int(errors[i, j]), 'time')})" for i, j in worst
        )
        text += f"; the most frequent errors: {listed}"
    else:
        text += "; no errors"
    return text + "."
