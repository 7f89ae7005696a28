"""Rows of small pictures, and patches that excite a unit: what is drawn is what was computed."""

import numpy as np
import pytest

from cnnedu import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential
from cnnedu.layers import conv2d_loops
from cnnedu.visualization.colors import SIGNED
from cnnedu.visualization.patches import exciting_patches, plot_exciting_patches
from cnnedu.visualization.rows import plot_rows


def pictures(figure) -> list[np.ndarray]:
    """Return what every panel of a figure shows, without the bar of colors."""
    images = [ax.images[0] for ax in figure.axes if ax.images]
    return [np.asarray(image.get_array()) for image in images]


# ---------------------------------------------------------------------------------------------
# Rows
# ---------------------------------------------------------------------------------------------


def test_every_picture_is_drawn_in_the_order_of_its_row():
    rows = {"first": np.arange(8.0).reshape(2, 2, 2), "second": [np.eye(3), np.ones((1, 1, 2))]}
    drawn = pictures(plot_rows(rows))
    wanted = [rows["first"][0], rows["first"][1], np.eye(3), np.ones((1, 2))]
    assert len(drawn) == 4
    assert all(np.array_equal(a, b) for a, b in zip(drawn, wanted, strict=True))


def test_one_scale_holds_for_all_rows_and_is_centered_if_something_is_negative():
    figure = plot_rows({"a": [[[-1.0, 0.5]]], "b": [[[3.0, 0.0]]]}, label="weight")
    images = [ax.images[0] for ax in figure.axes if ax.images]
    assert {image.get_clim() for image in images} == {(-3.0, 3.0)}
    assert all(image.get_cmap() is SIGNED for image in images)
    assert figure.axes[-1].get_ylabel() == "weight"


def test_each_row_on_its_own_scale_with_its_ends_under_its_name():
    rows = {"a": [[[-1.0, 0.5]], [[0.0, 0.25]]], "b": [[[3.0, 0.0]]]}
    figure = plot_rows(rows, scale="row")
    images = [ax.images[0] for ax in figure.axes]
    assert [image.get_clim() for image in images] == [(-1, 1), (-1, 1), (-3, 3)]
    assert [text.get_text() for text in figure.texts] == ["a\n±1", "b\n±3"]
    amount = plot_rows({"a": [[[0.0, 2.0]]], "b": [np.zeros((2, 2))]}, scale="row")
    assert [text.get_text() for text in amount.texts] == ["a\n0 to 2", "b\n0 to 1"]
    gray = plot_rows({"a": [[[0.0, 1.0]]]}, scale="row", kind="picture")
    assert [text.get_text() for text in gray.texts] == ["a"]
    with pytest.raises(ValueError, match='scale must be "shared" or "row", but it is \'each\''):
        plot_rows(rows, scale="each")


def test_gray_pictures_have_no_bar_of_colors():
    figure = plot_rows({"a": np.full((2, 3, 3), 0.5)}, kind="picture")
    assert len(figure.axes) == 2
    assert np.allclose(figure.axes[0].images[0].to_rgba(0.5)[:3], 0.5, atol=0.01)


def test_titles_stand_above_columns_or_above_each_picture():
    rows = {"a": np.zeros((2, 2, 2)), "b": np.zeros((3, 2, 2))}
    above = plot_rows(rows, ["x", "y", "z"])
    assert [ax.get_title() for ax in above.axes[:5]] == ["x", "y", "", "", "z"]
    each = plot_rows(rows, {"a": ["1", "2"], "b": [3, 4, 5]})
    assert [ax.get_title() for ax in each.axes[:5]] == ["1", "2", "3", "4", "5"]


def test_panels_titles_and_names_do_not_overlap_and_stay_inside():
    rows = {"a long name of a row": np.zeros((20, 5, 5)), "b": np.zeros((20, 5, 5))}
    titles = {name: ["9"] * 20 for name in rows}
    figure = plot_rows(rows, titles, title="A heading that is too long for one line " * 3)
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


