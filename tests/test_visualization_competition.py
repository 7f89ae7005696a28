"""Maps of winners: every place has its winner's color, and the colors can be told apart in gray."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from cnnedu.visualization.competition import WINNERS, number_places, plot_winners


def lightness(color):
    """Return CIE L*, how light a color is on gray paper."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    y = linear @ [0.2126, 0.7152, 0.0722]
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def test_colors_differ_in_lightness():
    steps = np.diff([lightness(color) for color in WINNERS])
    assert steps.min() > 7


def test_every_place_has_the_color_of_its_winner(rng):
    winners = rng.integers(0, 9, (2, 5, 7))
    figure = plot_winners(winners)
    for ax, each in zip(figure.axes[:2], winners, strict=True):
        pixels = np.asarray(ax.images[0].get_array())
        expected = np.array([to_rgb(WINNERS[kernel]) for kernel in each.ravel()])
        np.testing.assert_allclose(pixels.reshape(-1, 3), expected)


def test_numbers_stand_inside_their_regions():
    winners = np.zeros((12, 12), dtype=int)
    winners[:, 6:] = 3
    winners[0, 0] = 5  # too small for a number
    places = number_places(winners)
    assert sorted(kernel for kernel, _, _ in places) == [0, 3]
    assert all(winners[row, column] == kernel for kernel, row, column in places)
    texts = [text.get_text() for text in plot_winners(winners).axes[0].texts]
    assert sorted(texts) == ["0", "3"]


def test_images_stand_above_their_maps():
    images = np.stack([np.eye(4), 1 - np.eye(4)])[:, None]
    figure = plot_winners(np.zeros((2, 3, 3), int), images=images, titles=["one", "two"])
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    np.testing.assert_array_equal(shown[0], images[0, 0])
    np.testing.assert_array_equal(shown[1], images[1, 0])
    assert [ax.get_title() for ax in figure.axes[:4]] == ["one", "two", "", ""]
    upper, lower = figure.axes[0].get_position(), figure.axes[2].get_position()
    assert upper.y0 > lower.y1 and np.isclose(upper.x0, lower.x0)


def test_the_legend_names_every_kernel():
    figure = plot_winners([[0, 1], [1, 1]], names=["left", "right", "top"])
    labels = [text.get_text() for text in figure.axes[-1].get_yticklabels()]
    assert labels == ["0 left", "1 right", "2 top"]
    assert len(np.asarray(figure.axes[-1].images[0].get_array())) == 3


def test_panels_titles_and_names_stay_inside_and_apart():
    names = ["(zeros)", "brighter to the right", "to the left"]
    winners = np.zeros((4, 9, 9), int)
    for options in ({"images": np.zeros((4, 1, 12, 12))}, {"columns": 2}):
        figure = plot_winners(winners, names=names, titles=list("abcd"), title="Maps", **options)
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()
        boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
        boxes += [text.get_window_extent(renderer) for text in figure.texts]
        for index, box in enumerate(boxes):
            assert box.x0 >= -1 and box.y0 >= -1
            assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1
            assert not any(
                box.x0 < other.x1 - 1
                and other.x0 < box.x1 - 1
                and box.y0 < other.y1 - 1
                and other.y0 < box.y1 - 1
                for other in boxes[index + 1 :]
            )


def test_few_named_kernels_get_colors_far_apart():
    figure = plot_winners([[0, 1, 2]], names=["left", "right", "top"])
    pixels = np.asarray(figure.axes[0].images[0].get_array())[0]
    np.testing.assert_allclose(pixels, [to_rgb(WINNERS[index]) for index in (0, 4, 8)])


def test_the_text_gives_the_shares():
    figure = plot_winners([[0, 2], [2, 2]], names=["a", "b", "c"], title="A map")
    assert figure.alt == (
        "A map: 1 map of winners, 2 x 2 places; places won by kernel: 0 a 25%, 1 b 0%, 2 c 75%."
    )


@pytest.mark.parametrize(
    ("winners", "options", "error", "message"),
    [
        ([[0.0, 1.0]], {}, TypeError, "whole numbers, .* but they are float64"),
        ([[0, 9]], {}, ValueError, "between 0 and 8, .* run from 0 to 9"),
        ([[-1, 0]], {}, ValueError, "run from -1 to 0"),
        (np.zeros((1, 1, 2, 2), int), {}, ValueError, r"shape \(H, W\) or \(N, H, W\), but it is"),
        (np.zeros((0, 2), int), {}, ValueError, "winners is empty"),
        (np.zeros((13, 2, 2), int), {}, ValueError, "at most 12 maps fit, but there are 13"),
        ([[0, 3]], {"names": ["a"]}, ValueError, "each of the 4 kernels .* there are 1"),
        ([[0]], {"names": list("abcdefghij")}, ValueError, "at most 9.* there are 10"),
        ([[0]], {"images": np.zeros((2, 1, 3, 3))}, ValueError, "each of the 1 map, but there are"),
        ([[0]], {"titles": ["a", "b"]}, ValueError, "maps"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(winners, options, error, message):
    with pytest.raises(error, match=message):
        plot_winners(winners, **options)
