"""What a layer looks for: its kernels, and what training made of them."""

import math

import numpy as np

from cnnedu.visualization.cells import draw_cells
from cnnedu.visualization.colors import scale_for
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    add_heading,
    add_panel,
    bar_room,
    bare,
    drawn,
    finish,
    line_height,
    number,
    open_axes,
    open_figure,
    open_grid,
    plural,
    size,
    style_colorbar,
    wrap,
)
from cnnedu.visualization.inputs import as_array, as_kernels, as_titles, is_layer, is_network

MOST_SHOWN = 64


@drawn
def plot_filters(
    filters,
    titles=None,
    columns: int | None = None,
    *,
    layer: str | int | None = None,
    numbers: bool | None = None,
    title: str | None = None,
    axes=None,
):
    """Draw the kernels of a layer on one zero-centered scale.

    With one input channel each kernel is a panel of its own. With several, each *row* is a filter
    and each *column* the input channel that this part of it looks at; layers with few channels and
    many filters put several filters side by side.

    Parameters
    ----------
    filters : layer, network, array or mapping
        A convolution layer; a network together with `layer`; weights (F, C, kh, kw) or
        (F, kh, kw) or one kernel (kh, kw); or kernels by name (a mapping or a list of names
        from `cnnedu.kernels`).
    titles : sequence, optional
        One per filter (one input channel only).
    columns : int, optional
        Panels in a row (one input channel only).
    layer : str or int, optional
        Which layer of a network; its first convolution layer if not given.
    numbers : bool, optional
        Write the weights into the cells; if not given, done for at most eight small kernels.
    title : str, optional
        Heading of the figure.
    axes : Axes or sequence of Axes, optional
        Where to draw: one axes per filter, or a single one for several input channels.

    Returns
    -------
    Figure
        With `alt`.

    Raises
    ------
    ValueError
        If the layer has no kernels, or the shape is none of those above.
    """
    weights, names = _read_filters(filters, layer)
    if titles is not None:
        names = as_titles(titles, len(weights), "filters")
    if weights.shape[1] > 1:
        return _plot_channels(weights, title, axes)
    kernels = weights[:MOST_SHOWN, 0]
    if names is None:
        names = [str(index) for index in range(len(weights))] if len(weights) > 1 else [""]
    more = len(weights) > MOST_SHOWN
    note = f"The first {MOST_SHOWN} of {len(weights)} filters" if more else None
    heading = ". ".join(part for part in (title, note) if part) or None
    return _plot_kernels(kernels, names[:MOST_SHOWN], columns, numbers, heading, axes)