def test_the_text_names_rows_sizes_and_ranges():
    text = plot_rows({"conv1": [np.eye(4)], "pool1": -np.ones((2, 2, 2))}, title="Maps").alt
    assert text.startswith(
        "Maps: 2 rows of small pictures; conv1: 1 picture of 4 x 4, values from 0"
    )
    assert "pool1: 2 pictures of 2 x 2, values from \N{MINUS SIGN}1 to \N{MINUS SIGN}1" in text


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([1, 2], {}, "rows must be a mapping"),
        ({}, {}, "1 to 12 rows, but there are 0"),
        ({"a": []}, {}, "1 to 20 pictures, but the longest holds 0"),
        ({"a": np.zeros((21, 2, 2))}, {}, "the longest holds 21"),
        ({"a": np.zeros((2, 3, 2, 2))}, {}, "one of them has shape \\(3, 2, 2\\)"),
        ({"a": np.full((1, 2, 2), np.nan)}, {}, "must be finite"),
        ({"a": np.zeros((1, 2, 2))}, {"kind": "gray"}, "kind must be one of signed, amount, pict"),
        ({"a": np.zeros((1, 2, 2))}, {"titles": ["x", "y"]}, "each of the 1 columns"),
        ({"a": np.zeros((1, 2, 2))}, {"titles": {"b": ["x"]}}, "must name the rows a, but .* b"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(rows, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        plot_rows(rows, **options)


# ---------------------------------------------------------------------------------------------
# Patches
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def network(rng):
    layers = [Conv2D(1, 3, 3, rng=rng), ReLU(), MaxPool2D(2), Conv2D(3, 4, 2, rng=rng), Flatten()]
    return Sequential([*layers, Dense(36, 2, rng=rng)], input_shape=(1, 10, 10))


@pytest.fixture
def images(rng):
    return rng.random((130, 1, 10, 10), dtype=np.float32)  # more than are computed at once


def test_a_patch_gives_its_answer_by_itself(network, images):
    conv = network["conv1"]
    found = exciting_patches(network, images, "conv1", 1, count=5)
    assert [patch.pixels.shape for patch in found] == [(1, 3, 3)] * 5
    for patch in found:
        weight, bias = conv.params["weight"][1:2], conv.params["bias"][1:2]
        assert conv2d_loops(patch.pixels[None], weight, bias).item() == pytest.approx(
            patch.value, abs=1e-5
        )


def test_no_image_holds_a_stronger_patch(network, images):
    maps = network.activations(images)["conv2"]
    found = exciting_patches(network, images, "conv2", 3, count=130)
    largest = maps[:, 3].max(axis=(1, 2))
    assert sorted(patch.image for patch in found) == list(range(130))
    assert np.allclose([patch.value for patch in found], np.sort(largest)[::-1])
    for patch in found[:3]:
        assert maps[patch.image, 3, patch.row, patch.column] == pytest.approx(patch.value)
        top, left = 2 * patch.row, 2 * patch.column  # a step of conv2 is two pixels
        assert np.array_equal(patch.pixels, images[patch.image][:, top : top + 6, left : left + 6])


def test_beyond_the_border_there_are_zeros(rng):
    network = Sequential([Conv2D(2, 1, 3, padding="same", rng=rng)], input_shape=(2, 4, 4))
    network["conv1"].params["weight"][...] = [[[0, 0, 0], [0, 1, 0], [0, 0, 0]]] * 2
    images = np.zeros((1, 2, 4, 4), np.float32)
    images[0, :, 0, 3] = [0.25, 0.75]
    (patch,) = exciting_patches(network, images, "conv1", 0)
    assert (patch.row, patch.column) == (0, 3)
    assert patch.value == pytest.approx(1, abs=1e-5)
    assert np.array_equal(patch.pixels[0], [[0, 0, 0], [0, 0.25, 0], [0, 0, 0]])
    assert np.array_equal(patch.pixels[1], [[0, 0, 0], [0, 0.75, 0], [0, 0, 0]])


def test_equal_answers_come_in_the_order_of_the_images(network):
    images = np.zeros((7, 1, 10, 10), np.float32)
    assert [p.image for p in exciting_patches(network, images, "conv1", 0, 4)] == [0, 1, 2, 3]


def test_a_dense_unit_sees_the_whole_image(network, images):
    best = exciting_patches(network, images, "dense1", 1, count=1)[0]
    assert best.image == network.activations(images)["dense1"][:, 1].argmax()
    assert np.array_equal(best.pixels, images[best.image])


def test_the_drawing_shows_the_patches_with_their_labels(network, images):
    labels = np.arange(130) % 10
    figure = plot_exciting_patches(network, images, "conv2", [3, 0], 4, labels=labels)
    wanted = [
        patch for c in (3, 0) for patch in exciting_patches(network, images, "conv2", c, count=4)
    ]
    drawn = pictures(figure)
    assert all(np.array_equal(a, b.pixels[0]) for a, b in zip(drawn, wanted, strict=True))
    assert [ax.get_title() for ax in figure.axes] == [str(labels[p.image]) for p in wanted]
    assert "conv2: the 6 × 6 pixels" in figure.alt
    assert f"channel 3 answers {wanted[0].value:.3g}" in figure.alt


def test_a_unit_that_never_answers_is_marked(network, images):
    network["conv1"].params["bias"][2] = -100
    figure = plot_exciting_patches(network, images, "relu1", [1, 2], 3)
    assert [text.get_text() for text in figure.texts if "silent" in text.get_text()] == [
        "2 (silent)"
    ]


def test_the_network_stays_as_it_was(network, images):
    before = {name: array.copy() for name, array in network.params.items()}
    plot_exciting_patches(network, images, "conv1", [0])
    assert all(np.array_equal(before[name], array) for name, array in network.params.items())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"network": "conv1"}, TypeError, "network must be a network, but it is a str"),
        (
            {"images": np.zeros((10, 10))},
            ValueError,
            r"but their shape is \(10, 10\)",
        ),
        ({"images": np.zeros((0, 1, 10, 10))}, ValueError, "empty"),
        ({"layer": "conv9"}, KeyError, "no layer 'conv9'"),
        ({"channel": 3}, ValueError, "from 0 to 2 \\(conv1 has 3\\), but it is 3"),
        ({"channel": True}, ValueError, "channel must be"),
        ({"count": 0}, ValueError, "count must be a whole number from 1, but it is 0"),
    ],
)
def test_wrong_arguments_are_named(network, images, change, error, message):
    arguments = {"network": network, "images": images, "layer": "conv1", "channel": 0} | change
    with pytest.raises(error, match=message):
        exciting_patches(**arguments)


