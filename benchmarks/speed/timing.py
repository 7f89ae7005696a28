"""Checking that the peers agree, then timing them in turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.speed.cases import Case
from benchmarks.speed.processes import PeerError, Process

TOLERANCE = 1e-5
"""Scores may differ by this share of the largest score, before training."""
PROGRESS_TOLERANCE = 0.03
"""What training changed may differ by this share of the largest change.

More than rounding: where the two largest numbers of a pooling window are equal but for rounding, or
the input of a ReLU is zero but for rounding, either way of giving the gradient on is right.
"""


class DisagreementError(Exception):
    """A peer comes to other results than the project: its speed would be worth nothing."""


def require_agreement(name: str, results, reference) -> None:
    """Raise unless scores, what training changed in them, and predictions are those expected.

    Parameters
    ----------
    name : str
        The peer, for the message.
    results, reference : (scores before, scores after, predicted classes)
    """
    before, after, classes = (np.asarray(array) for array in results)
    wanted_before, wanted_after, wanted_classes = (np.asarray(array) for array in reference)
    change, wanted_change = after - before, wanted_after - wanted_before
    if not np.abs(wanted_change).max() > 0:
        raise DisagreementError("the reference did not change in training: there is no check")
    for what, got, wanted, tolerance in (
        ("the scores", before, wanted_before, TOLERANCE),
        ("the change by training", change, wanted_change, PROGRESS_TOLERANCE),
    ):
        if got.shape != wanted.shape:
            raise DisagreementError(f"{name}: {what} have shape {got.shape}, not {wanted.shape}")
        error = np.abs(got - wanted).max() / np.abs(wanted).max()
        if not error <= tolerance:
            raise DisagreementError(
                f"{name}: {what} differ from the project's by {error:.1e} of the largest; "
                f"at most {tolerance:.0e} is expected"
            )
    best, second = np.sort(wanted_after, axis=1)[:, :-3:-1].T
    clear = best - second > 2 * PROGRESS_TOLERANCE * np.abs(wanted_change).max()
    if (classes != wanted_classes)[clear].any():
        raise DisagreementError(f"{name}: it predicts other classes than the project")


def require_close(name: str, results: Sequence, reference: Sequence, tolerance: float) -> None:
    """Raise unless each array differs by at most ``tolerance`` times the largest number in it."""
    for got, wanted in zip(results, reference, strict=True):
        error = np.abs(got - wanted).max() / np.abs(wanted).max()
        if not error <= tolerance:
            raise DisagreementError(f"{name}: results differ by {error:.1e} of the largest number")


def take_turns(runs: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call each function once in every round; return the seconds of each, round by round.

    Every second round goes in the opposite order, so that nobody always comes after the same one.
    """
    seconds = {name: [] for name in runs}
    for turn in range(rounds):
        order = list(runs) if turn % 2 == 0 else list(runs)[::-1]
        for name in order:
            seconds[name].append(runs[name]())
    return seconds


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, median, high = np.percentile(values, [25, 50, 75])
    return float(low), float(median), float(high)


def image_count(seconds_for_batch: float, batch: int, target: float, most: int = 20_000) -> int:
    """Return how many images (whole batches) take about ``target`` seconds."""
    batches = max(1, min(round(target / seconds_for_batch), most // batch))
    return batches * batch


def measure_case(
    case: Case, processes: dict[str, Process], rounds: int, seconds: float
) -> dict[str, dict]:
    """Check and time all peers of one case; return images per second, round by round, by peer.

    A peer that cannot do a case is left out; a peer that comes to other results stops everything.
    """
    reference = processes["project"].check(case)
    runs, counts, skipped = {}, {}, {}
    for name, process in processes.items():
        try:
            if name != "project":
                require_agreement(name, process.check(case), reference)
            warm_up = process.prepare(case)
            if warm_up:
                process.run(case.batch)
            counts[name] = image_count(process.run(case.batch), case.batch, seconds)
            if counts[name] > case.batch:  # a single batch may be far from the usual speed
                share = process.run(counts[name]) / (counts[name] / case.batch)
                counts[name] = image_count(share, case.batch, seconds)
                process.run(counts[name])
        except PeerError as error:
            skipped[name] = str(error)
            continue
        runs[name] = lambda process=process, count=counts[name]: process.run(count)
    times = take_turns(runs, rounds)
    speeds = {
        name: {"images": counts[name], "images_per_second": [counts[name] / t for t in times[name]]}
        for name in runs
    }
    return {"speeds": speeds, "skipped": skipped}


def ratios(speeds: dict, name: str, other: str) -> tuple[float, float, float]:
    """Return quartiles of the ratio of two peers' speeds, over runs of the same round."""
    pairs = zip(speeds[name]["images_per_second"], speeds[other]["images_per_second"], strict=True)
    return quartiles([a / b for a, b in pairs])


def fastest(speeds: dict, start: str) -> str | None:
    """Return the fastest (by median) of the peers whose names begin so."""
    medians = {
        name: statistics.median(result["images_per_second"])
        for name, result in speeds.items()
        if name.startswith(start)
    }
    return max(medians, key=medians.get, default=None)
