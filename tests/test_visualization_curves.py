"""Plain diagrams and the pictures of gradient descent: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from cnnedu.visualization.colors import BLUE
from cnnedu.visualization.curves import plot_bars, plot_curves, plot_spread
from cnnedu.visualization.descent import plot_descent, plot_paths
from cnnedu.visualization.figures import projector


def lines(ax) -> dict[str, np.ndarray]:
    """Return the points of every line that has a name, (points, 2)."""
    named = {line.get_label(): line.get_xydata() for line in ax.get_lines()}
    return {name: points for name, points in named.items() if not name.startswith("_")}


def bowl(w):
    return (w - 3) ** 2


def landscape(a, b):
    return a**2 / 2 + 10 * b**2


# ---------------------------------------------------------------------------------------------
# Curves
# ---------------------------------------------------------------------------------------------


def test_curves_stand_at_one_two_three_or_at_their_own_places():
    figure = plot_curves({"here": [3, 1, 2], "there": (np.array([10, 20]), [0.5, 0.25])})
    drawn = lines(figure.axes[0])
    assert np.array_equal(drawn["here"], [[1, 3], [2, 1], [3, 2]])
    assert np.array_equal(drawn["there"], [[10, 0.5], [20, 0.25]])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["here", "there"]


def test_a_thick_curve_lies_below_those_that_run_along_it():
    figure = plot_curves({"largest": [2, 3], "one": [2, 1], "other": [0, 3]}, thick="largest")
    drawn = {line.get_label(): line for line in figure.axes[0].get_lines()}
    broad, one = drawn["largest"], drawn["one"]
    assert broad.get_linewidth() > 2 * one.get_linewidth()
    assert broad.get_zorder() < one.get_zorder() == drawn["other"].get_zorder()
    with pytest.raises(ValueError, match="thick must be one of .*'two'"):
        plot_curves({"one": [1, 2]}, thick="two")


def test_curves_can_be_told_apart_without_color():
    figure = plot_curves({str(i): [i, i] for i in range(6)})
    assert len({str(line._dash_pattern) for line in figure.axes[0].get_lines()}) == 6


def test_few_points_are_marked_on_every_curve_with_a_shape_of_its_own():
    lines = plot_curves({str(i): np.arange(5) + i for i in range(6)}).axes[0].get_lines()
    assert len({line.get_marker() for line in lines}) == 6
    assert all(line.get_markevery() == slice(None) for line in lines)


def test_of_many_points_only_different_ends_are_marked():
    ends = plot_curves({"a": np.arange(31), "b": np.arange(5)}).axes[0].get_lines()
    assert [line.get_markevery() for line in ends] == [[-1], [-1]]
    assert ends[0].get_marker() != ends[1].get_marker()
    same = plot_curves({"a": np.arange(31), "b": np.arange(31)}).axes[0].get_lines()
    assert [line.get_marker() for line in same] == ["None", "None"]


def test_a_curve_over_a_noisy_one_has_a_rim():
    figure = plot_curves({"noise": np.arange(31) % 2, "fit": np.arange(31), "broad": np.ones(31)},
                         thick="broad")  # fmt: skip
    rims = [bool(line.get_path_effects()) for line in figure.axes[0].get_lines()]
    assert rims == [False, True, False]


def test_a_long_label_stays_inside_the_figure():
    for made in (plot_curves({"a": [1, 2]}, "x", "accuracy on the rest of the hand, mean"),
                 plot_bars({"a": 1}, "x", "accuracy on the rest of the hand, mean")):  # fmt: skip
        assert label_is_inside(made)
    with projector():
        assert label_is_inside(plot_curves({"a": [1, 2]}, "x", "wrong, of the rest of the hand"))


def label_is_inside(figure) -> bool:
    figure.canvas.draw()
    box = figure.axes[0].yaxis.label.get_window_extent()
    return box.y0 >= 0 and box.y1 <= figure.bbox.height


@pytest.mark.parametrize("log", ["", "y"])
def test_a_level_at_the_end_of_the_axis_keeps_off_the_frame(log):
    ax = plot_curves({"a": [7, 10, 1000]}, levels={"reference": 5}, log=log).axes[0]
    low, high = ax.transData.inverted().transform(ax.transAxes.transform([(0, 0.03), (1, 0.97)]))
    assert low[1] < 5
    assert high[1] > 1000


def test_a_single_curve_needs_no_legend():
    figure = plot_curves({"loss": [3, 2, 1]}, "epoch", "loss", title="Falling")
    assert not figure.legends
    ax = figure.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "loss", "Falling")


def test_levels_and_ranges_are_drawn_and_said():
    figure = plot_curves({"a": [0.2, 0.4]}, levels={"chance": 0.1}, y_range=(0, 1))
    ax = figure.axes[0]
    assert ax.get_ylim() == (0, 1)
    assert any(np.allclose(line.get_ydata(), 0.1) for line in ax.get_lines())
    assert "chance" in [text.get_text() for text in ax.texts]
    assert "chance at 0.1" in figure.alt


def test_the_text_of_curves_gives_ends_and_extremes():
    text = plot_curves({"a": (np.array([10, 20, 30]), np.array([2, 9, 4]))}, "batch", "loss").alt
    assert text == ("loss over batch: a from 2 to 4 in 3 points, lowest 2 at 10, highest 9 at 20.")


def test_runs_of_the_same_thing_look_alike():
    runs = np.array([[3, 2, 1], [4, 2, 3]])
    figure = plot_curves({"runs": runs, "other": [1, 1, 1]}, "epoch", "loss")
    first, second, other = figure.axes[0].get_lines()
    assert np.array_equal([first.get_ydata(), second.get_ydata()], runs)
    assert first.get_color() == second.get_color() != other.get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["runs", "other"]
    assert "runs: 2 runs of 3 points, the last from 1 to 3, all from 1 to 4" in figure.alt


def test_logarithmic_axes():
    ax = plot_curves({"a": [1, 10, 100]}, log="y").axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "log")
    with pytest.raises(ValueError, match="a logarithmic y axis needs values above 0, but one is 0"):
        plot_curves({"a": [1, 0]}, log="y")
    with pytest.raises(ValueError, match="but one is -1"):
        plot_curves({"a": [1, 2]}, log="y", levels={"below": -1})
    with pytest.raises(ValueError, match="log must be"):
        plot_curves({"a": [1, 2]}, log="z")


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "curves is empty"),
        ({"a": [[[1, 2]]]}, r"\(points,\) or \(runs, points\)"),
        ({"a": 3.0}, r"but the shapes of x and y are \(\) and \(\)"),
        ({"a": (np.arange(3), np.arange(2))}, r"are \(3,\) and \(2,\)"),
        ({"a": [1, np.nan]}, "must be finite"),
        ({"a": []}, "is empty"),
        ({str(i): [1] for i in range(7)}, "holds 7; at most 6"),
    ],
)
def test_curves_that_cannot_be_drawn(curves, message):
    with pytest.raises(ValueError, match=message):
        plot_curves(curves)


def test_curves_must_have_names():
    with pytest.raises(TypeError, match="must be a mapping from names to values"):
        plot_curves([1, 2, 3])


# ---------------------------------------------------------------------------------------------
# Spread and bars
# ---------------------------------------------------------------------------------------------


def bars_of_means(ax) -> list:
    return [line for line in ax.get_lines() if np.isclose(np.ptp(line.get_ydata()), 0.84)]


def test_spread_draws_every_value_and_the_mean():
    groups = {"few": [0.2, 0.4, 0.9], "one": [0.5]}
    ax = plot_spread(groups, "accuracy").axes[0]
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
    means = bars_of_means(ax)
    assert np.array_equal(dots[0].get_xdata(), [0.2, 0.4, 0.9])
    assert np.allclose([line.get_xdata()[0] for line in means], [0.5, 0.5])
    assert max(line.get_zorder() for line in means) < min(line.get_zorder() for line in dots)
    assert ax.get_xlabel() == "accuracy (bar: mean)"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["few", "one"]


def test_equal_values_of_a_spread_do_not_hide_each_other():
    ax = plot_spread({"ties": [0.2] * 15 + [0.4] * 17}).axes[0]
    points = ax.get_lines()[0].get_xydata()
    assert len(np.unique(points, axis=0)) == 32
    assert np.abs(points[:, 1]).max() < 0.4
    assert not ax.texts


def test_where_most_of_many_meet_one_dot_and_a_number_stand_for_them():
    ties = 0.9 + np.linspace(-1e-4, 1e-4, 41)
    ax = plot_spread({"left": [0.0, 0.5], "ties": [*ties, 0.1, 0.4, 0.4]}).axes[0]
    dots = [line for line in ax.get_lines() if line.get_marker() == "o"][1]
    assert np.allclose(sorted(dots.get_xdata()), [0.1, 0.4, 0.4, 0.9])
    (text,) = ax.texts
    assert (text.get_text(), text.xy, text.get_ha()) == ("× 41", (pytest.approx(0.9), 1), "right")


def test_the_mean_is_seen_above_a_cloud_of_dots(rng):
    ax = plot_spread({"many": rng.random(200), "few": [0.5, 0.6]}).axes[0]
    many, few = bars_of_means(ax)
    dots = next(line for line in ax.get_lines() if line.get_marker() == "o")
    assert few.get_zorder() < dots.get_zorder() < many.get_zorder()
    assert same_color(many.get_color(), "black")
    assert many.get_path_effects()


def test_a_level_beyond_all_values_has_its_margin():
    low, high = plot_spread({"a": [0.2, 0.4]}, levels={"oracle": 0.8}).axes[0].get_xlim()
    assert low < 0.2
    assert high > 0.82
    assert plot_spread({"a": [0.2]}, levels={"b": 3}, x_range=(0, 1)).axes[0].get_xlim() == (0, 1)


def test_the_text_of_a_spread():
    text = plot_spread({"a": [0.25, 0.75]}, "accuracy", levels={"chance": 0.1}, title="Seeds").alt
    assert text == (
        "Seeds: accuracy: a: 2 values, mean 0.5, from 0.25 to 0.75; lines: chance at 0.1."
    )


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "groups is empty"),
        ({"a": [[1.0]]}, "one axis"),
        ({"a": [np.inf]}, "finite"),
        ({str(i): [1] for i in range(21)}, "holds 21; at most 20"),
    ],
)
def test_spreads_that_cannot_be_drawn(groups, message):
    with pytest.raises(ValueError, match=message):
        plot_spread(groups)


def test_bars_are_as_high_as_their_values():
    figure = plot_bars({"0.0": 2, "0.2": 7, "0.4": 0}, "accuracy", "tests")
    ax = figure.axes[0]
    assert [bar.get_height() for bar in ax.patches] == [2, 7, 0]
    assert [text.get_text() for text in ax.texts] == ["2", "7", "0"]
    assert figure.alt == "tests over accuracy: 0.0: 2, 0.2: 7, 0.4: 0."
    with pytest.raises(ValueError, match="from 0 on"):
        plot_bars({"a": -1})
    with pytest.raises(ValueError, match="bars is empty"):
        plot_bars({})


# ---------------------------------------------------------------------------------------------
# Descent
# ---------------------------------------------------------------------------------------------


def test_descent_marks_every_position_on_the_curve():
    path = np.array([0.0, 1.2, 1.92])
    figure = plot_descent(bowl, {"0.2": path}, span=(-1, 7))
    ax = figure.axes[0]
    dots = next(line for line in ax.get_lines() if line.get_marker() == "o")
    assert np.allclose(dots.get_xydata(), np.stack([path, bowl(path)], axis=1))
    assert same_color(dots.get_color(), BLUE)
    assert len(ax.texts) == 2  # one arrow per step
    assert "2 steps from 0 to 1.92, loss from 9 to 1.17" in figure.alt


def test_the_start_of_a_descent_is_a_square():
    ax = plot_descent(bowl, {"a": np.array([0.0, 1.2])}, span=(-1, 7)).axes[0]
    (start,) = [line for line in ax.get_lines() if line.get_marker() == "s"]
    assert np.array_equal(start.get_xydata(), [[0, 9]])
    outside = plot_descent(bowl, {"a": np.array([9.0, 1.2])}, span=(-1, 7)).axes[0]
    assert not [line for line in outside.get_lines() if line.get_marker() == "s"]


def test_marks_and_lines_grow_for_the_projector():
    def sizes():
        lines = [
            *plot_curves({"a": [1, 2]}, levels={"b": 1}).axes[0].get_lines(),
            *plot_spread({"a": [1, 2]}, levels={"b": 1}).axes[0].get_lines(),
            *plot_descent(bowl, {"a": np.array([0.0, 1.2])}, span=(-1, 7)).axes[0].get_lines(),
        ]
        return np.array([line.get_markersize() * line.get_linewidth() for line in lines])

    page = sizes()
    with projector():
        assert (sizes() > page).all()


def test_descent_that_leaves_the_picture_ends_at_its_edge():
    path = np.array([0.0, 6.6, -0.96, 7.36, 1e6])
    figure = plot_descent(bowl, {"too large": path}, span=(-1, 7))
    ax = figure.axes[0]
    dots = next(line for line in ax.get_lines() if line.get_marker() == "o")
    assert np.array_equal(dots.get_xdata(), path[:3])
    assert ax.texts[-1].xy[0] == 7
    assert len(ax.texts) == 3
    assert ax.get_xlim() == (-1, 7)


def test_descent_draws_a_panel_per_path():
    figure = plot_descent(bowl, {"a": [0, 1], "b": [0, 2], "c": [0, 3]}, span=(-1, 7), title="T")
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c"]
    assert figure.alt.startswith("T: ")


@pytest.mark.parametrize(
    ("paths", "span", "message"),
    [
        ({}, (0, 1), "without entries"),
        ([1, 2], (0, 1), "but it is list"),
        ({"a": [[1, 2]]}, (0, 1), r"must have shape \(steps,\), but it is \(1, 2\)"),
        ({"a": [1, np.nan]}, (0, 1), "finite"),
        ({"a": [1, 2]}, (1, 1), "low < high"),
        ({str(i): [1] for i in range(9)}, (0, 1), "at most 8"),
    ],
)
def test_descents_that_cannot_be_drawn(paths, span, message):
    with pytest.raises(ValueError, match=message):
        plot_descent(bowl, paths, span=span)


def test_descent_refuses_a_loss_of_another_shape():
    with pytest.raises(ValueError, match="one number per parameter"):
        plot_descent(lambda w: np.zeros(3), {"a": [1, 2]}, span=(0, 1))


def test_paths_are_drawn_over_the_lines_of_equal_loss():
    path = np.array([[-4.0, 1.0], [-3.6, -0.8], [-3.2, 0.6]])
    figure = plot_paths(landscape, {"SGD": path, "still": path[:1]}, span=((-5, 2), (-2, 2)))
    first, second = figure.axes
    assert (first.get_xlabel(), first.get_ylabel()) == ("first parameter", "second parameter")
    drawn = [line.get_xydata() for line in first.get_lines()]
    assert any(np.array_equal(points, path) for points in drawn)
    assert any(np.array_equal(points, [[0, 0]]) for points in drawn)  # the goal
    assert first.get_xlim() == second.get_xlim() == (-5, 2)
    assert len(first.collections[0].get_paths()) == 10
    assert (
        "SGD: 2 steps from (\N{MINUS SIGN}4, 1) to (\N{MINUS SIGN}3.2, 0.6), loss 8.72"
        in figure.alt
    )


def test_axes_of_paths_can_be_named():
    figure = plot_paths(landscape, {"SGD": [[1, 2]]}, span=((-5, 2), (-2, 2)), labels=("a", "b"))
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == ("a", "b")


@pytest.mark.parametrize(
    ("paths", "span", "message"),
    [
        ({"a": [1, 2]}, ((0, 1), (0, 1)), r"must have shape \(steps, 2\), but it is \(2,\)"),
        ({"a": [[1, 2, 3]]}, ((0, 1), (0, 1)), r"but it is \(1, 3\)"),
        ({"a": [[1, 2]]}, ((0, 1), (1, 0)), "low < high"),
    ],
)
def test_paths_that_cannot_be_drawn(paths, span, message):
    with pytest.raises(ValueError, match=message):
        plot_paths(landscape, paths, span=span)
