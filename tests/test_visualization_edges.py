"""Figures of lesson 2: bars under their pixels, arrows at their edges, weights at their steps."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.quiver import Quiver

from cnnedu.kernels import kernel
from cnnedu.visualization.colors import SIGNED, ink_on
from cnnedu.visualization.edges import plot_arrows, plot_signals, plot_weight_paths


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def bars(ax):
    return [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in ax.patches]


def arrows(figure):
    (found,) = [each for each in figure.axes[0].collections if isinstance(each, Quiver)]
    return found


# ---------------------------------------------------------------------------------------------
# Signals
# ---------------------------------------------------------------------------------------------


def test_a_shorter_signal_stands_under_the_middle_of_its_pixels():
    row = np.array([2, 2, 9, 9, 4])
    figure = plot_signals(
        {"row": row, "two": np.correlate(row, [-1, 1]), "three": np.correlate(row, [-1, 0, 1])}
    )
    first, second, third = figure.axes
    assert np.allclose(bars(first), [(0, 2), (1, 2), (2, 9), (3, 9), (4, 4)])
    assert np.allclose(bars(second), [(0.5, 0), (1.5, 7), (2.5, 0), (3.5, -5)])
    assert np.allclose(bars(third), [(1, 7), (2, 7), (3, -5)])


def test_signals_show_their_sign_in_color_and_their_numbers():
    figure = plot_signals({"a": [3, -2], "row": [0, 4]})
    ax = figure.axes[0]
    drawn = [bar.get_facecolor() for bar in ax.patches]
    assert same_color(drawn, [SIGNED(0.75), SIGNED(0.25)])  # yellow above zero, blue below
    assert all(same_color(bar.get_facecolor(), "0.5") for bar in figure.axes[1].patches)
    assert [text.get_text() for text in ax.texts] == ["3", "−2"]
    assert ax.get_ylabel() == "a"


def test_signals_are_read_out_and_long_ones_summed_up():
    assert plot_signals({"a": [0, 7, -5]}, title="Row").alt == "Row: a: 0 7 −5."
    long = plot_signals({"wave": np.linspace(-1, 2, 200)})
    assert long.alt == "wave: 200 values from −1 to 2."
    assert not long.axes[0].texts


def test_signals_share_one_scale():
    figure = plot_signals({"a": [0, 9], "b": [7, -7], "c": [0, 0]})
    spans = [np.ptp(ax.get_ylim()) for ax in figure.axes]
    assert np.allclose(spans, spans[0])


@pytest.mark.parametrize("values", [[0, 0, 0], [5], [-1, -2], [1e9, -1e-9]])
def test_flat_and_extreme_signals_can_be_drawn(values):
    low, high = plot_signals({"a": values}).axes[0].get_ylim()
    assert low <= min(values)
    assert high >= max(values)


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        ([1, 2], "signals must be a mapping from names to one-dimensional arrays"),
        ({}, "without entries"),
        ({"a": [[1, 2]]}, r"signals\['a'\] must have one axis, .* its shape is \(1, 2\)"),
        ({"a": []}, "is empty"),
        ({"a": [1, np.nan]}, "must be finite"),
        ({str(i): [1] for i in range(9)}, "holds 9, at most 8"),
    ],
)
def test_signals_that_cannot_be_drawn_are_refused(signals, message):
    with pytest.raises(ValueError, match=message):
        plot_signals(signals)


# ---------------------------------------------------------------------------------------------
# Arrows
# ---------------------------------------------------------------------------------------------


def step_image():
    image = np.zeros((5, 6))
    image[:, 3:] = 1
    return image


def responses(image):
    windows = np.lib.stride_tricks.sliding_window_view(image, (3, 3))
    return [np.einsum("ijuv,uv->ij", windows, kernel(name)) for name in ("sobel_x", "sobel_y")]


def test_arrows_stand_at_the_edge_and_point_to_where_it_gets_brighter():
    image = step_image()
    found = arrows(plot_arrows(image, *responses(image)))
    expected = [(column, row) for row in (1, 2, 3) for column in (2, 3)]
    assert sorted(map(tuple, found.XY)) == sorted(expected)
    assert np.allclose(found.U, 4)
    assert np.allclose(found.V, 0)


def test_arrows_are_bright_with_a_dark_rim():
    image = step_image()
    found = arrows(plot_arrows(image, *responses(image)))
    assert ink_on(found.get_facecolor()[0]) == "black"
    assert same_color(found.get_edgecolor()[0], "black")


def test_downward_is_downward():
    image = step_image().T
    figure = plot_arrows(image, *responses(image))
    assert np.allclose(arrows(figure).V, 4)
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top  # rows are counted from the top
    assert arrows(figure).angles == "xy"


def test_weak_arrows_are_left_out_and_the_rest_counted():
    grad_x, grad_y = np.array([[4.0, 1.0], [0.0, 2.0]]), np.zeros((2, 2))
    assert len(arrows(plot_arrows(np.zeros((2, 2)), grad_x, grad_y, least=0.4)).U) == 2
    assert len(arrows(plot_arrows(np.zeros((2, 2)), grad_x, grad_y, least=0)).U) == 3
    text = plot_arrows(np.zeros((2, 2)), grad_x, grad_y, least=0.5).alt
    assert "2 arrows that point to where it gets brighter; the longest, 4, at row 0" in text


def test_step_thins_the_arrows_out():
    ones = np.ones((4, 4))
    assert len(arrows(plot_arrows(ones, ones, ones, step=2)).U) == 4


def test_a_flat_picture_has_no_arrows():
    flat = np.full((5, 5), 0.5)
    assert "0 arrows" in plot_arrows(flat, *responses(flat)).alt


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grad_y": np.zeros((3, 3))}, "must have one shape"),
        ({"grad_x": np.zeros((9, 9)), "grad_y": np.zeros((9, 9))}, r"at most .* \(5, 6\)"),
        ({"grad_x": np.zeros(4), "grad_y": np.zeros(4)}, "must have one shape"),
        ({"image": np.zeros((5, 6, 3))}, "image must be gray"),
        ({"least": 2}, "least must be a share between 0 and 1"),
        ({"step": 0}, "step must be a whole number from 1"),
    ],
)
def test_arrows_that_cannot_be_drawn_are_refused(change, message):
    grad_x, grad_y = responses(step_image())
    given = {"image": step_image(), "grad_x": grad_x, "grad_y": grad_y} | change
    with pytest.raises(ValueError, match=message):
        plot_arrows(**given)


# ---------------------------------------------------------------------------------------------
# Paths of weights
# ---------------------------------------------------------------------------------------------

STEPS = [0, 10, 20]
WEIGHTS = [np.array([[0.0, 1.0], [2.0, 3.0]]) * scale for scale in (0, 0.5, 1)]


def paths(ax):
    return [line.get_ydata() for line in ax.get_lines() if len(line.get_xdata()) == len(STEPS)]


def test_every_weight_is_a_line_over_the_steps():
    ax = plot_weight_paths(STEPS, WEIGHTS).axes[0]
    assert np.allclose(paths(ax), np.reshape(WEIGHTS, (3, 4)).T)
    assert np.array_equal(ax.get_lines()[0].get_xdata(), STEPS)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1", "2", "3"]


def test_weights_of_one_target_look_alike_and_their_target_is_a_line():
    figure = plot_weight_paths(STEPS, WEIGHTS, target=[[0, 1], [1, 3]])
    ax = figure.axes[0]
    assert ax.get_legend() is None
    names = {text.get_text(): text.get_position()[1] for text in ax.texts}
    assert names.pop("should become")
    assert names == {"3 (1 weight)": 3, "1 (2 weights)": 1, "0 (1 weight)": 0}
    colors = {line.get_color() for line in ax.get_lines() if len(line.get_xdata()) == len(STEPS)}
    assert len(colors) == 3
    short = [line for line in ax.get_lines() if len(line.get_xdata()) == 2]
    levels = {line.get_ydata()[0] for line in short if line.get_color() not in colors}
    assert levels == {0, 1, 3}
    keys = {line.get_ydata()[0] for line in short if line.get_color() in colors}
    assert keys == {0, 1, 3}
    assert "farthest from its target at the end: 1" in figure.alt


def test_targets_that_lie_close_together_are_named_in_a_legend():
    ax = plot_weight_paths(STEPS, WEIGHTS, target=[[0, 0.05], [1, 3]]).axes[0]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["3 (1 weight)", "1 (1 weight)", "0.05 (1 weight)", "0 (1 weight)"]
    assert not ax.texts


def test_losses_belong_to_copies_or_to_single_steps():
    per_copy = plot_weight_paths(STEPS, WEIGHTS, losses=[3, 2, 1]).axes[1].get_lines()[0]
    assert np.array_equal(per_copy.get_xydata(), [[0, 3], [10, 2], [20, 1]])
    for count in (20, 21):
        per_step = plot_weight_paths(STEPS, WEIGHTS, losses=np.arange(count) + 1.0).axes[1]
        assert np.array_equal(per_step.get_lines()[0].get_xdata(), np.arange(count))
        assert per_step.get_yscale() == "log"


def test_a_loss_of_zero_is_left_out_of_the_logarithmic_scale():
    line = plot_weight_paths(STEPS, WEIGHTS, losses=[3, 2, 0]).axes[1].get_lines()[0]
    assert np.array_equal(line.get_ydata(), [3, 2])


def test_a_long_training_gets_a_logarithmic_axis_that_shows_step_zero():
    ax = plot_weight_paths(range(301), np.zeros((301, 9))).axes[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "10", "100"]
    assert ax.get_xlim() == (0, 300)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": WEIGHTS[:2]}, "one copy per step, but there are 2 copies"),
        ({"weights": [np.zeros(4), np.zeros(4), np.zeros(3)]}, "copies of one kernel"),
        ({"target": [1, 2]}, "target must have 4 weights, as the kernel, but it has 2"),
        ({"losses": [1, 2]}, r"one loss per copy \(3\) or per step \(20\)"),
        ({"losses": [0, 0, 0]}, "must hold a loss above 0"),
        ({"weights": [WEIGHTS[0], WEIGHTS[1], WEIGHTS[2] * np.nan]}, "must be finite"),
        ({"steps": []}, "steps is empty"),
    ],
)
def test_paths_that_cannot_be_drawn_are_refused(change, message):
    given = {"steps": STEPS, "weights": WEIGHTS} | change
    with pytest.raises(ValueError, match=message):
        plot_weight_paths(**given)
