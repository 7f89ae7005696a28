"""Convolution in one dimension: curves, a kernel under a signal, and two functions that overlap.

Lesson 1 begins here, before there are images.
"""

from collections.abc import Callable, Mapping

import numpy as np

from cnnedu.shapes import output_size, padding_amounts, pair, positive
from cnnedu.visualization.cells import draw_cells, format_numbers
from cnnedu.visualization.colors import (
    BLUE,
    CURVE_COLORS,
    GREEN,
    PADDING,
    PICTURE,
    VERMILION,
    scale_for,
)
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    add_heading,
    add_panel,
    drawn,
    finish,
    line_height,
    number,
    open_figure,
    plt,
    plural,
    points,
    size,
    wrap,
)
from cnnedu.visualization.inputs import as_array

MOST_POSITIONS = 12
SLICES = 20_000


def as_signal(value, name: str) -> np.ndarray:
    """Return `value` as a one-dimensional array of finite numbers."""
    array = as_array(value, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one axis, (length,), but its shape is {array.shape}")
    return array


@drawn
def plot_series(
    signals: Mapping,
    *,
    marks: Mapping | None = None,
    share_y: bool = False,
    columns: int = 1,
    title: str | None = None,
):
    """Draw signals as curves, a panel for each, all along the same axis of steps.

    Parameters
    ----------
    signals : mapping
        From the name of each panel to its signal, (length,); or to a mapping from names to signals
        that share the panel. The panels may differ in length: shorter ones (a "valid" result)
        begin at step 0 like the others.
    marks : mapping, optional
        From the name of a panel to the steps that get a ring.
    share_y : bool
        Draw all panels over the same range of values, so that heights can be compared.
    columns : int
        Panels side by side; one under the other if not given.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives each signal's range and the marked values.

    Raises
    ------
    ValueError
        If there is no signal, one is empty, not finite or not one-dimensional, or a mark lies
        outside its signal.
    """
    if not isinstance(signals, Mapping) or not signals:
        raise ValueError(
            'signals must be a mapping with at least one entry, such as {"measured": array}, '
            f"but it is {signals!r}"
        )
    panels = {str(name): _read_panel(each, str(name)) for name, each in signals.items()}
    marks = {} if marks is None else {str(k): np.atleast_1d(v) for k, v in marks.items()}
    _check_marks(marks, panels)
    top = 0.4 if title else 0.1
    columns = min(positive(columns, "columns"), len(panels))
    rows = -(-len(panels) // columns)
    width = PAGE_WIDTH * (0.9 if columns == 1 else 1)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, top + 1.45 * rows + 0.35),
        sharex=True, sharey=share_y, squeeze=False, FigureClass=Figure, layout="constrained",
    )  # fmt: skip
    for spare in axes.flat[len(panels) :]:
        spare.remove()
    for index, (name, curves) in enumerate(panels.items()):
        ax = axes.flat[index]
        if index + columns >= len(panels):  # the lowest of its column
            ax.set_xlabel("step")
            ax.tick_params(labelbottom=True)
        for order, (label, values) in enumerate(curves.items()):
            color = CURVE_COLORS[order % len(CURVE_COLORS)]
            ax.plot(values, color=color, label=label, linestyle="--" if order else "-")
        first = next(iter(curves.values()))
        for step in marks.get(name, []):
            ax.plot(step, first[step], "o", ms=points(11), mfc="none", mec=VERMILION,
                    mew=points(1.8), clip_on=False)  # fmt: skip
        ax.set_title(name, loc="left")
        ax.spines[["top", "right"]].set_visible(False)
        ax.margins(x=0.01, y=0.1)
        if len(curves) > 1:
            ax.legend(frameon=False, ncols=len(curves), loc="lower right",
                      bbox_to_anchor=(1.0, 0.96), borderaxespad=0)  # fmt: skip
    if title:
        figure.suptitle(title, weight="bold")
    return finish(figure, _signals_text(panels, marks, title))


def _read_panel(value, name: str) -> dict[str, np.ndarray]:
    if isinstance(value, Mapping):
        if not value:
            raise ValueError(f"the panel {name!r} holds no signal")
        return {str(key): as_signal(each, str(key)) for key, each in value.items()}
    return {name: as_signal(value, name)}


def _check_marks(marks, panels) -> None:
    for name, steps in marks.items():
        if name not in panels:
            raise ValueError(f"marks names {name!r}, but the panels are {', '.join(panels)}")
        length = len(next(iter(panels[name].values())))
        for step in steps:
            if not isinstance(step, int | np.integer) or not 0 <= step < length:
                raise ValueError(f"marks of {name!r} must be steps 0 .. {length - 1}, got {step!r}")


