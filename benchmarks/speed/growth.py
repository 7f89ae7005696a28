"""How the cost of one convolution grows, and a picture of it with the machine's own limits.

Forward and backward through one layer, one thread. The direct form needs
``3 * 2 * C * F * kh * kw * P * Q`` operations an image (output, weights' gradient, input's
gradient). Divided by the speed of the matrix product this is a floor that only another algorithm
can go below.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from benchmarks.speed.processes import PeerError, Process
from benchmarks.speed.timing import quartiles, require_close, take_turns


class Point(NamedTuple):
    """One convolution: as many channels out as in, padding that keeps the side."""

    batch: int = 50
    side: int = 16
    channels: int = 32
    kernel: int = 5

    @property
    def operations(self) -> int:
        """How many the direct form takes for one image, forward and backward."""
        return 6 * (self.channels * self.kernel * self.side) ** 2

    @property
    def bytes(self) -> int:
        """How many must be moved for one image: each map read or written once for each product."""
        return 4 * 6 * self.channels * self.side**2

    @property
    def shapes(self) -> tuple:
        """Shapes of images and weight, and the padding."""
        x = (self.batch, self.channels, self.side, self.side)
        return x, (self.channels, self.channels, self.kernel, self.kernel), self.kernel // 2


AXES = {
    "batch": (1, 2, 5, 10, 25, 50, 100, 200),
    "side": (6, 8, 12, 16, 24, 32, 48),
    "channels": (2, 4, 8, 16, 32, 64, 128),
    "kernel": (1, 3, 5, 7, 9, 11),
}
TOLERANCE = 1e-4


def names_for(point: Point, have_pytorch: bool) -> list[str]:
    """Return who can compute this convolution."""
    names = ["direct"] + ["winograd"] * (point.kernel in (3, 5))
    return names + ["pytorch", "pytorch, channels last"] * have_pytorch


def measure_point(point: Point, processes: dict[str, Process], rounds: int, seconds: float) -> dict:
    """Return quartiles of the seconds an image takes, by name; all results are compared first."""
    runs, reference = {}, None
    for name in names_for(point, "pytorch" in processes):
        # One process for each name: a process keeps one convolution ready.
        process = processes[name]
        process.prepare_convolution(name, *point.shapes)
        results = process.check_convolution()
        if reference is None:
            reference = results
        require_close(f"{name}, {point}", results, reference, TOLERANCE)
        process.run_convolution(1)
        repeats = max(1, round(seconds / process.run_convolution(1)))
        share = repeats * point.batch
        runs[name] = lambda p=process, r=repeats, share=share: p.run_convolution(r) / share
    return {name: quartiles(times) for name, times in take_turns(runs, rounds).items()}


def measure(axes: dict, torch_python: str | None, rounds: int, seconds: float) -> list[dict]:
    """Measure all points; each as a dictionary."""
    names = names_for(Point(), torch_python is not None)
    processes = {}
    for name in names:
        python = {"python": torch_python} if name.startswith("pytorch") else {}
        processes[name] = Process(name, 1, **python)
    try:
        found = []
        for axis, values in axes.items():
            for value in values:
                point = Point(**{axis: value})
                times = measure_point(point, processes, rounds, seconds)
                found.append({"axis": axis, **point._asdict(), "seconds per image": times})
        return found
    except PeerError as error:
        raise SystemExit(f"the curves cannot be measured: {error}") from None
    finally:
        for process in processes.values():
            process.close()


COLORS = {
    "direct": ("tab:blue", "o"),
    "winograd": ("tab:green", "s"),
    "pytorch": ("tab:orange", "v"),
    "pytorch, channels last": ("tab:red", "^"),
}
LABELS = {
    "direct": "cnnedu, direct",
    "winograd": "cnnedu, Winograd",
    "pytorch": "PyTorch",
    "pytorch, channels last": "PyTorch, channels last",
}
TITLES = {
    "batch": "images in a batch",
    "side": "rows and columns of the image",
    "channels": "channels in, and out",
    "kernel": "rows and columns of the kernel",
}


def draw(found: list[dict], limits: dict, path: Path) -> None:
    """Draw the curves and the roofline."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 3)
    for axis, name in zip([axes[0, 0], axes[0, 1], axes[1, 0], axes[1, 1]], TITLES, strict=True):
        _draw_curves(axis, name, [entry for entry in found if entry["axis"] == name], limits)
    _draw_roofline(axes[0, 2], found, limits)
    axes[1, 2].axis("off")
    handles, labels = axes[0, 1].get_legend_handles_labels()
    axes[1, 2].legend(handles, labels, loc="upper left", frameon=False)
    base = Point()
    axes[1, 2].text(
        0.02,
        0.05,
        "One convolution, forward and backward, float32, one thread.\n"
        f"Where not varied: {base.batch} images of {base.side} x {base.side}, {base.channels} "
        f"channels\nin and out, kernel {base.kernel} x {base.kernel}, padding that keeps them.\n"
        "Floor and roof are those of NumPy's matrix product and of the\ndirect form's operations. "
        "Better: Winograd's fewer operations,\nand libraries that use wider instructions.",
        transform=axes[1, 2].transAxes,
        va="bottom",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)


