"""Measure how long things take, and show it: several ways to do the same, and the parts of one way.

``measure`` times functions in turns, so that a disturbance meets all of them alike. ``line_times``
times every line of this package that a function runs through. ``peak_memory`` says how much memory
a function asks for. The rest shows what was measured. Lesson 11.
"""

import linecache
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.colors import to_rgb

from cnnedu.shapes import positive
from cnnedu.visualization.colors import CURVE_COLORS, ink_on
from cnnedu.visualization.curves import DASHES, MARKERS
from cnnedu.visualization.figures import (
    PAGE_WIDTH,
    Figure,
    drawn,
    finish,
    number,
    open_axes,
    plt,
    points,
    size,
)

PACKAGE = str(Path(__file__).resolve().parents[1])
SHORTEST_RUN = 0.001
"""Seconds: quicker functions are called several times for one reading of the clock."""
HATCHES = ("", "////", "....")
MOST_PARTS = 24


# ---------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------


class Timing(NamedTuple):
    """How long one call took, in seconds: the median of all runs, the middle half, the fastest."""

    median: float
    low: float
    """A quarter of the runs were faster."""
    high: float
    """A quarter of the runs were slower."""
    fastest: float
    runs: int


def measure(
    functions: Mapping[str, Callable[[], object]],
    *,
    seconds: float = 0.5,
    least: int = 5,
    most: int = 200,
) -> dict[str, Timing]:
    """Time functions by turns: every round calls each of them.

    A first round, in which memory is fetched and caches are filled, does not count. Functions that
    take less than a millisecond are called several times in a row.

    Parameters
    ----------
    functions : mapping of str to callable
        What to time, by name; called without arguments.
    seconds : float
        How long to go on, all functions together, if `least` and `most` allow it.
    least, most : int
        How many rounds at least and at most.

    Returns
    -------
    dict of str to Timing
        In seconds for one call.
    """
    if not isinstance(functions, Mapping) or not functions:
        raise ValueError(
            'functions must be a mapping with at least one entry, such as {"loops": function}, '
            f"but it is {functions!r}"
        )
    least, most = positive(least, "least"), positive(most, "most")
    for function in functions.values():
        function()
    repeats = {name: _repeats(function) for name, function in functions.items()}
    found: dict[str, list[float]] = {name: [] for name in functions}
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < least or (rounds < most and time.perf_counter() < end):
        for name, function in functions.items():
            found[name].append(_clock(function, repeats[name]))
        rounds += 1
    quartiles = {name: np.quantile(times, [0.5, 0.25, 0.75, 0]) for name, times in found.items()}
    return {name: Timing(*map(float, each), rounds) for name, each in quartiles.items()}