def _signals_text(panels, marks, title) -> str:
    parts = []
    for name, curves in panels.items():
        ranges = ", ".join(
            ("" if label == name else f"{label} ")
            + f"{len(each)} steps from {number(each.min())} to {number(each.max())}"
            for label, each in curves.items()
        )
        first = next(iter(curves.values()))
        rings = ", ".join(f"{number(first[step])} at step {step}" for step in marks.get(name, []))
        parts.append(f"{name}: {ranges}" + (f" (marked: {rings})" if rings else ""))
    return (f"{title}: " if title else "") + "; ".join(parts) + "."


@drawn
def plot_sliding_sums(
    signal,
    kernel,
    *,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    convolution: bool = False,
    title: str | None = None,
):
    """Draw a kernel at each of its positions under a signal, and write the sum of each.

    Each row is one position. With zeros added at the ends, those are hatched.

    Parameters
    ----------
    signal, kernel : array, (length,)
        Small ones: at most 12 positions are drawn.
    stride, dilation : int
        Steps from one position to the next; steps between neighboring kernel entries.
    padding : int, "valid", "same" or "full"
        Zeros at each end; "full" adds as many as let the kernel touch the signal with one entry.
    convolution : bool
        Turn the kernel around first, as a convolution does; if not, the sums are the
        cross-correlation.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which reads the sums out.

    Raises
    ------
    ValueError
        If the kernel does not fit, or there are too many positions to draw.
    """
    signal, kernel = as_signal(signal, "signal"), as_signal(kernel, "kernel")
    stride, dilation = positive(stride, "stride"), positive(dilation, "dilation")
    laid = kernel[::-1] if convolution else kernel
    reach = dilation * (len(kernel) - 1) + 1
    if padding == "full":
        padding = reach - 1
    elif not isinstance(padding, str):
        padding = pair(padding, "padding", minimum=0)[0]
    elif padding not in ("valid", "same"):
        raise ValueError(
            f'padding must be a number, "valid", "same" or "full", but it is {padding!r}'
        )
    count = output_size(len(signal), len(kernel), stride, padding, dilation)
    if count > MOST_POSITIONS or len(signal) + 2 * reach > 30:
        raise ValueError(
            f"{count} positions on {len(signal)} steps are too many to draw (at most "
            f"{MOST_POSITIONS} on about 20); use a shorter signal"
        )
    before, after = padding_amounts(len(signal), len(kernel), stride, padding, dilation)
    padded = np.pad(signal, (before, after))
    starts = [index * stride for index in range(count)]
    products = [padded[s : s + reach : dilation] * laid for s in starts]
    figure = _draw_positions(padded, laid, starts, products, dilation, (before, after), title)
    sums = format_numbers(np.array([each.sum() for each in products]))
    operation = "convolution" if convolution else "cross-correlation"
    text = (
        f"{title + ': ' if title else ''}the kernel {' '.join(format_numbers(laid))}"
        f"{' (turned around)' if convolution else ''} under the signal "
        f"{' '.join(format_numbers(padded))}"
        + (f" ({before} zeros added before, {after} after)" if before + after else "")
        + f", {plural(count, 'position')}; the sums ({operation}) are {', '.join(sums)}."
    )
    return finish(figure, text)


def _draw_positions(padded, laid, starts, products, dilation, added, title):
    lines = [_products_text(padded[s : s + dilation * len(laid) : dilation], laid, product)
             for s, product in zip(starts, products, strict=True)]  # fmt: skip
    room = max(1.4, max(map(len, lines)) * size().letters * 0.6 / 72 + 0.2)
    names = 0.95
    cell = min(0.42, (PAGE_WIDTH - names - room) / len(padded))
    width = names + len(padded) * cell + room
    heading = wrap(title, width - 0.2, 1.1) if title else ""
    top = (heading.count("\n") + 1) * line_height(1.1) + 0.12 if heading else 0.08
    gap = cell * 0.3
    height = top + cell + len(starts) * (cell + gap) + 0.1
    figure = open_figure(width, height)
    if heading:
        add_heading(figure, heading, width, height)
    y = height - top - cell
    ax = add_panel(figure, names, y, len(padded) * cell, cell, width, height)
    draw_cells(ax, padded[np.newaxis], cell, scale=scale_for([padded], cmap=PICTURE))
    _hatch(ax, len(padded), added)
    _label(figure, "signal", names, y + cell / 2, width, height)
    kernel_scale = scale_for([laid], signed=True)
    for index, (start, line) in enumerate(zip(starts, lines, strict=True)):
        y -= cell + gap
        for entry, value in enumerate(laid):
            x = names + (start + entry * dilation) * cell
            ax = add_panel(figure, x, y, cell, cell, width, height)
            draw_cells(ax, np.array([[value]]), cell, scale=kernel_scale)
        _label(figure, f"position {index}", names, y + cell / 2, width, height)
        figure.text((names + len(padded) * cell + 0.14) / width, (y + cell / 2) / height, line,
                    ha="left", va="center")  # fmt: skip
    return figure