def _plot_kernels(kernels, names, columns, numbers, heading, axes):
    small = max(kernels.shape[1:]) <= 5
    if numbers is None:
        numbers = small and len(kernels) <= 8
    scale = scale_for(kernels, signed=True)
    ratio = kernels.shape[1] / kernels.shape[2]
    most = 10 if not numbers else max(2, 24 // kernels.shape[2])
    largest = 1.6 if len(kernels) > 1 else 2.4
    grid = open_grid(names, ratio, columns=columns, most=most, largest=largest,
                     heading=heading, colorbar=True, axes=axes)  # fmt: skip
    image = None
    for ax, each, name in zip(grid.axes, kernels, grid.titles, strict=True):
        cell = ax.get_position().width * ax.figure.get_figwidth() / each.shape[1]
        image, _ = draw_cells(ax, each, cell, scale=scale, numbers=numbers, title=name)
    grid.colorbar(image, "weight")
    return finish(grid.figure, _filters_text(kernels[:, np.newaxis], names, heading))


def _plot_channels(weights, title, axes):
    count, channels = weights.shape[:2]
    shown = weights[:MOST_SHOWN, :MOST_SHOWN]
    mosaic, x_ticks, y_ticks, blocks = _mosaic(shown)
    scale = scale_for([shown], signed=True)
    width = min(PAGE_WIDTH - 1.2, max(2.5, 0.055 * mosaic.shape[1]))
    height = min(9.0, width * mosaic.shape[0] / mosaic.shape[1])
    ax = None if axes is None else np.ravel(np.asarray(axes, dtype=object))[0]
    figure, ax = open_axes(ax, width + 1.2, height + 0.7)
    image = ax.imshow(mosaic, cmap=scale.cmap, vmin=scale.low, vmax=scale.high,
                      interpolation="nearest")  # fmt: skip
    ax.set_facecolor("white")
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(length=0, pad=2)
    ax.set_xticks(*_thin(x_ticks, [i % shown.shape[1] for i in range(len(x_ticks))]))
    ax.set_yticks(*_thin(y_ticks, [i * blocks for i in range(len(y_ticks))]))
    ax.set_xlabel("input channel" + (f" ({blocks} filters side by side)" if blocks > 1 else ""))
    ax.set_ylabel("filter" if blocks == 1 else "first filter of the row")
    note = ""
    if shown.shape != weights.shape:
        note = f"{len(shown)} of {count} filters, {shown.shape[1]} of {channels} channels"
    heading = ". ".join(part for part in (title, note) if part)
    if heading:
        ax.set_title(wrap(heading, width + 0.8), size=size().letters * 1.1, weight="bold")
    bar = figure.colorbar(image, ax=ax, pad=0.02, aspect=20, shrink=min(1.0, 3.0 / height))
    style_colorbar(bar, "weight")
    return finish(figure, _filters_text(weights, None, title))


def _mosaic(weights):
    """Lay filters out in rows of blocks, one block per filter, NaN in the gaps between."""
    count, channels, height, width = weights.shape
    blocks = max(1, min(count, round(math.sqrt(1.6 * count / channels))))
    rows = math.ceil(count / blocks)
    block_width = channels * (width + 1) + 1
    mosaic = np.full((rows * (height + 1) - 1, blocks * block_width - 2), np.nan)
    x_ticks = []
    for index in range(count):
        row, block = divmod(index, blocks)
        for channel in range(channels):
            top, left = row * (height + 1), block * block_width + channel * (width + 1)
            mosaic[top : top + height, left : left + width] = weights[index, channel]
            if row == 0:
                x_ticks.append(left + (width - 1) / 2)
    y_ticks = [row * (height + 1) + (height - 1) / 2 for row in range(rows)]
    return mosaic, x_ticks, y_ticks, blocks


def _thin(places, names, most: int = 33):
    step = math.ceil(len(places) / most)
    return places[::step], [str(name) for name in names[::step]]


def _read_filters(filters, layer):
    """Return weights (F, C, kh, kw) and their names, if they have any."""
    if is_network(filters):
        filters = _pick_layer(filters, layer)
    if is_layer(filters):
        weight = filters.params.get("weight")
        if weight is None or np.ndim(weight) != 4:
            shape = None if weight is None else np.shape(weight)
            raise ValueError(
                f"plot_filters needs a convolution layer, with weights (F, C, kh, kw), but "
                f"{getattr(filters, 'name', None) or type(filters).__name__} has "
                + ("no weights" if shape is None else f"weights of shape {shape}")
            )
        return as_array(weight, "weight"), None
    if isinstance(filters, str | dict) or (
        isinstance(filters, list | tuple) and filters and isinstance(filters[0], str)
    ):
        named = as_kernels(filters, "filters")
        shapes = {each.shape for each in named.values()}
        if len(shapes) > 1:
            raise ValueError(f"filters must all have one shape, but there are {sorted(shapes)}")
        return np.stack(list(named.values()))[:, np.newaxis], list(named)
    array = as_array(filters, "filters")
    if array.ndim not in (2, 3, 4):
        raise ValueError(
            f"filters must have shape (F, C, kh, kw), (F, kh, kw) or (kh, kw), "
            f"but the shape is {array.shape}"
        )
    if array.ndim == 2:
        return array[np.newaxis, np.newaxis], None
    return (array[:, np.newaxis] if array.ndim == 3 else array), None


def _pick_layer(network, layer):
    if layer is not None:
        return network[layer]
    for each in network.layers:
        if np.ndim(each.params.get("weight", 0)) == 4:
            return each
    raise ValueError("plot_filters needs a network with a convolution layer, but it has none")


def _filters_text(weights, names, title) -> str:
    count, channels, height, width = weights.shape
    text = f"{title}: " if title else ""
    text += f"{plural(count, 'filter')} of {height} x {width} weights"
    if channels > 1:
        text += f" for each of {channels} input channels"
    text += f", from {number(weights.min())} to {number(weights.max())}"
    if names and count <= 12:
        parts = [
            f"{name} (sum {number(each.sum())}, {(each > 0).sum()} positive and "
            f"{(each < 0).sum()} negative)".strip()
            for name, each in zip(names, weights, strict=True)
        ]
        text += ": " + "; ".join(parts)
    return text + "."


@drawn
def plot_init_vs_learned(
    initial,
    learned,
    *,
    channel: int = 0,
    columns: int | None = None,
    title: str | None = None,
):
    """Draw filters before training, after it, and the difference, with their correlation.

    A correlation near 1 says that the filter is still its random start; near 0, that training made
    something else of it.

    Parameters
    ----------
    initial, learned : array
        Weights (F, C, kh, kw), (F, kh, kw) or (kh, kw), of one shape.
    channel : int
        The input channel to draw; the correlation is over all of them.
    columns : int, optional
        Filters in a row, at most 12 if not given.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which gives the correlations.
    """
    initial, _ = _read_filters(initial, None)
    learned, _ = _read_filters(learned, None)
    if initial.shape != learned.shape:
        raise ValueError(
            f"initial and learned must have one shape, but they have {initial.shape} and "
            f"{learned.shape}"
        )
    if not 0 <= channel < initial.shape[1]:
        raise ValueError(f"channel must be 0 .. {initial.shape[1] - 1}, but it is {channel!r}")
    correlations = filter_correlations(initial, learned)
    count = min(len(initial), MOST_SHOWN)
    rows = [each[:count, channel] for each in (initial, learned, learned - initial)]
    figure = _draw_three_rows(rows, correlations[:count], columns, title)
    channels = initial.shape[1]
    channel_note = f" (channel {channel} of {channels} drawn)" if channels > 1 else ""
    listed = ", ".join(
        "undefined" if np.isnan(each) else f"{each:.2f}".replace("-", "\N{MINUS SIGN}")
        for each in correlations[:count]
    )
    text = f"{title}: " if title else ""
    text += (
        f"{plural(len(initial), 'filter')} at the start, after training, and the difference"
        f"{channel_note}; correlation of each filter with its start: {listed}."
    )
    return finish(figure, text)


def filter_correlations(initial: np.ndarray, learned: np.ndarray) -> np.ndarray:
    """Return the correlation of each filter with its start: (F,), NaN where one is constant."""
    a = initial.reshape(len(initial), -1).astype(np.float64)
    b = learned.reshape(len(learned), -1).astype(np.float64)
    a = a - a.mean(axis=1, keepdims=True)
    b = b - b.mean(axis=1, keepdims=True)
    norms = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    products = (a * b).sum(axis=1)
    return np.divide(products, norms, out=np.full(len(a), np.nan), where=norms > 0)


def _draw_three_rows(rows, correlations, columns, title):
    count = len(rows[0])
    columns = min(count, columns or math.ceil(count / math.ceil(count / 12)))
    blocks = math.ceil(count / columns)
    names, side, gap = 0.85, bar_room(), 0.08
    width = min(1.1, (PAGE_WIDTH - names - side) / columns - gap)
    height = width * rows[0].shape[1] / rows[0].shape[2]
    label_height = 2 * line_height() + 0.1
    block_height = label_height + 3 * (height + gap) + 0.1
    total_width = max(names + columns * (width + gap) + side, 3.6)
    heading = wrap(title, total_width - 0.2, 1.1) if title else ""
    heading_height = (heading.count("\n") + 1) * line_height(1.1) + 0.1 if heading else 0
    total_height = heading_height + blocks * block_height + 0.05
    figure = open_figure(total_width, total_height)
    if heading:
        add_heading(figure, heading, total_width, total_height)
    scale = scale_for(rows, signed=True)
    image = None
    for index in range(count):
        block, column = divmod(index, columns)
        for row, label in enumerate(("start", "learned", "difference")):
            x = names + column * (width + gap) + 0.06
            y = total_height - heading_height - block * block_height
            y -= label_height + (row + 1) * (height + gap)
            ax = add_panel(figure, x, y, width, height, total_width, total_height)
            image = ax.imshow(rows[row][index], cmap=scale.cmap, vmin=scale.low, vmax=scale.high)
            bare(ax)
            if row == 0:
                value = correlations[index]
                written = "–" if np.isnan(value) else f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
                letters = min(size().letters, width * 72 / 3.4)
                ax.set_title(f"{index}\n{written}", pad=3, size=letters)
                if column == 0:
                    ax.annotate("filter\ncorrelation", (0, 1), xycoords="axes fraction",
                                xytext=(-4, 3), textcoords="offset points", ha="right",
                                va="bottom", size=0.88 * letters, color="0.3")  # fmt: skip
            if column == 0:
                ax.set_ylabel(label, rotation=0, ha="right", va="center", labelpad=4)
    tall = min(total_height - heading_height - 0.5, 2.6)
    bar_axes = add_panel(
        figure, total_width - side + 0.12, 0.1, 0.13, tall, total_width, total_height
    )
    style_colorbar(figure.colorbar(image, cax=bar_axes), "weight")
    return figure