def _clock(function: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def _repeats(function: Callable[[], object]) -> int:
    once = _clock(function, 1)
    return max(1, int(np.ceil(SHORTEST_RUN / max(once, 1e-7))))


def measure_over(
    values: Iterable[float],
    make: Callable[[float], Mapping[str, Callable[[], object]]],
    **options,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Time several ways over a range of sizes.

    Parameters
    ----------
    values : iterable of numbers
        The sizes.
    make : callable
        ``make(value)`` returns the functions to time at that size, by name; a way that does not
        apply there is left out.
    **options
        For `measure`, at each size.

    Returns
    -------
    dict of str to (values, seconds)
        One curve for each way, for `plot_timings`.
    """
    curves: dict[str, tuple[list, list]] = {}
    for value in values:
        for name, timing in measure(make(value), **options).items():
            places, times = curves.setdefault(name, ([], []))
            places.append(value)
            times.append(timing.median)
    return {name: (np.array(x), np.array(y)) for name, (x, y) in curves.items()}


def peak_memory(function: Callable[[], object]) -> int:
    """Return how many bytes a function has in use at most, beside what was there before.

    NumPy tells Python's ``tracemalloc`` of every array; what libraries use inside themselves is not
    seen. Reading the count slows the function down, so do not time it here.
    """
    running = tracemalloc.is_tracing()
    if running:
        tracemalloc.reset_peak()
    else:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not running:
            tracemalloc.stop()


class Line(NamedTuple):
    """A line of the package's source, and the functions that led to it, the outermost first."""

    file: str
    number: int
    text: str
    callers: tuple[str, ...]

    @property
    def function(self) -> str:
        """The function in which the line stands."""
        return self.callers[-1]


def line_times(function: Callable[[], object], *, rounds: int = 20) -> dict[Line, float]:
    """Time every line of this package that a function runs through, in this thread.

    Python calls a watcher before each line (``sys.settrace``); the time until the next call belongs
    to the line, with all that it calls outside of the package. That slows the function down a
    little, but the watcher's own time is not counted.

    Parameters
    ----------
    function : callable
        Called without arguments.
    rounds : int
        How often; one more call before them does not count.

    Returns
    -------
    dict of Line to float
        Seconds for one call of the function: the median over the rounds, slowest lines first.
    """
    rounds = positive(rounds, "rounds")
    function()
    watchers = [_Watcher() for _ in range(rounds)]
    for watcher in watchers:
        watcher.watch(function)
    places = {place for watcher in watchers for place in watcher.times}
    medians = {p: float(np.median([w.times[p] for w in watchers])) for p in places}
    found: Counter = Counter()
    for (code, at, callers), seconds in medians.items():
        text = linecache.getline(code.co_filename, at).strip()
        found[Line(Path(code.co_filename).name, at, text, callers)] += seconds
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


PARTS = {
    "winograd.py": "Winograd",
    "fused.py": "pooling, bias, ReLU",
    "dense.py": "dense layers",
    "dropout.py": "dropout",
    "losses.py": "loss",
    "optimizers.py": "update",
}
"""What the files of the package do in a training step."""


def training_parts(lines: Mapping[Line, float]) -> dict[str, dict[str, float]]:
    """Sort the lines of a training step into its parts.

    Parameters
    ----------
    lines : mapping of Line to float
        What `line_times` returned for a training step.

    Returns
    -------
    dict
        From the name of a part to the seconds of its lines on the way "forward" and "backward", and
        "outside" of the layers; largest first. "patches" are written or added back, "products" are
        those of the direct convolution.
    """
    parts: dict[str, dict[str, float]] = {}
    for line, seconds in lines.items():
        part = PARTS.get(line.file, "everything else")
        if line.file in ("convolution.py", "geometry.py"):
            part = "products" if "matmul" in line.text else "patches"
        way = "outside"
        if {"compute", "differentiate"} & set(line.callers):
            way = "backward" if "differentiate" in line.callers else "forward"
        parts.setdefault(part, dict.fromkeys(("forward", "backward", "outside"), 0.0))
        parts[part][way] += seconds
    return dict(sorted(parts.items(), key=lambda each: -sum(each[1].values())))


class _Watcher:
    """Adds up the time between the lines of one call."""

    def __init__(self) -> None:
        self.times: Counter = Counter()
        self.place, self.callers, self.outside = None, (), []
        self.since = 0.0

    def watch(self, function: Callable[[], object]) -> None:
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            function()
        finally:
            sys.settrace(before)

    def _enter(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        self.outside.append((self.place, self.callers))
        self.callers += (frame.f_code.co_name,)
        return self._visit(frame, event, argument)

    def _visit(self, frame, event, argument):
        if self.place is not None:
            self.times[self.place] += time.perf_counter() - self.since
        if event == "return":
            self.place, self.callers = self.outside.pop()
        else:
            self.place = frame.f_code, frame.f_lineno, self.callers
        self.since = time.perf_counter()
        return self._visit


# ---------------------------------------------------------------------------------------------
# Showing
# ---------------------------------------------------------------------------------------------


def timing_table(
    timings: Mapping[str, Timing],
    *,
    operations: float | None = None,
    columns: Mapping[str, Mapping[str, object]] | None = None,
) -> str:
    """Return a table of timings as text: one line per way, compared with the first.

    Parameters
    ----------
    timings : mapping of str to Timing
        What `measure` returned.
    operations : float, optional
        How many additions and multiplications the work is said to take; adds a column Gflop/s (10⁹
        of them in a second).
    columns : mapping of str to mapping, optional
        More columns: from a heading to what stands in it, by the name of the way.

    Returns
    -------
    str
    """
    first = next(iter(timings.values())).median
    rows = [["", "milliseconds", "middle half", "speed-up"]]
    rows[0] += ["Gflop/s"] if operations else []
    rows[0] += list(columns or {})
    for name, timing in timings.items():
        row = [
            name,
            _short(1000 * timing.median),
            f"{_short(1000 * timing.low)} to {_short(1000 * timing.high)}",
            f"{_short(first / timing.median)} x",
        ]
        row += [_short(operations / timing.median / 1e9)] if operations else []
        row += [str(column.get(name, "")) for column in (columns or {}).values()]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _short(value: float) -> str:
    """Return three digits that count, and no exponents."""
    digits = max(0, 2 - int(np.floor(np.log10(value)))) if value > 0 else 0
    return f"{value:,.{min(digits, 4)}f}"


def read_timings(panels: Mapping[str, Mapping[str, tuple]]) -> str:
    """Say in words which way was the fastest where, and by how much.

    Parameters
    ----------
    panels : mapping
        As for `plot_timings`.

    Returns
    -------
    str
        One sentence per panel.
    """
    lines = []
    for label, curves in _read_panels(panels).items():
        runs: list[tuple[str, list[float], list[float]]] = []
        for value in sorted({float(v) for x, _ in curves.values() for v in x}):
            times = {name: y[x == value][0] for name, (x, y) in curves.items() if value in x}
            best = min(times, key=times.get)
            others = [each for name, each in times.items() if name != best]
            lead = min(others) / times[best] if others else np.nan
            if not runs or runs[-1][0] != best:
                runs.append((best, [], []))
            runs[-1][1].append(value)
            runs[-1][2].append(lead)
        said = [f"{best} is fastest at {_span(at)}{_lead(by)}" for best, at, by in runs]
        lines.append(f"{label}: " + "; ".join(said) + ".")
    return "\n".join(lines)


def _span(values: list[float]) -> str:
    ends = f"{values[0]:g}", f"{values[-1]:g}"
    if len(values) < 3:
        return " and ".join(dict.fromkeys(ends))
    return f"{ends[0]} to {ends[1]}"


def _lead(leads: list[float]) -> str:
    if np.isnan(leads).any():
        return ""
    if max(leads) < 1.05:
        return " (the next takes as long)"
    low, high = f"{min(leads):.1f}", f"{max(leads):.1f}"
    if min(leads) < 1.05:
        return f" (up to {high} times as fast as the next)"
    span = low if low == high else f"{low} to {high}"
    return f" ({span} times as fast as the next)"


def _read_panels(panels) -> dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]:
    if not isinstance(panels, Mapping) or not panels or not all(panels.values()):
        raise ValueError(
            'panels must be a mapping such as {"kernel size": curves}, each with at least one '
            f"curve, but it is {panels!r}"
        )
    read: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for label, curves in panels.items():
        read[str(label)] = {}
        for name, (x, y) in curves.items():
            x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
            if x.ndim != 1 or x.shape != y.shape or not x.size:
                raise ValueError(
                    f"the curve {name!r} over {label!r} must have as many seconds as values, but "
                    f"their shapes are {y.shape} and {x.shape}"
                )
            if not (np.isfinite(x).all() and np.isfinite(y).all() and x.min() > 0 < y.min()):
                raise ValueError(
                    f"the curve {name!r} over {label!r} must have values and seconds above 0"
                )
            read[str(label)][str(name)] = x, y
    return read


@drawn
def plot_timings(
    panels: Mapping[str, Mapping[str, tuple]],
    *,
    title: str | None = None,
):
    """Draw how long several ways take over a range of sizes, one panel for each kind of size.

    Both axes are logarithmic: a constant factor is a constant distance.

    Parameters
    ----------
    panels : mapping of str to mapping
        From what is varied ("kernel size") to curves: a mapping from the name of a way to (values,
        seconds), as `measure_over` returns them. A way has the same color in all panels.
    title : str, optional
        Heading of the figure.

    Returns
    -------
    Figure
        With `alt`, which says what `read_timings` says.

    Raises
    ------
    ValueError
        If there is nothing to draw, there are too many ways, or a curve does not consist of
        positive numbers.
    """
    read = _read_panels(panels)
    names = list(dict.fromkeys(name for curves in read.values() for name in curves))
    if len(names) > len(CURVE_COLORS):
        raise ValueError(
            f"panels hold {len(names)} different ways; at most {len(CURVE_COLORS)} can be told "
            "apart"
        )
    figure, axes = plt.subplots(
        1, len(read), figsize=(min(PAGE_WIDTH, 2.0 + 2.9 * len(read)), 3.2), sharey=True,
        squeeze=False, FigureClass=Figure, layout="constrained",
    )  # fmt: skip
    for ax, (label, curves) in zip(axes[0], read.items(), strict=True):
        for name, (x, y) in curves.items():
            index = names.index(name)
            ax.plot(x, 1000 * y, color=CURVE_COLORS[index], linestyle=DASHES[index],
                    marker=MARKERS[index], ms=points(4.5), label=name)  # fmt: skip
        _finish_panel(ax, label, sorted({float(v) for x, _ in curves.values() for v in x}))
    axes[0, 0].set_ylabel("milliseconds")
    handles = {
        label: handle
        for ax in axes[0]
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    handles = {name: handles[name] for name in names}
    figure.legend(handles.values(), handles, loc="outside lower center", ncols=len(names),
                  frameon=False, handlelength=3)  # fmt: skip
    if title:
        figure.suptitle(title, weight="bold")
    heading = f"{title}: " if title else ""
    return finish(figure, heading + read_timings(panels).replace("\n", " "))


def _finish_panel(ax, label: str, values: list[float]) -> None:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks(values, [f"{value:g}" for value in values])
    ax.minorticks_off()
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.set_xlabel(label)
    ax.grid(True, color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


@drawn
def plot_parts(parts: Mapping, *, title: str | None = None, ax=None):
    """Draw where the time goes: one bar for each part, with its milliseconds and its share.

    Parameters
    ----------
    parts : mapping
        From the name of a part to its seconds; or to a mapping from kinds ("forward", "backward")
        to seconds, which are drawn one after the other in one bar.
    title : str, optional
        Above the bars.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Figure
        With `alt`, which reads the parts out.

    Raises
    ------
    ValueError
        If there is no part, there are too many, or a time is negative or not finite.
    """
    read = _read_parts(parts)
    kinds = list(dict.fromkeys(kind for times in read.values() for kind in times))
    if len(kinds) > len(HATCHES) or len(read) > MOST_PARTS:
        raise ValueError(
            f"parts holds {len(read)} parts of {len(kinds)} kinds; at most {MOST_PARTS} of "
            f"{len(HATCHES)} can be drawn"
        )
    sums = {name: sum(times.values()) for name, times in read.items()}
    total, longest = sum(sums.values()), max(sums.values())
    if not total:
        raise ValueError("parts holds nothing but zeros; there is nothing to draw")
    figure, ax = open_axes(ax, 0.86 * PAGE_WIDTH, 0.85 + 0.3 * len(read))
    start = np.zeros(len(read))
    for index, kind in enumerate(kinds):
        color = CURVE_COLORS[(0, 4, 2)[index]]
        widths = 1000 * np.array([times.get(kind, 0) for times in read.values()])
        ax.barh(range(len(read)), widths, 0.72, start, color=color, hatch=HATCHES[index],
                edgecolor=ink_on(to_rgb(color)), linewidth=0,
                label=kind)  # fmt: skip
        start += widths
    texts = {name: f"{_short(1000 * each)} ms, {each / total:.0%}" for name, each in sums.items()}
    for row, (name, text) in enumerate(texts.items()):
        ax.annotate(text, (1000 * sums[name], row), xytext=(4, 0), textcoords="offset points",
                    va="center", size=size().letters * 0.95)  # fmt: skip
    ax.set_yticks(range(len(read)), list(read))
    ax.set_ylim(len(read) - 0.4, -0.6)
    ax.set_xlim(0, 1000 * longest * 1.28)
    ax.tick_params(axis="y", length=0)
    ax.set_xlabel(f"milliseconds ({number(1000 * total)} in all)")
    ax.spines[["top", "right"]].set_visible(False)
    if len(kinds) > 1:
        ax.legend(frameon=False, loc="lower right")
    if title:
        ax.set_title(title, weight="bold")
    heading = f"{title}: " if title else ""
    listed = "; ".join(f"{name}: {text}" for name, text in texts.items())
    return finish(figure, f"{heading}{number(1000 * total)} ms in all. {listed}.")


def _read_parts(parts) -> dict[str, dict[str, float]]:
    if not isinstance(parts, Mapping) or not parts:
        raise ValueError(
            'parts must be a mapping with at least one entry, such as {"product": seconds}, '
            f"but it is {parts!r}"
        )
    read = {}
    for name, value in parts.items():
        times = dict(value) if isinstance(value, Mapping) else {"": value}
        read[str(name)] = {str(kind): float(each) for kind, each in times.items()}
        if not all(np.isfinite(each) and each >= 0 for each in read[str(name)].values()):
            raise ValueError(f"the times of {name!r} must be finite numbers from 0 on, got {value}")
    return read