def _label(figure, text, right, y, width, height) -> None:
    figure.text((right - 0.1) / width, y / height, text, ha="right", va="center", color="0.3")


def _hatch(ax, length: int, added: tuple[int, int]) -> None:
    """Hatch the zeros that padding added at the two ends, as the animations do."""
    before, after = added
    for left, right in ((0, before), (length - after, length)):
        if right > left:
            ax.axvspan(left - 0.5, right - 0.5, **PADDING)


def _products_text(patch, laid, product) -> str:
    """Return "1·2 + 3·0 = 2": signal times kernel, entry by entry."""
    total = format_numbers(np.asarray(product.sum())[np.newaxis])[0]
    if len(laid) > 6:
        return f"sum = {total}"
    weights = [f"({w})" if w.startswith("\N{MINUS SIGN}") else w for w in format_numbers(laid)]
    terms = [f"{p}·{w}" for p, w in zip(format_numbers(patch), weights, strict=True)]
    return " + ".join(terms) + f" = {total}"


@drawn
def plot_overlap(
    f: Callable,
    g: Callable,
    times,
    *,
    span: tuple[float, float],
    title: str | None = None,
):
    """Draw the convolution integral: g turned around and moved to t, the product, and its area.

    The upper panels show, for each of some times t, the curves f(τ) and g(t − τ) and the area under
    their product; the lower one shows (f * g)(t), in which each of those areas is one point.

    Parameters
    ----------
    f, g : callable
        Functions of an array of times. `f` must be (nearly) zero outside `span`; the areas are
        sums over 20,000 slices of it.
    times : sequence of float
        One to five times t within `span`.
    span : (float, float)
        From where to where to draw and to integrate over τ.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives the areas.
    """
    times = as_signal(times, "times").astype(np.float64)
    low, high = span
    if not low < high:
        raise ValueError(f"span must be (low, high) with low < high, but it is {span!r}")
    if len(times) > 5 or times.min() < low or times.max() > high:
        raise ValueError(
            f"times must be one to five numbers from {low:g} to {high:g}, but they are "
            f"{', '.join(f'{each:g}' for each in times)}"
        )
    # The middles of many thin slices: next to a jump only one slice can be wrong.
    tau, width = np.linspace(low, high, SLICES, endpoint=False, retstep=True)
    tau += width / 2
    curve_times = np.linspace(low, high, 401)
    curve = np.array([np.sum(f(tau) * g(t - tau)) * width for t in curve_times])
    areas = [float(np.sum(f(tau) * g(t - tau)) * width) for t in times]
    figure = plt.figure(figsize=(PAGE_WIDTH, 3.9 + (0.3 if title else 0)), FigureClass=Figure,
                        layout="constrained")  # fmt: skip
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    panels = np.ravel(upper.subplots(1, len(times), sharey=True, squeeze=False))
    for ax, t, area in zip(panels, times, areas, strict=True):
        _draw_overlap(ax, tau, f(tau), g(t - tau), t, area)
    handles, labels = panels[0].get_legend_handles_labels()
    upper.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    ax = lower.subplots()
    ax.plot(curve_times, curve, color="black")
    ax.plot(times, areas, "o", color=GREEN, mec="black", ms=7)
    for t, area in zip(times, areas, strict=True):
        ax.annotate(
            f"{area:.2f}", (t, area), xytext=(0, 7), textcoords="offset points", ha="center"
        )
    ax.set_ylim(top=max(curve.max(), max(areas)) * 1.25)
    ax.set_xlabel("time t")
    ax.set_ylabel("(f * g)(t)")
    ax.spines[["top", "right"]].set_visible(False)
    if title:
        figure.suptitle(title, weight="bold")
    listed = ", ".join(f"{area:.2f} at t = {t:g}" for t, area in zip(times, areas, strict=True))
    text = f"{title}: " if title else ""
    text += "f, g turned around and moved to t, and their product, whose area is "
    return finish(figure, f"{text}{listed}; below, the area as a curve over t.")


def _draw_overlap(ax, tau, values, moved, t, area) -> None:
    ax.fill_between(tau, values * moved, color=GREEN, alpha=0.45, lw=0, label="their product")
    ax.plot(tau, values, color=BLUE, label="f(τ)")
    ax.plot(tau, moved, color=VERMILION, linestyle="--", label="g(t − τ)")
    ax.set_title(f"t = {t:g}: area {area:.2f}")
    ax.set_xlabel("τ")
    ax.locator_params(axis="x", nbins=5)
    ax.spines[["top", "right"]].set_visible(False)
