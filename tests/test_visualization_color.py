"""Kernels in color, and regions of pictures: what is drawn."""

import numpy as np
import pytest

from cnnedu import Conv2D
from cnnedu import visualization as viz
from cnnedu.network import Sequential
from cnnedu.visualization.color import kernels_as_colors


def panels(figure):
    return [ax for ax in figure.axes if ax.images]


def image_of(ax):
    return np.asarray(ax.images[0].get_array())


def test_kernels_become_colors_on_one_scale():
    weights = np.zeros((2, 3, 1, 2))
    weights[0, :, 0, 0] = 2, -2, 0
    weights[1, :, 0, 1] = -1, -1, -1
    colors = kernels_as_colors(weights)
    assert colors.shape == (2, 1, 2, 3)
    np.testing.assert_allclose(colors[0, 0, 0], [1, 0, 0.5])
    np.testing.assert_allclose(colors[1, 0, 1], [0.25, 0.25, 0.25])
    np.testing.assert_allclose(colors[0, 0, 1], 0.5)
    np.testing.assert_array_equal(kernels_as_colors(np.zeros((1, 3, 2, 2))), 0.5)


def test_each_filter_stands_above_its_channels(rng):
    weights = rng.normal(size=(5, 3, 3, 2))
    figure = viz.plot_color_filters(weights, title="Filters")
    axes = panels(figure)
    assert len(axes) == 5 * 4
    limit = np.abs(weights).max()
    for index in range(5):
        color, *channels = axes[4 * index : 4 * index + 4]
        np.testing.assert_allclose(image_of(color), kernels_as_colors(weights)[index])
        assert color.get_title() == str(index)
        for channel, ax in enumerate(channels):
            np.testing.assert_allclose(image_of(ax), weights[index, channel])
            assert ax.images[0].get_clim() == pytest.approx((-limit, limit))
    tops = [axes[4 * index].get_position().y1 for index in range(5)]
    assert np.ptp(tops) < 1e-9  # one row
    assert [text.get_text() for text in figure.texts] == [
        "Filters", "in color", "red", "green", "blue",
    ]  # fmt: skip
    assert figure.alt.startswith("Filters: 5 filters of 3 x 2 weights for red, green and blue")
    total = f"{weights[0, 0].sum():.3g}".replace("-", "\N{MINUS SIGN}")
    assert f"0: red {total}, green" in figure.alt


def test_layers_networks_and_single_kernels(rng):
    layer = Conv2D(3, 4, 3, rng=rng)
    network = Sequential([layer], input_shape=(3, 8, 8))
    pictures = [
        image_of(panels(viz.plot_color_filters(each))[0])
        for each in (layer, network, layer.params["weight"], layer.params["weight"])
    ]
    for picture in pictures[1:]:
        np.testing.assert_array_equal(picture, pictures[0])
    one = viz.plot_color_filters(np.ones((3, 5, 5)), ["white"])
    assert panels(one)[0].get_title() == "white"
    many = viz.plot_color_filters(rng.normal(size=(10, 3, 3, 3)), columns=4)
    lefts = {round(ax.get_position().x0, 6) for ax in panels(many)[:40]}
    assert len(lefts) == 4


@pytest.mark.parametrize(
    ("filters", "error", "message"),
    [
        (np.zeros((2, 1, 3, 3)), ValueError, r"kernels of 3 channels, .* \(2, 1, 3, 3\)"),
        (np.zeros((3, 3)), ValueError, "kernels of 3 channels"),
        (np.full((1, 3, 2, 2), np.nan), ValueError, "finite"),
        ("sobel_x", ValueError, "kernels of 3 channels"),
    ],
)
def test_filters_of_another_kind(filters, error, message):
    with pytest.raises(error, match=message):
        viz.plot_color_filters(filters)


def test_regions_are_framed(rng):
    images = {"one": rng.random((20, 30, 3)), "two": rng.random((20, 30))}
    regions = {
        "one": {"sky, train": (0, 5, 0, 10), "sky, test": (6, 10, 2, 8), "sea": (0, 1, 0, 1)}
    }
    figure = viz.plot_regions(images, regions)
    first, second = panels(figure)
    frames = [patch for patch in first.patches if patch.get_label() == "frame"]
    assert len(frames) == 3
    assert not [patch for patch in second.patches if patch.get_label() == "frame"]
    train, test, sea = frames
    assert (train.get_x(), train.get_y()) == (-0.5, -0.5)
    assert (train.get_width(), train.get_height()) == (10, 5)
    assert (test.get_x(), test.get_y(), test.get_width()) == (1.5, 5.5, 6)
    assert train.get_edgecolor() == test.get_edgecolor() != sea.get_edgecolor()
    assert train.get_linestyle() != test.get_linestyle()
    assert train.get_path_effects()
    assert test.get_path_effects()
    assert [text.get_text() for text in first.texts] == ["sky\ntrain", "sky\ntest", "sea"]
    assert "sky, test in one, rows 6 to 9, columns 2 to 7" in figure.alt


@pytest.mark.parametrize(
    ("images", "regions", "message"),
    [
        ({}, {}, "images must be a mapping"),
        (np.zeros((4, 4)), {}, "images must be a mapping"),
        ({"a": np.zeros((4, 4))}, {"b": {}}, "regions names 'b', but the pictures are a"),
        ({"a": np.zeros((4, 4))}, {"a": {"x": (0, 5, 0, 2)}}, "must lie inside the picture of 4 x"),
        ({"a": np.zeros((4, 4))}, {"a": {"x": (0, 2, 2, 2)}}, "must lie inside the picture of 4 x"),
        ({"a": np.zeros((4, 4))}, {"a": {"x": (0, 2)}}, r"must be \(top, bottom, left, right\)"),
    ],
)
def test_regions_that_are_not_there(images, regions, message):
    with pytest.raises(ValueError, match=message):
        viz.plot_regions(images, regions)
