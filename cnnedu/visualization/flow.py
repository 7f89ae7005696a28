"""How weights and gradients flow through a training, layer by layer."""

import numpy as np

from cnnedu.flow import LEVELS
from cnnedu.visualization.cells import MINUS
from cnnedu.visualization.colors import BLUE, CURVE_COLORS
from cnnedu.visualization.curves import DASHES
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    drawn,
    finish,
    number,
    plural,
    points,
    root_figure,
)

MOST_ARRAYS = len(CURVE_COLORS)
SHOWS = ("size", "spread")


@drawn
def plot_flow(flow, *, show: str = "size", names=None, title: str | None = None, axes=None):
    """Draw what a `FlowRecorder` noted: weights and gradients of each layer during training.

    Parameters
    ----------
    flow : FlowRecorder
        After a training: ``fit(..., callbacks=[flow])``.
    show : {"size", "spread"}
        "size": root mean square, one curve per layer, on logarithmic axes: are the first layers'
        gradients as large as the last ones'? "spread": one column per layer, with the median as a
        line and bands that hold half and nine tenths of all numbers; one scale for all weights, one
        for each layer's gradients.
    names : sequence of str, optional
        Which arrays, such as "conv1.weight"; all (the first six) if not given.
    title : str, optional
        Heading of the figure.
    axes : sequence of Axes, optional
        Two for "size": weights, gradients. For "spread" one per layer for the weights, then one per
        layer for the gradients.

    Returns
    -------
    Figure
        With `alt`.
    """
    if not hasattr(flow, "weight_size") or not hasattr(flow, "gradient_spread"):
        raise TypeError(
            f"flow must be a FlowRecorder, but it is a {type(flow).__name__}; make one with "
            "FlowRecorder(every=10) and give it to fit(..., callbacks=[flow])"
        )
    if not flow.steps:
        raise ValueError("flow is empty: no training has been recorded yet")
    if show not in SHOWS:
        raise ValueError(f"show must be 'size' or 'spread', but it is {show!r}")
    names = list(flow.weight_size)[:MOST_ARRAYS] if names is None else list(names)
    for name in names:
        if name not in flow.weight_size:
            known = ", ".join(flow.weight_size)
            raise ValueError(f"there is no {name!r} in flow; recorded are {known}")
    if not 1 <= len(names) <= MOST_ARRAYS:
        raise ValueError(f"names must hold 1 to {MOST_ARRAYS} arrays, but there are {len(names)}")
    draw = _draw_sizes if show == "size" else _draw_spreads
    figure = draw(flow, names, axes)
    if title and axes is None:
        figure.suptitle(title, weight="bold")
    return finish(figure, _flow_text(flow, names, title))


def _open(rows: int, columns: int, axes, width: float, height: float):
    if axes is not None:
        panels = list(np.ravel(np.asarray(axes, dtype=object)))
        if len(panels) < rows * columns:
            raise ValueError(f"axes must hold {rows * columns} axes, but there are {len(panels)}")
        return root_figure(panels[0]), panels
    import matplotlib.pyplot as plt

    figure, made = plt.subplots(
        rows, columns, figsize=(width, height), FigureClass=Figure, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    return figure, list(made.ravel())


def _draw_sizes(flow, names, axes):
    figure, panels = _open(1, 2, axes, PAGE_WIDTH, 3.1)
    for ax, sizes, what in zip(
        panels, (flow.weight_size, flow.gradient_size), ("weights", "gradients"), strict=False
    ):
        for index, name in enumerate(names):
            # A gradient of exactly zero has no place on a logarithmic axis: a gap says so.
            values = np.where(np.array(sizes[name]) > 0, sizes[name], np.nan)
            ax.plot(flow.steps, values, linestyle=DASHES[index], color=CURVE_COLORS[index],
                    marker="o" if len(flow.steps) <= 30 else None, ms=points(3),
                    label=_short(name))  # fmt: skip
        ax.set_yscale("log")
        _finish(ax, what)
        ax.set_ylabel("root mean square")
    if axes is None:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside right upper", frameon=False)
    else:
        panels[0].legend(frameon=False)
    return figure


def _draw_spreads(flow, names, axes):
    figure, panels = _open(2, len(names), axes, PAGE_WIDTH, 4.2)
    widest = max(np.abs(flow.weight_spread[name]).max() for name in names) or 1.0
    for row, (spreads, what) in enumerate(
        ((flow.weight_spread, "weights"), (flow.gradient_spread, "gradients"))
    ):
        for column, name in enumerate(names):
            ax = panels[row * len(names) + column]
            bands = np.array(spreads[name])
            for low, high, alpha in ((0, 4, 0.2), (1, 3, 0.35)):
                ax.fill_between(flow.steps, bands[:, low], bands[:, high], color=BLUE, alpha=alpha,
                                linewidth=0)  # fmt: skip
            ax.plot(flow.steps, bands[:, 2], color=BLUE)
            _finish(ax, f"{_short(name)}: {what}")
            limit = 1.05 * (widest if row == 0 else np.abs(bands).max() or 1.0)
            ax.set_ylim(-limit, limit)
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", MINUS))
            ax.locator_params(nbins=4)
    return figure


def _finish(ax, title: str) -> None:
    ax.set_title(title)
    ax.set_xlabel("step")
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def _short(name: str) -> str:
    return name.removesuffix(".weight")


def _flow_text(flow, names, title) -> str:
    parts = [
        f"{name}: weights {number(flow.weight_size[name][0])} to "
        f"{number(flow.weight_size[name][-1])}, gradients "
        f"{number(flow.gradient_size[name][0])} to {number(flow.gradient_size[name][-1])}"
        for name in names
    ]
    text = f"{title}: " if title else ""
    text += f"root mean square at {plural(len(flow.steps), 'step')}, the first and the last; "
    text += f"bands of the spread at {', '.join(str(each) for each in LEVELS)} %; "
    return text + "; ".join(parts) + "."
