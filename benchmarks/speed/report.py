"""The printed tables."""

from __future__ import annotations

import statistics

from benchmarks.speed.timing import fastest, ratios

PYTORCH = "pytorch"


def table(rows: list[list[str]]) -> str:
    """Align columns: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def ratio_text(low: float, median: float, high: float) -> str:
    """Write a ratio with its quartiles."""
    return f"{median:.2f} ({low:.2f} to {high:.2f})"


def speed_of(speeds: dict, name: str | None) -> str:
    """Write the median of images per second."""
    if name not in speeds:
        return "-"
    return f"{statistics.median(speeds[name]['images_per_second']):,.0f}"


def against_pytorch(results: list[dict]) -> str:
    """Return the table of this package against PyTorch; with quartiles over the pairs."""
    rows = [
        [
            "network, batch, threads",
            "cnnedu",
            "PyTorch",
            "its fastest",
            "cnnedu / its fastest",
            "form",
        ]
    ]
    for result in results:
        speeds = result["speeds"]
        best = fastest(speeds, PYTORCH)
        ratio = "-" if best is None else ratio_text(*ratios(speeds, "project", best))
        form = "-" if best is None else best.removeprefix("pytorch").strip() or "default"
        ours, plain, theirs = (speed_of(speeds, name) for name in ("project", PYTORCH, best))
        rows.append([title(result["case"]), ours, plain, theirs, ratio, form])
    return table(rows)


def title(case: dict) -> str:
    """Write a case in words."""
    mode = "" if case["mode"] == "training" else f" {case['mode']}"
    return f"{case['network']}, {case['batch']}{mode}, {case['threads']}"


def against_classics(results: list[dict], names: list[str]) -> str:
    """Return the table of this package against the textbook forms: speeds and ratios."""
    rows = [["network, batch, threads", "cnnedu", *(f"{name}: ratio" for name in names)]]
    for result in results:
        speeds = result["speeds"]
        if not set(names) & set(speeds):
            continue
        cells = [
            f"{speed_of(speeds, name)}: {ratios(speeds, 'project', name)[1]:,.1f}"
            if name in speeds
            else "-"
            for name in names
        ]
        rows.append([title(result["case"]), speed_of(speeds, "project"), *cells])
    return table(rows) if len(rows) > 1 else "(not measured)"


def memory(results: list[dict]) -> str:
    """Return the table of memory on top of the data."""
    rows = [["network, batch, threads", "peer", "training (MB)", "library (MB)"]]
    for result in results:
        for name, numbers in result["memory"].items():
            cells = [f"{numbers[key]:.0f}" for key in ("training", "library")]
            rows.append([title(result["case"]), name, *cells])
    return table(rows)


def start(results: dict) -> str:
    """Return what importing and first steps cost."""
    numpy, whole = results["import"]["numpy"][1], results["import"]["cnnedu"][1]
    lines = [
        f"import numpy: {1000 * numpy:.0f} ms; import cnnedu, with NumPy: {1000 * whole:.0f} ms "
        f"(adds {(whole - numpy) / numpy:.0%} of NumPy's own)"
    ]
    keys = ("first", "next ten", "first in a fresh Python")
    for step in results["first steps"]:
        first, ten, fresh = (f"{1000 * step[key][1]:.1f} ms" for key in keys)
        lines.append(
            f"{title(step['case'])}: first step {first}, the ten after it {ten}, ratio "
            f"{ratio_text(*step['ratio'])}; the very first in a fresh Python {fresh}"
        )
    return "\n".join(lines)


def limits(results: dict) -> str:
    """Return the machine's limits."""
    return "\n".join(
        f"{threads} thread{'s' * (threads != '1')}: "
        + ", ".join(f"{key.rsplit(' ', 1)[0]} {value:.0f} {key.rsplit(' ', 1)[1]}"
                    for key, value in numbers.items())
        for threads, numbers in results.items()
    )  # fmt: skip
