"""The drawings of one-dimensional convolution: what they show is what NumPy computes."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnnedu.visualization.signals import plot_overlap, plot_series, plot_sliding_sums

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def sums_drawn(figure) -> list[float]:
    """Read the sums at the ends of the lines "1·2 + 3·4 = 14", from the top down."""
    lines = [each for each in figure.texts if " = " in each.get_text()]
    lines.sort(key=lambda text: -text.get_position()[1])
    return [float(text.get_text().split(" = ")[1].replace("−", "-")) for text in lines]


def terms_drawn(figure) -> list[float]:
    """Work the lines out again from their terms."""
    lines = [each for each in figure.texts if " = " in each.get_text()]
    lines.sort(key=lambda text: -text.get_position()[1])
    results = []
    for line in lines:
        terms = line.get_text().split(" = ")[0].replace("−", "-").split(" + ")
        pairs = [re.fullmatch(r"(.+)·\(?([^()]+)\)?", term).groups() for term in terms]
        results.append(sum(float(a) * float(b) for a, b in pairs))
    return results


def cells_drawn(figure) -> list[tuple[float, str]]:
    """Return (left edge in inches, number) of every kernel cell, from the top down."""
    cells = [ax for ax in figure.axes if len(ax.texts) == 1]
    cells.sort(key=lambda ax: (-round(ax.get_position().y0, 4), ax.get_position().x0))
    width = figure.get_figwidth()
    return [(ax.get_position().x0 * width, ax.texts[0].get_text()) for ax in cells]


@pytest.mark.parametrize("mode", ["valid", "full"])
@pytest.mark.parametrize("convolution", [False, True])
def test_sums_are_those_of_numpy(mode, convolution):
    rng = np.random.default_rng(1)
    for length, size in ((5, 3), (6, 2), (4, 4), (7, 1)):
        signal, kernel = rng.integers(-9, 10, length), rng.integers(-9, 10, size)
        figure = plot_sliding_sums(signal, kernel, padding=mode, convolution=convolution)
        operation = np.convolve if convolution else np.correlate
        expected = operation(signal, kernel, mode=mode)
        assert sums_drawn(figure) == expected.tolist()
        assert terms_drawn(figure) == expected.tolist()
        listed = ", ".join(str(each).replace("-", "−") for each in expected)
        assert figure.alt.endswith(f"are {listed}.")


def test_stride_leaves_sums_out_and_dilation_leaves_pixels_out():
    signal, kernel = np.arange(1, 9) ** 2, np.array([1, -2, 3])
    everywhere = np.correlate(signal, kernel, mode="valid")
    assert sums_drawn(plot_sliding_sums(signal, kernel, stride=3)) == everywhere[::3].tolist()
    holes = np.correlate(signal, [1, 0, -2, 0, 3], mode="valid")
    assert sums_drawn(plot_sliding_sums(signal, kernel, dilation=2)) == holes.tolist()


def test_kernel_cells_stand_under_the_numbers_they_multiply():
    figure = plot_sliding_sums([1, 2, 3, 4, 5, 6, 7], [8, 9], stride=2, dilation=3, padding=1)
    cells = cells_drawn(figure)
    signal = next(ax for ax in figure.axes if len(ax.texts) == 9)
    left = signal.get_position().x0 * figure.get_figwidth()
    cell = signal.get_position().width * figure.get_figwidth() / 9
    columns = [round((x - left) / cell, 6) for x, _ in cells]
    assert columns == [0, 3, 2, 5, 4, 7]
    assert [number for _, number in cells] == ["8", "9"] * 3


def test_added_zeros_are_hatched_and_nothing_else():
    figure = plot_sliding_sums([1, 2, 3], [1, 1, 1], padding="full")
    signal = next(ax for ax in figure.axes if len(ax.texts) == 7)
    hatched = [patch for patch in signal.patches if patch.get_hatch()]
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in hatched]
    assert spans == [(-0.5, 1.5), (4.5, 6.5)]
    figure = plot_sliding_sums([1, 2, 3], [1, 1, 1])
    assert not [patch for patch in figure.axes[0].patches if patch.get_hatch()]


def test_same_with_an_even_kernel_puts_the_extra_zero_after():
    figure = plot_sliding_sums([1, 2, 3], [1, 10], padding="same")
    assert sums_drawn(figure) == [21, 32, 3]
    assert "0 zeros added before, 1 after" in figure.alt


def test_a_convolution_turns_the_kernel_but_not_the_callers_array():
    kernel = np.array([1, 2, 3])
    figure = plot_sliding_sums([0, 0, 1, 0, 0], kernel, convolution=True)
    assert [number for _, number in cells_drawn(figure)][:3] == ["3", "2", "1"]
    assert sums_drawn(figure) == [1, 2, 3]
    assert kernel.tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"signal": [[1, 2]], "kernel": [1]}, "signal must have one axis"),
        ({"signal": [1, 2], "kernel": []}, "kernel is empty"),
        ({"signal": [1, 2], "kernel": [1, 2, 3]}, "does not fit"),
        ({"signal": [1, np.nan], "kernel": [1]}, "signal must be finite"),
        ({"signal": np.arange(40), "kernel": [1, 2]}, "39 positions on 40 steps are too many"),
        ({"signal": [1, 2, 3], "kernel": [1], "stride": 0}, "stride must be at least 1"),
        ({"signal": [1, 2, 3], "kernel": [1], "padding": "some"}, '"valid", "same" or "full"'),
    ],
)
def test_sliding_sums_refuse_what_cannot_be_drawn(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plot_sliding_sums(**arguments)
    assert plt.get_fignums() == []


def test_series_show_every_value_and_ring_the_marked_ones():
    long, short = np.arange(9.0) ** 2, np.arange(5.0)
    figure = plot_series(
        {"one": long, "two": {"mean": short, "truth": short + 1}}, marks={"one": [4]}, title="T"
    )
    first, second = figure.axes
    assert first.lines[0].get_ydata().tolist() == long.tolist()
    assert [line.get_ydata().tolist() for line in second.lines] == [
        short.tolist(),
        (short + 1).tolist(),
    ]
    ring = first.lines[1]
    assert (ring.get_xdata()[0], ring.get_ydata()[0]) == (4, 16)
    assert first.get_xlim() == second.get_xlim()
    assert [text.get_text() for text in second.get_legend().get_texts()] == ["mean", "truth"]
    assert "marked: 16 at step 4" in figure.alt
    assert first.get_ylim() != second.get_ylim()
    first, second = plot_series({"one": long, "two": short}, share_y=True).axes
    assert first.get_ylim() == second.get_ylim()


@pytest.mark.parametrize(
    ("signals", "marks", "message"),
    [
        ({}, None, "at least one entry"),
        ([1, 2, 3], None, "signals must be a mapping"),
        ({"a": []}, None, "a is empty"),
        ({"a": {}}, None, "holds no signal"),
        ({"a": np.ones((2, 2))}, None, "a must have one axis"),
        ({"a": [1, np.inf]}, None, "a must be finite"),
        ({"a": [1, 2]}, {"b": [0]}, "marks names 'b'"),
        ({"a": [1, 2]}, {"a": [2]}, "must be steps 0 .. 1"),
        ({"a": [1, 2]}, {"a": [0.5]}, "must be steps 0 .. 1"),
    ],
)
def test_series_refuse_what_cannot_be_drawn(signals, marks, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plot_series(signals, marks=marks)
    assert plt.get_fignums() == []


def test_series_stand_side_by_side():
    figure = plot_series({name: np.arange(4.0) + n for n, name in enumerate("abcde")}, columns=2)
    places = [ax.get_position() for ax in figure.axes]
    assert [ax.get_title(loc="left") for ax in figure.axes] == list("abcde")  # no empty panel
    assert places[0].y0 == pytest.approx(places[1].y0)
    assert places[0].x0 == pytest.approx(places[2].x0)
    assert places[0].x1 < places[1].x0
    # The lowest of each column says what is drawn along it.
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "step", "step"]
    with pytest.raises(ValueError, match="columns"):
        plot_series({"a": np.arange(3.0)}, columns=0)


def box(time):
    return np.where((time >= 0) & (time < 2), 1.0, 0.0)


def fading(age):
    return np.where(age >= 0, np.exp(-np.abs(age)), 0.0)


def test_overlap_gives_the_areas_of_the_formula():
    times = [0.5, 1.0, 2.0, 3.5]
    figure = plot_overlap(box, fading, times, span=(-1, 6))
    exact = [np.exp(-(t - min(t, 2))) - np.exp(-t) for t in times]
    titles = [ax.get_title() for ax in figure.axes[:4]]
    assert titles == [f"t = {t:g}: area {a:.2f}" for t, a in zip(times, exact, strict=True)]
    (points,) = [line for line in figure.axes[4].lines if line.get_marker() == "o"]
    np.testing.assert_allclose(points.get_ydata(), exact, atol=4e-4)
    curve = figure.axes[4].lines[0]
    t = curve.get_xdata()
    expected = np.where(t < 0, 0, np.exp(-(t - np.minimum(t, 2))) - np.exp(-t))
    np.testing.assert_allclose(curve.get_ydata(), expected, atol=4e-4)


def test_overlap_draws_the_second_function_turned_around():
    figure = plot_overlap(box, fading, [3.0], span=(-1, 6))
    by_label = {line.get_label(): line for line in figure.axes[0].lines}
    moved = by_label["g(t − τ)"]
    tau, values = moved.get_xdata(), moved.get_ydata()
    np.testing.assert_allclose(values, fading(3.0 - tau))
    assert values[tau < 3].min() > 0
    assert not values[tau > 3].any()


@pytest.mark.parametrize(
    ("times", "span", "message"),
    [
        ([1], (2, 1), "low < high"),
        ([7], (0, 6), "times must be one to five numbers from 0 to 6"),
        ([1] * 6, (0, 6), "times must be one to five"),
        ([], (0, 6), "times is empty"),
    ],
)
def test_overlap_refuses_what_cannot_be_drawn(times, span, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plot_overlap(box, fading, times, span=span)
    assert plt.get_fignums() == []


def test_figures_stay_within_the_page():
    figure = plot_sliding_sums(np.arange(12) * 1000, [1000, -1000, 1000], padding="same")
    assert figure.get_figwidth() <= 9.01
    renderer = figure.canvas.get_renderer()
    for text in figure.texts:
        extent = text.get_window_extent(renderer)
        assert extent.x0 >= 0
        assert extent.x1 <= figure.bbox.x1