@pytest.mark.parametrize(
    ("channels", "labels", "message"),
    [
        (3, None, "channels must be a list"),
        ([], None, "channels must be a list"),
        ([0], [1, 2], "one label for each of the 130 images"),
    ],
)
def test_wrong_arguments_of_the_drawing_are_named(network, images, channels, labels, message):
    with pytest.raises(ValueError, match=message):
        plot_exciting_patches(network, images, "conv1", channels, labels=labels)


def test_two_channels_cannot_be_drawn(rng):
    network = Sequential([Conv2D(2, 1, 3, rng=rng)], input_shape=(2, 4, 4))
    with pytest.raises(ValueError, match=r"one channel \(gray\) or three \(color\)"):
        plot_exciting_patches(network, np.zeros((1, 2, 4, 4), np.float32), "conv1", [0])


def test_patches_of_color_images_are_drawn_in_color(rng):
    network = Sequential([Conv2D(3, 2, (3, 2), rng=rng)], input_shape=(3, 6, 5))
    images = rng.random((4, 3, 6, 5)).astype(np.float32)
    (found,) = [exciting_patches(network, images, "conv1", 1, 3)]
    drawn = pictures(plot_exciting_patches(network, images, "conv1", [1], 3))
    assert [each.shape for each in drawn] == [(3, 2, 3)] * 3
    for picture, patch in zip(drawn, found, strict=True):
        assert np.array_equal(picture, np.moveaxis(patch.pixels, 0, -1))


def test_rows_of_color_pictures(rng):
    photograph = rng.random((7, 6, 3))
    rows = {"last": [photograph], "first": [np.moveaxis(photograph, -1, 0)]}
    drawn = pictures(plot_rows(rows, kind="picture"))
    assert all(np.array_equal(each, photograph.astype(np.float32)) for each in drawn)
    with pytest.raises(ValueError, match="must hold pictures"):
        plot_rows(rows)
