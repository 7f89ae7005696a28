"""Measuring and showing times: turns are taken, lines are watched, figures show what was given."""

import sys
import time

import numpy as np
import pytest

from cnnedu import Momentum, softmax_cross_entropy
from cnnedu.architectures import build
from cnnedu.execution import Workers
from cnnedu.layers import conv2d_forward
from cnnedu.visualization import timing
from cnnedu.visualization.timing import (
    Line,
    Timing,
    line_times,
    measure,
    measure_over,
    peak_memory,
    plot_parts,
    plot_timings,
    read_timings,
    timing_table,
    training_parts,
)

CURVES = {
    "direct": (np.array([3, 5, 7, 9]), np.array([1.0, 2.0, 9.0, 16.0]) / 1000),
    "winograd": (np.array([3, 5]), np.array([0.5, 1.0]) / 1000),
    "FFT": (np.array([3, 5, 7, 9]), np.array([4.0, 4.0, 4.5, 4.0]) / 1000),
}


def labels(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


# ---------------------------------------------------------------------------------------------
# Measuring
# ---------------------------------------------------------------------------------------------


class Clock:
    """A clock that only moves when somebody works."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr(timing.time, "perf_counter", lambda: self.now)

    def work(self, seconds, done=None):
        def function():
            self.now += seconds
            if done is not None:
                done.append(seconds)

        return function


def test_measure_takes_turns_and_counts_rounds(monkeypatch):
    done = []
    clock = Clock(monkeypatch)
    found = measure({"a": clock.work(2, done), "b": clock.work(3, done)}, seconds=12, least=2)
    assert done == [2, 3] + [2, 3] + [2, 3] * 3  # warm up, count repeats, then 12 seconds' worth
    assert found["a"] == Timing(2, 2, 2, 2, 3)
    assert found["b"].median == 3


def test_measure_keeps_to_least_and_most(monkeypatch):
    clock = Clock(monkeypatch)
    assert measure({"a": clock.work(2)}, seconds=0, least=4)["a"].runs == 4
    assert measure({"a": clock.work(2)}, seconds=1000, least=1, most=6)["a"].runs == 6


def test_quick_functions_are_called_several_times_for_one_reading(monkeypatch):
    done = []
    clock = Clock(monkeypatch)
    found = measure({"a": clock.work(0.0003, done)}, seconds=0, least=2)
    assert len(done) == 1 + 1 + 2 * 4  # 4 * 0.3 ms is the first multiple above 1 ms
    assert found["a"].median == pytest.approx(0.0003)


def test_median_and_middle_half(monkeypatch):
    clock = Clock(monkeypatch)
    times = iter([1, 1, 1, 2, 3, 4, 10])

    def uneven():
        clock.now += next(times)

    found = measure({"a": uneven}, seconds=0, least=5)["a"]
    assert found == Timing(3, 2, 4, 1, 5)


def test_real_functions_are_measured():
    found = measure({"nap": lambda: time.sleep(0.002)}, seconds=0, least=3)
    assert 0.002 <= found["nap"].fastest <= found["nap"].low <= found["nap"].median


@pytest.mark.parametrize("functions", [{}, None, [print]])
def test_nothing_to_measure_is_told(functions):
    with pytest.raises(ValueError, match="functions must be a mapping"):
        measure(functions)


def test_measure_over_makes_curves_and_leaves_out_what_does_not_apply(monkeypatch):
    clock = Clock(monkeypatch)

    def make(size):
        ways = {"long": clock.work(size), "short": clock.work(1)}
        return ways if size != 4 else {"long": ways["long"]}

    curves = measure_over([2, 4, 8], make, seconds=0, least=1)
    assert [each.tolist() for each in curves["long"]] == [[2, 4, 8], [2, 4, 8]]
    assert [each.tolist() for each in curves["short"]] == [[2, 8], [1, 1]]


def test_peak_memory_counts_arrays():
    def twice():
        first = np.empty(1_000_000, np.uint8)
        del first
        return np.empty(3_000_000, np.uint8)

    assert 3_000_000 <= peak_memory(twice) < 3_100_000
    assert peak_memory(lambda: None) < 10_000


def test_peak_memory_inside_a_tracing_goes_on_with_it():
    import tracemalloc

    tracemalloc.start()
    try:
        held = np.empty(5_000_000, np.uint8)
        del held
        assert 1_000_000 <= peak_memory(lambda: np.empty(1_000_000, np.uint8)) < 1_100_000
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_memory_of_the_columns_is_as_counted():
    x = np.ones((4, 3, 12, 12), np.float32)
    weight = np.ones((2, 3, 5, 5), np.float32)
    columns, answers = 4 * 64 * 75 * 4, 4 * 64 * 2 * 4
    expected = columns + answers + x.nbytes  # the images are copied into a frame first
    found = peak_memory(lambda: conv2d_forward(x, weight, algorithm="direct"))
    assert expected <= found < 1.1 * expected


# ---------------------------------------------------------------------------------------------
# Line by line
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """Return a module that counts as part of the package, on a clock that it moves itself."""
    text = """
        def outer(work):
            work(3)
            for _ in range(2):
                inner(work)
            work(1)


        def inner(work):
            work(10)


        def fails(work):
            work(2)
            raise ValueError("no")


        def catches(work):
            try:
                fails(work)
            except ValueError:
                pass
            work(5)


        def counts(work):
            for number in numbers(work):
                work(number)


        def numbers(work):
            work(100)
            yield 7
            work(200)
    """
    import importlib.util
    import textwrap

    path = tmp_path / "watched.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("watched", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(timing, "PACKAGE", str(tmp_path))
    return module


def by_text(times):
    return {(line.callers, line.text): seconds for line, seconds in times.items() if seconds}


def test_lines_get_the_time_spent_on_them(watched, monkeypatch):
    clock = Clock(monkeypatch)

    def work(seconds):
        clock.now += seconds

    times = line_times(lambda: watched.outer(work), rounds=3)
    assert by_text(times) == {
        (("outer", "inner"), "work(10)"): 20,
        (("outer",), "work(3)"): 3,
        (("outer",), "work(1)"): 1,
    }
    assert list(times.values()) == sorted(times.values(), reverse=True)
    slowest = next(iter(times))
    assert (slowest.file, slowest.function, slowest.number) == ("watched.py", "inner", 10)


def test_exceptions_and_generators_keep_the_lines_apart(watched, monkeypatch):
    clock = Clock(monkeypatch)

    def work(seconds):
        clock.now += seconds

    assert by_text(line_times(lambda: watched.catches(work), rounds=1)) == {
        (("catches", "fails"), "work(2)"): 2,
        (("catches",), "work(5)"): 5,
    }
    assert by_text(line_times(lambda: watched.counts(work), rounds=1)) == {
        (("counts", "numbers"), "work(200)"): 200,
        (("counts", "numbers"), "work(100)"): 100,
        (("counts",), "work(number)"): 7,
    }


def test_the_median_of_the_rounds_is_taken(watched, monkeypatch):
    clock = Clock(monkeypatch)
    factors = iter([1] + [1] * 3 + [90])  # the first call does not count, the last was disturbed

    def run():
        factor = next(factors)
        watched.inner(lambda seconds: setattr(clock, "now", clock.now + factor * seconds))

    assert by_text(line_times(run, rounds=4)) == {(("inner",), "work(10)"): 10}


def test_the_watcher_is_gone_afterwards(watched):
    before = sys.gettrace()
    with pytest.raises(ValueError, match="no"):
        line_times(lambda: watched.fails(lambda seconds: None))
    assert sys.gettrace() is before


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_a_training_step_comes_apart_into_its_parts(rng, algorithm):
    network = build("lasagne", rng=rng)
    network["conv2"].algorithm = algorithm
    images = rng.random((20, 1, 28, 28), dtype=np.float32)
    targets = rng.integers(0, 10, 20)
    optimizer = Momentum(0.01)

    def step():
        _, _, gradients = team.gradients(images, targets, softmax_cross_entropy)
        optimizer.step([(name, network.params[name], g) for name, g in gradients.items()], 0.0)

    with Workers(network) as team:
        lines = line_times(step, rounds=3)
    parts = training_parts(lines)
    assert sum(sum(ways.values()) for ways in parts.values()) == pytest.approx(sum(lines.values()))
    both = {"products", "patches", "pooling, bias, ReLU", "dense layers", "dropout"}
    winograd = {"Winograd"} if algorithm == "winograd" else set()
    assert set(parts) == both | winograd | {"loss", "update", "everything else"}
    for part in both | winograd:
        assert parts[part]["forward"] > 0
        assert parts[part]["backward"] > 0
    for part in ("loss", "update"):
        assert parts[part]["forward"] == parts[part]["backward"] == 0 < parts[part]["outside"]
    assert sum(parts["everything else"].values()) < 0.4 * sum(lines.values())


# ---------------------------------------------------------------------------------------------
# Showing
# ---------------------------------------------------------------------------------------------


def test_the_table_compares_with_the_first_way():
    times = {
        "loops": Timing(0.8, 0.7, 0.9, 0.6, 5),
        "product": Timing(0.002, 0.001, 0.004, 0.001, 50),
    }
    text = timing_table(times, operations=1e9, columns={"memory": {"product": "11 x"}})
    assert text.splitlines() == [
        "         milliseconds   middle half  speed-up  Gflop/s  memory",
        "--------------------------------------------------------------",
        "loops             800    700 to 900    1.00 x     1.25",
        "product          2.00  1.00 to 4.00     400 x      500    11 x",
    ]


def test_reading_names_the_fastest_and_its_lead():
    assert read_timings({"kernel size": CURVES}) == (
        "kernel size: winograd is fastest at 3 and 5 (2.0 times as fast as the next); "
        "FFT is fastest at 7 and 9 (2.0 to 4.0 times as fast as the next)."
    )


def test_reading_does_not_make_much_of_a_hair():
    close = {"a": ([1, 2], [1.0, 1.0]), "b": ([1, 2], [1.04, 1.01])}
    assert (
        read_timings({"size": close}) == "size: a is fastest at 1 and 2 (the next takes as long)."
    )


def test_reading_calls_a_tie_among_leads_no_lead():
    some = {"a": ([1, 2], [1.0, 1.0]), "b": ([1, 2], [1.02, 1.6])}
    assert read_timings({"size": some}) == (
        "size: a is fastest at 1 and 2 (up to 1.6 times as fast as the next)."
    )


def test_reading_a_single_way_names_no_lead():
    one = {"loops": ([1, 2, 4], [1, 1, 1])}
    assert read_timings({"images": one}) == "images: loops is fastest at 1 to 4."


def test_curves_are_drawn_in_milliseconds_and_alike_in_every_panel():
    figure = plot_timings(
        {"kernel size": CURVES, "side": {"FFT": ([8, 16], [0.1, 0.2])}}, title="Ways"
    )
    left, right = figure.axes
    drawn = {line.get_label(): line for line in left.get_lines()}
    assert np.allclose(drawn["winograd"].get_xydata(), [[3, 0.5], [5, 1]])
    (other,) = right.get_lines()
    assert other.get_color() == drawn["FFT"].get_color()
    assert other.get_marker() == drawn["FFT"].get_marker()
    assert len({line.get_marker() for line in drawn.values()}) == 3
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(CURVES)
    assert (left.get_xscale(), left.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in left.get_xticklabels()] == ["3", "5", "7", "9"]
    assert figure.alt.startswith("Ways: kernel size: winograd is fastest at 3 and 5")
    assert "side: FFT is fastest at 8 and 16." in figure.alt


@pytest.mark.parametrize(
    ("panels", "message"),
    [
        ({}, "panels must be a mapping"),
        ({"size": {}}, "at least one curve"),
        ({"size": {"a": ([1, 2], [1])}}, r"their shapes are \(1,\) and \(2,\)"),
        ({"size": {"a": ([1, 2], [1, 0])}}, "values and seconds above 0"),
        ({"size": {"a": ([1, 2], [1, np.nan])}}, "values and seconds above 0"),
        ({"size": {str(i): ([1], [1]) for i in range(7)}}, "7 different ways; at most 6"),
    ],
)
def test_curves_that_cannot_be_drawn_are_named(panels, message):
    with pytest.raises(ValueError, match=message):
        plot_timings(panels)


def test_parts_are_bars_with_their_share():
    figure = plot_parts({"product": 0.003, "patches": 0.001}, title="A step")
    (ax,) = figure.axes
    assert labels(ax) == ["product", "patches"]
    assert [bar.get_width() for bar in ax.patches] == [3, 1]
    assert [text.get_text() for text in ax.texts] == ["3.00 ms, 75%", "1.00 ms, 25%"]
    assert ax.get_legend() is None
    assert figure.alt == "A step: 4 ms in all. product: 3.00 ms, 75%; patches: 1.00 ms, 25%."


def test_kinds_are_drawn_one_after_the_other():
    figure = plot_parts({"conv": {"forward": 0.001, "backward": 0.002}, "update": {"after": 0.001}})
    (ax,) = figure.axes
    bars = [(bar.get_x(), bar.get_width()) for container in ax.containers for bar in container]
    assert bars == [(0, 1), (0, 0), (1, 2), (0, 0), (3, 0), (0, 1)]
    assert len({container[0].get_hatch() for container in ax.containers}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "forward",
        "backward",
        "after",
    ]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "parts must be a mapping"),
        ({"a": -1}, "the times of 'a' must be finite numbers from 0 on"),
        ({"a": np.inf}, "the times of 'a'"),
        ({"a": 0}, "nothing but zeros"),
        ({"a": {"w": 1, "x": 1, "y": 1, "z": 1}}, "1 parts of 4 kinds; at most 24 of 3"),
        ({str(i): 1 for i in range(25)}, "25 parts of 1 kinds"),
    ],
)
def test_parts_that_cannot_be_drawn_are_named(parts, message):
    with pytest.raises(ValueError, match=message):
        plot_parts(parts)


def test_a_line_knows_its_function():
    assert Line("a.py", 3, "x = 1", ("outer", "inner")).function == "inner"