def _point(entry: dict) -> Point:
    return Point(**{field: entry[field] for field in Point._fields})


def _draw_curves(axis, name: str, entries: list[dict], limits: dict) -> None:
    """Draw microseconds an image against one size, and the floors."""
    one = limits["1"]
    for peer, (color, marker) in COLORS.items():
        known = [entry for entry in entries if peer in entry["seconds per image"]]
        if not known:
            continue
        x = [entry[name] for entry in known]
        low, middle, high = zip(*(entry["seconds per image"][peer] for entry in known), strict=True)
        axis.plot(
            x, [1e6 * t for t in middle], color=color, marker=marker, ms=5, label=LABELS[peer]
        )
        low, high = ([1e6 * t for t in times] for times in (low, high))
        axis.fill_between(x, low, high, color=color, alpha=0.2, lw=0)
    x = [entry[name] for entry in entries]
    products = [1e6 * _point(entry).operations / one["sgemm GFLOP/s"] / 1e9 for entry in entries]
    moves = [1e6 * _point(entry).bytes / one["memory GB/s"] / 1e9 for entry in entries]
    axis.plot(x, products, "k--", lw=1, label="floor: the matrix product's speed")
    axis.plot(x, moves, "k:", lw=1, label="floor: the memory's speed")
    axis.set(xscale="log", yscale="log", xlabel=TITLES[name], ylabel="µs an image")
    axis.set_xticks(x, [str(value) for value in x])
    axis.minorticks_off()
    axis.grid(alpha=0.3)


def _draw_roofline(axis, found: list[dict], limits: dict) -> None:
    """Draw speed against the operations that each moved byte is used for."""
    points = [(_point(entry), entry["seconds per image"]) for entry in found]
    intensities = [point.operations / point.bytes for point, _ in points]
    x = [min(intensities) / 2, *_knees(limits), max(intensities) * 2]
    for threads, style in zip(limits, ("-", "--", ":"), strict=False):
        roof, slope = limits[threads]["sgemm GFLOP/s"], limits[threads]["memory GB/s"]
        label = f"{threads} thread{'s' * (threads != '1')}: {roof:.0f} GFLOP/s, {slope:.0f} GB/s"
        axis.plot(sorted(x), [min(roof, slope * i) for i in sorted(x)], "k" + style, label=label)
    for peer, (color, marker) in COLORS.items():
        known = [(point, times[peer][1]) for point, times in points if peer in times]
        axis.plot(
            [point.operations / point.bytes for point, _ in known],
            [point.operations / seconds / 1e9 for point, seconds in known],
            linestyle="",
            color=color,
            marker=marker,
            ms=4,
            alpha=0.7,
        )
    axis.set(xscale="log", yscale="log", title="the machine's roofline")
    axis.set(xlabel="operations for each byte that must move", ylabel="GFLOP/s")
    axis.legend(loc="lower right", fontsize="small")
    axis.grid(alpha=0.3)


def _knees(limits: dict) -> list[float]:
    return [one["sgemm GFLOP/s"] / one["memory GB/s"] for one in limits.values()]
