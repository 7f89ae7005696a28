"""The widgets without a browser: what they compute, say, send, save and refuse."""

import base64
import io
import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.signal import convolve2d, correlate2d

from cnnedu import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, Softmax
from cnnedu.architectures import build
from cnnedu.data import HandwritingError, label_of, load_digits, prepare_digit, read_folder
from cnnedu.kernels import KERNELS, kernel
from cnnedu.visualization.colors import SIGNED, Scale
from cnnedu.widgets import DrawDigit, KernelEditor, LayerExplorer, base, draw_digit
from cnnedu.widgets.drawing import (
    answer,
    as_ink,
    check_network,
    percent,
    prepare_drawing,
    save_drawing,
)
from cnnedu.widgets.exploring import Explorer
from cnnedu.widgets.painting import bar, columns_for, paint, panel, tile
from cnnedu.widgets.responses import (
    PICTURES,
    as_gray,
    as_nine,
    load_picture,
    name_of,
    respond,
)

MINUS = "\N{MINUS SIGN}"
WIDGETS = ("kernel_editor", "draw_digit", "layer_explorer")


@pytest.fixture
def network(rng):
    return build("notebook", rng=rng)


@pytest.fixture(scope="module")
def digits():
    return load_digits().test


def pixels_of(view):
    """Return the painted pixels that go to the browser."""
    return np.frombuffer(view["pixels"], np.uint8).reshape(view["rows"], view["columns"], 4)


def seven(size=280, shift=0):
    """Draw a seven as a mouse would: round black strokes."""
    page = Image.new("L", (size, size), 0)
    points = [(x * size + shift, y * size) for x, y in ((0.25, 0.2), (0.72, 0.2), (0.45, 0.8))]
    ImageDraw.Draw(page).line(points, fill=255, width=size // 14, joint="curve")
    return np.asarray(page)


# ------------------------------------------------------------------ painting


class TestPainting:
    def test_colors_are_those_of_the_figures(self):
        scale = Scale(SIGNED, -2.0, 2.0)
        painted = paint(np.array([-2.0, 0.0, 2.0]), scale)
        wanted = [SIGNED(0.0, bytes=True), SIGNED(0.5, bytes=True), SIGNED(1.0, bytes=True)]
        np.testing.assert_array_equal(painted, wanted)

    def test_beyond_the_ends_the_ends_hold(self):
        scale = Scale("gray", 0.0, 1.0)
        np.testing.assert_array_equal(
            paint(np.array([-5.0, 9.0]), scale), paint(np.array([0.0, 1.0]), scale)
        )

    def test_scale_without_width_paints(self):
        assert paint(np.zeros((2, 2)), Scale("gray", 0.0, 0.0)).shape == (2, 2, 4)

    def test_tiles_lie_in_rows_with_clear_gaps(self):
        maps = np.full((3, 2, 2, 4), 255, np.uint8)
        maps[:, :, :, 0] = np.array([1, 2, 3])[:, None, None]
        sheet = tile(maps, 2, gap=1)
        assert sheet.shape == (5, 5, 4)
        np.testing.assert_array_equal(sheet[:2, :2, 0], 1)
        np.testing.assert_array_equal(sheet[:2, 3:, 0], 2)
        np.testing.assert_array_equal(sheet[3:, :2, 0], 3)
        assert not sheet[2].any()
        assert not sheet[:, 2].any()
        assert not sheet[3:, 3:].any()

    @pytest.mark.parametrize(
        ("count", "columns"), [(1, 1), (6, 6), (16, 8), (32, 16), (64, 16), (7, 7), (13, 7)]
    )
    def test_rows_are_full_where_they_can_be(self, count, columns):
        assert columns_for(count, 8, 8, ratio=4) == columns

    def test_panel_keeps_every_pixel(self):
        pixels = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
        sent = panel(pixels)
        assert (sent["rows"], sent["columns"]) == (2, 3)
        np.testing.assert_array_equal(pixels_of(sent), pixels)

    def test_bar_runs_from_end_to_end(self):
        scale = Scale(SIGNED, -1.0, 1.0)
        colors = pixels_of(bar(scale))[0]
        np.testing.assert_array_equal(colors[[0, 128, -1]], paint(np.array([-1, 0, 1]), scale))


# ------------------------------------------------------------------ the kernel editor's arithmetic


class TestResponses:
    @pytest.mark.parametrize("name", ["sobel_x", "emboss", "box_blur"])
    @pytest.mark.parametrize("convolution", [False, True])
    def test_response_is_scipys(self, rng, name, convolution):
        image = rng.random((9, 7))
        oracle = convolve2d if convolution else correlate2d
        found = respond(image, name, convolution=convolution)
        np.testing.assert_allclose(
            found.values, oracle(image, kernel(name), mode="valid"), atol=1e-12
        )

    def test_smallest_picture_gives_one_answer(self):
        found = respond(np.arange(9).reshape(3, 3), np.ones(9))
        np.testing.assert_array_equal(found.values, [[36]])

    @pytest.mark.parametrize("name", KERNELS)
    def test_known_kernels_are_recognized(self, name):
        assert name_of(kernel(name)) == name
        assert name_of(np.round(kernel(name), 4)) == name  # as typed
        assert name_of(kernel(name) + 0.01) == ""

    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ("sobel_x", "The kernel sobel_x answers to vertical edges"),
            ([0] * 9, "All nine numbers are 0, so every answer is 0."),
            ([0, 0, 0, 1, 0, 2, 0, 0, 0], "It adds up brightness"),
            ([0, 0, 0, -1, 0, 0, 0, 0, 0], "It adds up darkness"),
            ([-3, 0, 3, -3, 0, 3, -3, 0, 3], "It is positive where it gets brighter to the right"),
            ([5, 0, -5, 5, 0, -5, 5, 0, -5], "brighter to the left"),
            ([-5, -5, -5, 0, 0, 0, 5, 5, 5], "brighter downward"),
            ([5, 5, 5, 0, 0, 0, -5, -5, -5], "brighter upward"),
            ([-2, -1, 0, -1, 0, 1, 0, 1, 2], "brighter toward the lower right"),
            ([0, 1, 2, -1, 0, 1, -2, -1, 0], "brighter toward the upper right"),
            ([1, -3, 2, 1, 0, -1, -2, 3, -1], "brighter under the positive numbers than under"),
            ([1, 2, 3, 4, 5, 6, 7, 8, -9], "brighter under the positive numbers than under"),
        ],
    )
    def test_reading_says_what_the_kernel_answers_to(self, weights, words):
        reading = respond(np.zeros((4, 4)), weights).reading()
        assert words in reading
        assert reading.count(".") == 1 + reading.count(".0")

    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ("laplacian", "the sum is 0, so flat areas give 0."),
            ("box_blur", "the sum is 1, so flat areas give their own brightness."),
            ([0, 0, 0, 0, -2, 0, 0, 0, 0], f"{MINUS}2 times their brightness"),
        ],
    )
    def test_reading_says_what_flat_areas_give(self, weights, words):
        found = respond(np.full((5, 5), 0.5), weights)
        assert words in found.reading()
        np.testing.assert_allclose(found.values, 0.5 * found.weights.sum(), atol=1e-12)

    def test_convolution_turns_what_is_not_symmetric(self):
        assert "turned by 180 degrees, it is positive where it gets brighter to the left" in (
            respond(np.zeros((4, 4)), "sobel_x", convolution=True).reading().lower()
        )
        same = [respond(np.zeros((4, 4)), "laplacian", convolution=c).reading() for c in (0, 1)]
        assert same[0] == same[1]

    def test_a_place_is_told_as_its_sum(self):
        image = np.arange(16).reshape(4, 4)
        found = respond(image, [[1, 0, 0], [0, -2, 0], [0, 0, 0.5]])
        assert found.at(1, 0) == f"row 1, column 0: 1×4 + {MINUS}2×9 + 0.5×14 = {MINUS}7"
        turned = respond(image, [[1, 0, 0], [0, -2, 0], [0, 0, 0.5]], convolution=True)
        assert turned.at(1, 0) == f"row 1, column 0: 0.5×4 + {MINUS}2×9 + 1×14 = {MINUS}2"
        assert "≈" in respond(image / 7, "sobel_x").at(0, 0)
        assert respond(image, np.zeros(9)).at(0, 0) == "row 0, column 0: 0 = 0"

    @pytest.mark.parametrize("place", [(2, 0), (0, -1), (0.5, 0), (True, 0)])
    def test_places_beyond_the_response_are_refused(self, place):
        with pytest.raises(ValueError, match="must be a whole number from 0 to 1"):
            respond(np.zeros((4, 4)), "sobel_x").at(*place)

    def test_limits_are_of_this_response(self):
        text = respond(np.eye(3), -np.eye(3)).limits()
        assert text == f"sum of the kernel {MINUS}3; response from {MINUS}3 to {MINUS}3"

    def test_colors_end_at_the_answers_or_at_what_is_possible(self):
        found = respond(np.full((3, 3), 0.5), "sobel_x")
        assert found.scale("fixed").signed
        assert (found.scale("fixed").low, found.scale("fixed").high) == (-4, 4)
        edge = respond(np.array([[0.0, 0, 0.5]] * 3), "sobel_x")
        assert (edge.scale("fit").low, edge.scale("fit").high) == (-2, 2)
        blur = respond(np.full((3, 3), 0.5), "box_blur")
        assert not blur.scale("fixed").signed
        assert blur.scale("fixed").high == pytest.approx(1)
        with pytest.raises(ValueError, match="scale must be one of fit, fixed"):
            found.scale("both")

    @pytest.mark.parametrize("name", PICTURES)
    def test_pictures_come_along(self, name):
        picture = as_gray(load_picture(name))
        assert picture.min() >= 0
        assert picture.max() <= 1
        assert picture.std() > 0.1

    @pytest.mark.parametrize(
        ("image", "message"),
        [
            (np.zeros((4, 4, 3)), r"its shape is \(4, 4, 3\); take the mean of its colors"),
            (np.zeros((2, 9)), "3 to 640 pixels on each side"),
            (np.zeros((3, 641)), "3 to 640 pixels on each side"),
            (np.zeros((0, 4)), "image is empty"),
            (np.full((4, 4), np.nan), "image must be finite"),
            ([[1, 2], [3]], "its rows differ in length"),
            (np.zeros(9), "one gray picture"),
        ],
    )
    def test_what_is_no_picture_is_refused(self, image, message):
        with pytest.raises(ValueError, match=message):
            KernelEditor(image)

    @pytest.mark.parametrize(
        ("weights", "message"),
        [
            ("sobel", "no kernel is called 'sobel'"),
            (np.zeros((5, 5)), r"3 x 3 numbers, but its shape is \(5, 5\)"),
            ([1, 2, np.inf] * 3, "kernel must be finite"),
            ([], "kernel is empty"),
        ],
    )
    def test_what_is_no_kernel_is_refused(self, weights, message):
        with pytest.raises(ValueError, match=message):
            as_nine(weights)

    def test_text_is_no_number(self):
        with pytest.raises(TypeError, match="kernel must hold real numbers"):
            as_nine([["a", "b", "c"]] * 3)


# ------------------------------------------------------------------ the kernel editor


class TestKernelEditor:
    def test_sends_picture_kernel_and_response(self):
        image = np.linspace(0, 1, 30).reshape(5, 6)
        editor = KernelEditor(image, "sobel_y")
        view = editor._view
        assert pixels_of(view["image"]).shape == (5, 6, 4)
        assert pixels_of(view["response"]).shape == (3, 4, 4)
        np.testing.assert_array_equal(pixels_of(view["image"])[0, 0, :3], 0)
        np.testing.assert_array_equal(pixels_of(view["image"])[-1, -1, :3], 255)
        assert view["name"] == "sobel_y"
        assert len(view["cells"]) == 9
        assert all(re.fullmatch(r"rgb\(\d+, \d+, \d+\)", cell["color"]) for cell in view["cells"])
        assert view["cells"][1]["ink"] == "white"  # on dark blue
        np.testing.assert_allclose(
            editor.response, correlate2d(image, kernel("sobel_y"), mode="valid"), atol=1e-12
        )

    def test_answers_to_numbers_as_the_browser_sends_them(self):
        editor = KernelEditor(np.eye(4))
        before = editor._view["response"]["pixels"]
        editor.set_state({"_numbers": [0, 0, 0, 0, 1, 0, 0, 0, 0]})
        assert editor._view["response"]["pixels"] != before
        assert editor._view["name"] == "identity"
        np.testing.assert_array_equal(editor.response, np.eye(4)[1:-1, 1:-1])

    def test_answers_to_every_choice(self):
        editor = KernelEditor(kernel=[-1, 0, 2, 0, 0, 0, 0, 0, 0])
        seen = {json.dumps(editor._view["limits"]) + editor._view["reading"]}
        editor.set_state({"_way": "convolution"})
        assert editor.convolution
        seen.add(editor._view["limits"] + editor._view["reading"])
        editor.set_state({"_picture": "photograph"})
        seen.add(editor._view["limits"] + editor._view["reading"])
        assert len(seen) == 3
        assert editor.image.shape == load_picture("photograph").shape
        high = editor._view["bar"]["high"]
        editor.set_state({"_scale": "fixed"})
        assert editor._view["bar"]["high"] != high
        assert editor._view["bar"]["high"] == "2"

    def test_tells_the_sum_at_the_place_pointed_at(self):
        editor = KernelEditor(np.eye(4), np.ones((3, 3)))
        assert editor._view["place"] == ""
        editor.set_state({"_place": [1, 0]})
        assert editor._view["place"].startswith("row 1, column 0: 1×0 + 1×1 + ")
        assert editor._view["place"].endswith(" = 2")
        editor.set_state({"_place": [9, 9]})  # of a larger picture that was shown before
        assert editor._view["place"] == ""

    def test_python_may_change_it(self):
        editor = KernelEditor(np.eye(4))
        editor.kernel = "laplacian"
        np.testing.assert_array_equal(editor.kernel, kernel("laplacian"))
        assert editor._view["name"] == "laplacian"
        editor.convolution = True
        assert editor._way == "convolution"
        with pytest.raises(ValueError, match="no kernel is called"):
            editor.kernel = "laplace"
        np.testing.assert_array_equal(editor.kernel, kernel("laplacian"))

    def test_what_it_gives_away_is_a_copy(self):
        image = np.eye(4)
        editor = KernelEditor(image)
        editor.image[:] = 7
        editor.kernel[:] = 7
        image[:] = 7
        np.testing.assert_array_equal(editor.image, np.eye(4))
        np.testing.assert_array_equal(editor.kernel, kernel("sobel_x"))

    def test_own_picture_comes_first(self):
        assert KernelEditor(np.eye(4))._pictures == ["yours", "digit", "photograph"]
        assert KernelEditor()._pictures == ["digit", "photograph"]

    @pytest.mark.parametrize("arguments", [{"scale": "big"}, {"picture": "cat"}])
    def test_unknown_choices_are_refused(self, arguments):
        with pytest.raises(ValueError, match="must be one of"):
            KernelEditor(**arguments)

    def test_trouble_from_the_browser_is_shown_not_raised(self):
        editor = KernelEditor(np.eye(4))
        editor.set_state({"_numbers": [1.0, 2.0]})
        assert "3 x 3 numbers" in editor._view["trouble"]
        editor.set_state({"_numbers": [1.0] * 9})
        assert editor._view["trouble"] == ""


# ------------------------------------------------------------------ the drawing pad's arithmetic


class TestDrawing:
    def test_prepared_as_a_photograph_is(self):
        """Steps that look for paper and light are left out, and change next to nothing."""
        for shift in (-20, 0, 31):
            drawn = prepare_drawing(seven(shift=shift))
            photographed = prepare_digit(255 - seven(shift=shift)).image
            assert drawn.shape == (28, 28)
            assert drawn.dtype == np.float32
            assert np.abs(drawn - photographed).mean() < 0.01

    def test_place_and_size_on_the_pad_do_not_matter(self):
        small = np.zeros((280, 280), np.uint8)
        small[150:250, 20:120] = seven(100)
        difference = np.abs(prepare_drawing(small) - prepare_drawing(seven()))
        assert difference.mean() < 0.03

    def test_looks_like_mnist(self):
        image = prepare_drawing(seven())
        rows, columns = np.nonzero(image > 0.1)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20, 21)
        center = (image.sum(1) @ np.arange(28)) / image.sum()
        assert abs(center + 0.5 - 14) < 1

    def test_touching_the_edge_is_allowed(self):
        ink = np.zeros((100, 100))
        ink[:, 40:50] = 1
        assert prepare_drawing(ink).max() > 0.9

    @pytest.mark.parametrize(
        ("ink", "message"),
        [(np.zeros((280, 280)), "nothing is drawn yet"), (np.eye(280) * 0.2, "nothing is drawn")],
    )
    def test_empty_paper_is_no_digit(self, ink, message):
        with pytest.raises(HandwritingError, match=message):
            prepare_drawing(ink)

    def test_a_dot_is_no_digit(self):
        ink = np.zeros((280, 280))
        ink[10:20, 10:20] = 1
        with pytest.raises(HandwritingError, match="only a dot"):
            prepare_drawing(ink)

    @pytest.mark.parametrize(
        ("ink", "message"),
        [
            (np.zeros((28, 28, 3)), r"array \(H, W\)"),
            (np.zeros((5, 90)), "at least 28 x 28"),
            (np.zeros(0), r"array \(H, W\)"),
            (np.full((30, 30), 2.0), "ink must be between 0 and 1"),
            (np.full((30, 30), np.nan), "ink must be between 0 and 1"),
        ],
    )
    def test_what_is_no_drawing_is_refused(self, ink, message):
        with pytest.raises(ValueError, match=message):
            as_ink(ink)

    def test_answer_is_the_networks(self, network, digits):
        image = digits.images[0, 0]
        found = answer(network, image)
        np.testing.assert_allclose(
            found.probabilities, network.predict_proba(digits.images[:1])[0], atol=1e-6
        )
        assert found.label == network.predict(digits.images[:1])[0]
        outputs = network.activations(digits.images[:1])
        assert [name for name, _ in found.maps] == ["conv1", "pool1", "dense1"]
        for name, output in found.maps:
            np.testing.assert_array_equal(output, outputs[name][0])

    def test_reading_names_the_first_two(self, network):
        found = answer(network, np.zeros((28, 28), np.float32))
        shown = type(found)(found.image, np.array([0.004, 0.7, 0.296]), [])
        assert shown.reading() == "Read as 1 (70 %); next 2 (30 %)."

    @pytest.mark.parametrize(
        ("value", "text"),
        [(0, "0 %"), (0.004, "<1 %"), (0.5, "50 %"), (0.999, ">99 %"), (1, "100 %")],
    )
    def test_percent(self, value, text):
        assert percent(value) == text

    def test_network_for_other_images_is_refused(self, rng):
        color = Sequential([Conv2D(3, 2, 3, rng=rng), Flatten()], input_shape=(3, 32, 32))
        with pytest.raises(ValueError, match=r"must take images of shape \(1, 28, 28\)"):
            check_network(color)
        unknown = Sequential([Conv2D(3, 2, 3, rng=rng), Flatten(), Dense(8, 2, rng=rng)])
        with pytest.raises(ValueError, match=r"must take images of shape \(1, 28, 28\)"):
            check_network(unknown)

    def test_network_without_scores_is_refused(self, rng):
        with pytest.raises(ValueError, match="one score per class"):
            check_network(Sequential([Conv2D(1, 2, 3, rng=rng)], input_shape=(1, 28, 28)))
        one = [Flatten(), Dense(784, 1, rng=rng)]
        with pytest.raises(ValueError, match="one score per class"):
            check_network(Sequential(one, input_shape=(1, 28, 28)))
        two = [Flatten(), Dense(784, 2, rng=rng), Softmax()]
        with pytest.raises(ValueError, match="ends in Softmax"):
            check_network(Sequential(two, input_shape=(1, 28, 28)))
        with pytest.raises(TypeError, match="must be a Sequential, but it is a str"):
            check_network("lasagne")

    def test_network_that_has_diverged_is_refused(self, network, digits):
        network["conv1"].params["weight"][:] = np.nan
        with pytest.raises(ValueError, match="scores are NaN or infinite.*train it anew"):
            DrawDigit(network)
        with pytest.raises(ValueError, match="layer conv1 puts out NaN or infinity for image 0"):
            LayerExplorer(network, digits.images)

    def test_network_that_diverges_later_shows_it(self, network):
        pad = DrawDigit(network)
        network["dense1"].params["weight"][:] = np.nan
        pad.drawing = seven() / 255
        assert "scores are NaN" in pad._view["trouble"]
        assert pad.probabilities is None


class TestSaving:
    def test_saved_drawings_are_read_by_lesson_8(self, tmp_path):
        folder = tmp_path / "new" / "digits"
        paths = [save_drawing(seven(), folder, 7) for _ in range(3)]
        assert [path.name for path in paths] == ["7.png", "7_2.png", "7_3.png"]
        for path, prepared in read_folder(folder):
            assert label_of(path) == 7
            assert np.abs(prepared.image - prepare_drawing(seven())).mean() < 0.01
        with Image.open(paths[0]) as page:
            assert page.mode == "L"
            assert page.size == (280, 280)
            np.testing.assert_array_equal(np.asarray(page), 255 - seven())

    def test_without_label(self, tmp_path):
        assert save_drawing(seven(), tmp_path).name == "drawing.png"

    def test_what_cannot_be_saved_is_refused(self, tmp_path):
        with pytest.raises(HandwritingError, match="nothing to save"):
            save_drawing(np.zeros((28, 28)), tmp_path)
        for label in (10, -1, "7", 7.0, True):
            with pytest.raises(ValueError, match="label must be a digit from 0 to 9"):
                save_drawing(seven(), tmp_path, label)
        file = tmp_path / "file"
        file.write_text("")
        with pytest.raises(NotADirectoryError, match="is a file"):
            save_drawing(seven(), file)
        assert list(tmp_path.iterdir()) == [file]


# ------------------------------------------------------------------ the drawing pad


class TestDrawDigit:
    def test_nothing_drawn_yet(self, network):
        pad = DrawDigit(network)
        assert pad.image is None
        assert pad.probabilities is None
        assert pad.maps == {}
        assert pad._view["reading"] == "Nothing is drawn yet."
        assert [row["text"] for row in pad._view["bars"]] == ["–"] * 10
        assert pad._view["sheets"] == []
        assert not pad.drawing.any()

    def test_answers_to_ink_as_the_browser_sends_it(self, network):
        pad = DrawDigit(network)
        pad.set_state({"_ink": memoryview(seven().tobytes())})
        np.testing.assert_array_equal(pad.image, prepare_drawing(seven()))
        np.testing.assert_allclose(
            pad.probabilities, network.predict_proba(pad.image[None, None])[0], atol=1e-6
        )
        view = pad._view
        assert [row["value"] for row in view["bars"]] == pad.probabilities.tolist()
        assert f"Read as {pad.probabilities.argmax()} (" in view["reading"]
        assert pixels_of(view["image"]).shape == (28, 28, 4)
        assert [sheet["caption"] for sheet in view["sheets"]] == [
            "conv1: 6 maps of 26 × 26",
            "pool1: 6 maps of 13 × 13",
            "dense1: 10 units",
        ]
        assert list(pad.maps) == ["conv1", "pool1", "dense1"]
        pad.set_state({"_ink": memoryview(b"")})
        assert pad.image is None
        assert pad._view["sheets"] == []

    def test_maps_of_every_layer_are_on_the_sheets(self, network):
        pad = DrawDigit(network)
        pad.drawing = seven() / 255
        sheet = pixels_of(pad._view["sheets"][0])
        maps = pad.maps["conv1"]
        limit = np.abs(maps).max()
        first = paint(maps[0], Scale(SIGNED, -limit, limit))
        np.testing.assert_array_equal(sheet[:26, :26], first)

    def test_many_maps_are_cut_off_and_it_is_said(self, rng):
        layers = [Conv2D(1, 70, 3, rng=rng), Flatten(), Dense(70 * 26**2, 3, rng=rng)]
        pad = DrawDigit(Sequential(layers, input_shape=(1, 28, 28)))
        pad.drawing = seven() / 255
        assert pad._view["sheets"][0]["caption"] == "conv1: 70 maps of 26 × 26, the first 64"
        assert [row["name"] for row in pad._view["bars"]] == ["0", "1", "2"]

    def test_python_may_draw_and_clear(self, network):
        pad = DrawDigit(network, 100)
        pad.drawing = seven(100)
        np.testing.assert_allclose(pad.drawing, seven(100) / 255, atol=1e-6)
        pad.clear()
        assert pad.probabilities is None
        with pytest.raises(ValueError, match=r"the shape of the pad, \(100, 100\)"):
            pad.drawing = seven(280)

    def test_button_saves_what_is_on_the_pad(self, network, tmp_path):
        pad = DrawDigit(network, folder=tmp_path / "mine")
        pad.set_state({"_saving": {"label": 7, "time": 1}})
        assert "Not saved: nothing is drawn yet" in pad._view["said"]
        assert not (tmp_path / "mine").exists()
        pad.set_state({"_ink": memoryview(seven().tobytes())})
        pad.set_state({"_saving": {"label": 7, "time": 2}})
        assert pad._view["said"] == f"Saved as {tmp_path / 'mine' / '7.png'}."
        assert "Read as" in pad._view["reading"]
        pad.set_state({"_saving": {"label": 7, "time": 3}})
        names = sorted(path.name for path in (tmp_path / "mine").iterdir())
        assert names == ["7.png", "7_2.png"]

    def test_two_pads_do_not_share_paper(self, network):
        one, other = DrawDigit(network), DrawDigit(network)
        one.drawing = seven() / 255
        assert other.image is None

    @pytest.mark.parametrize("size", [0, 99, 801, 280.0, "280", True, None])
    def test_odd_sizes_are_refused(self, network, size):
        with pytest.raises(ValueError, match="from 100 to 800"):
            DrawDigit(network, size)

    def test_ink_of_the_wrong_length_is_shown_as_trouble(self, network):
        pad = DrawDigit(network)
        pad.set_state({"_ink": memoryview(b"\x00" * 7)})
        assert pad._view["trouble"]


# ------------------------------------------------------------------ the layer explorer


@pytest.fixture
def deep(rng):
    return build("lasagne", rng=rng)


class TestExplorer:
    def test_layers_with_maps_are_offered(self, deep, digits):
        explorer = Explorer(deep, digits.images)
        assert explorer.layers == {
            "conv1": 32, "relu1": 32, "pool1": 32, "conv2": 32, "relu2": 32, "pool2": 32
        }  # fmt: skip

    @pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2", "pool2"])
    def test_strongest_patch_gives_the_strongest_answer(self, deep, digits, layer):
        """Everything but what the unit sees may go: the answer stays."""
        explorer = Explorer(deep, digits.images[:4])
        for unit in (0, 17):
            look = explorer.look(layer, unit, 3)
            assert look.value == look.map.max()
            top, bottom, left, right = look.box
            hidden = np.zeros_like(digits.images[3:4])
            hidden[:, :, top:bottom, left:right] = digits.images[3:4, :, top:bottom, left:right]
            again = deep.activations(hidden)[layer][0, unit, look.row, look.column]
            assert again == pytest.approx(look.value, abs=1e-5)
            np.testing.assert_array_equal(look.patch, hidden[0, :, top:bottom, left:right])

    def test_kernel_is_the_units_or_the_one_before_it(self, deep, digits):
        explorer = Explorer(deep, digits.images)
        for layer, owner in (("conv1", "conv1"), ("pool1", "conv1"), ("relu2", "conv2")):
            look = explorer.look(layer, 5)
            np.testing.assert_array_equal(look.kernel, deep[owner].params["weight"][5])
            assert look.kernel_layer == owner

    def test_without_a_convolution_before_there_is_no_kernel(self, digits):
        network = Sequential([MaxPool2D(2), ReLU()], input_shape=(1, 28, 28))
        look = Explorer(network, digits.images[:2]).look("relu1")
        assert look.kernel is None
        view = LayerExplorer(network, digits.images[:2])._view
        assert view["kernel"] is None
        assert view["kernelText"] == "no kernel of its own"

    def test_patches_at_the_edge_are_filled_with_zeros(self, rng):
        layer = Conv2D(1, 1, 3, padding="same", rng=rng)
        layer.params["weight"][:] = 1
        image = np.zeros((1, 1, 6, 7), np.float32)
        image[0, 0, 0, 6] = 1
        look = Explorer(Sequential([layer], input_shape=(1, 6, 7)), image).look(0)
        assert (look.row, look.column) == (0, 5)
        assert look.box == (-1, 2, 4, 7)
        np.testing.assert_array_equal(look.patch[0], [[0, 0, 0], [0, 0, 1], [0, 0, 0]])
        assert look.reading().endswith(
            "rows 0 to 1, columns 4 to 6 of image 0, and beyond the edge."
        )

    def test_reading_tells_where(self, deep, digits):
        look = Explorer(deep, digits.images, digits.labels).look("conv2", 3, 5)
        top, bottom, left, right = look.box
        text = look.reading()
        assert text.startswith("conv2, unit 3 answers most, ")
        assert f"at row {look.row}, column {look.column} of its map" in text
        assert f"rows {top} to {bottom - 1}, columns {left} to {right - 1}" in text
        assert f"image 5 (labeled {digits.labels[5]})" in text

    def test_flat_maps_are_said_to_be_flat(self, rng):
        network = Sequential([Conv2D(1, 1, 3, rng=rng)], input_shape=(1, 5, 5))
        look = Explorer(network, np.zeros((1, 1, 5, 5), np.float32)).look("conv1")
        assert look.reading() == "conv1, unit 0 answers 0 everywhere in image 0."

    def test_strongest_image_is_the_first_of_the_best(self, deep, digits):
        explorer = Explorer(deep, digits.images[:230])
        best = deep.activations(digits.images[:230])["conv2"].max(axis=(2, 3)).argmax(axis=0)
        for unit in (0, 31):
            assert explorer.strongest_image("conv2", unit) == best[unit]

    @pytest.mark.parametrize(
        ("layer", "unit", "index", "message"),
        [
            ("dense1", 0, 0, "layer 'dense1' has no maps; the layers with maps are conv1, relu1"),
            (-1, 0, 0, "layer 'dense2' has no maps"),
            ("conv1", 32, 0, r"unit \(conv1 has 32\) must be a whole number from 0 to 31.* 32"),
            ("conv1", -1, 0, "from 0 to 31"),
            ("conv1", 1.0, 0, "from 0 to 31"),
            ("conv1", True, 0, "from 0 to 31"),
            ("conv1", 0, 3, r"image \(there are 3\) must be a whole number from 0 to 2"),
        ],
    )
    def test_what_is_not_there_is_refused(self, deep, digits, layer, unit, index, message):
        with pytest.raises(ValueError, match=message):
            Explorer(deep, digits.images[:3]).look(layer, unit, index)

    def test_unknown_layers_are_refused(self, deep, digits):
        with pytest.raises(KeyError, match="there is no layer 'conv9'"):
            LayerExplorer(deep, digits.images, layer="conv9")

    @pytest.mark.parametrize(
        ("images", "message"),
        [
            (np.zeros((2, 28, 28), np.float32), "gray or in color"),
            (np.zeros((28, 28), np.float32), r"must have shape \(N, C, H, W\)"),
            (np.zeros((2, 1, 20, 20), np.float32), r"must have shape \(N, 1, 28, 28\)"),
            (np.zeros((0, 1, 28, 28), np.float32), "at least one image"),
            (np.full((1, 1, 28, 28), np.nan, np.float32), "finite|NaN"),
        ],
    )
    def test_images_that_do_not_fit_are_refused(self, deep, images, message):
        with pytest.raises(ValueError, match=message):
            Explorer(deep, images)

    @pytest.mark.parametrize("labels", [[1, 2], [1.0, 2.0, 3.0], "abc"])
    def test_labels_that_do_not_fit_are_refused(self, deep, digits, labels):
        with pytest.raises(ValueError, match="labels must be 3 whole numbers"):
            Explorer(deep, digits.images[:3], labels)

    def test_network_without_maps_is_refused(self, rng, digits):
        flat = Sequential([Flatten(), Dense(784, 10, rng=rng)], input_shape=(1, 28, 28))
        with pytest.raises(ValueError, match="no layer with maps.*flatten1, dense1"):
            Explorer(flat, digits.images)
        with pytest.raises(TypeError, match="must be a Sequential, but it is a Conv2D"):
            Explorer(Conv2D(1, 1, 3, rng=rng), digits.images)


class TestLayerExplorer:
    def test_sends_image_map_kernel_patch_and_all_maps(self, deep, digits):
        explorer = LayerExplorer(deep, digits.images, digits.labels, layer="conv2")
        explorer.unit = 4
        view, look = explorer._view, explorer.look
        assert pixels_of(view["image"]).shape == (28, 28, 4)
        assert pixels_of(view["map"]).shape == (8, 8, 4)
        assert pixels_of(view["patch"]).shape == (14, 14, 4)
        assert view["map"]["frame"] == [look.row, look.column, 1, 1]
        top, _, left, _ = look.box
        assert view["image"]["frame"] == [top, left, 14, 14]
        sheet = view["maps"]
        assert (sheet["count"], sheet["height"], sheet["width"]) == (32, 8, 8)
        down, across = divmod(4, sheet["across"])
        corner = (down * (8 + sheet["gap"]), across * (8 + sheet["gap"]))
        part = pixels_of(sheet)[corner[0] : corner[0] + 8, corner[1] : corner[1] + 8]
        np.testing.assert_array_equal(part, pixels_of(view["map"]))
        assert "5 × 5, one for each of 32 channels" in view["kernelText"]

    def test_answers_to_the_browsers_choices(self, deep, digits):
        explorer = LayerExplorer(deep, digits.images)
        explorer.set_state({"_unit": 31, "_image": 7})
        assert "conv1, unit 31 " in explorer._view["reading"]
        assert "image 7" in explorer._view["reading"]
        explorer.set_state({"_layer": "pool2"})
        assert "pool2, unit 31 " in explorer._view["reading"]
        explorer.set_state({"_strongest": 1})
        assert explorer.image == explorer._explorer.strongest_image("pool2", 31)
        assert f"image {explorer.image}" in explorer._view["reading"]

    def test_a_layer_with_fewer_units_shows_its_last(self, rng, digits):
        layers = [Conv2D(1, 8, 3, rng=rng), Conv2D(8, 2, 3, rng=rng)]
        explorer = LayerExplorer(Sequential(layers, input_shape=(1, 28, 28)), digits.images)
        explorer.unit = 7
        explorer.set_state({"_layer": "conv2"})
        assert explorer.unit == explorer._view["unit"] == 1
        explorer.layer = "conv1"
        explorer.unit = 7
        explorer.layer = 1
        assert (explorer.layer, explorer.unit) == ("conv2", 1)

    def test_python_may_choose_and_is_told_what_is_wrong(self, deep, digits):
        explorer = LayerExplorer(deep, digits.images)
        explorer.image = np.int64(9)
        assert "image 9" in explorer._view["reading"]
        with pytest.raises(ValueError, match="from 0 to 31"):
            explorer.unit = 32
        with pytest.raises(ValueError, match="from 0 to 359"):
            explorer.image = 360
        with pytest.raises(ValueError, match="has no maps"):
            explorer.layer = "dense1"
        assert repr(explorer) == "LayerExplorer(conv1, unit 0 of 32, image 9 of 360)"

    def test_color_images_are_shown_in_color(self, rng):
        network = Sequential([Conv2D(3, 4, 3, rng=rng)], input_shape=(3, 8, 9))
        images = rng.random((2, 3, 8, 9), dtype=np.float32)
        shown = pixels_of(LayerExplorer(network, images)._view["image"])
        np.testing.assert_array_equal(
            shown[:, :, :3], np.rint(255 * images[0].transpose(1, 2, 0)).astype(np.uint8)
        )

    def test_trouble_from_the_browser_is_shown_not_raised(self, deep, digits):
        explorer = LayerExplorer(deep, digits.images)
        explorer.set_state({"_image": 9999})
        assert "from 0 to 359" in explorer._view["trouble"]
        explorer.set_state({"_image": 0})
        assert explorer._view["trouble"] == ""


# ------------------------------------------------------------------ where nothing is live


@pytest.fixture(params=WIDGETS)
def widget(request, network, digits):
    if request.param == "kernel_editor":
        return KernelEditor()
    if request.param == "draw_digit":
        return DrawDigit(network)
    return LayerExplorer(network, digits.images, digits.labels)


class TestStill:
    def test_a_picture_and_a_text_go_along(self, widget):
        data, metadata = widget._repr_mimebundle_()
        assert set(data) == {base.WIDGET_VIEW, "image/png", "text/plain"}
        assert data[base.WIDGET_VIEW]["model_id"] == widget.model_id
        with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as picture:
            assert picture.width >= 400
            assert np.asarray(picture.convert("L")).std() > 20
        assert len(data["image/png"]) < 100_000
        assert len(metadata["image/png"]["alt"]) > 60

    def test_text_is_the_same_every_time(self, widget):
        """Stored notebooks are compared by it: no identifiers, nothing that training changes."""
        text = widget._repr_mimebundle_()[0]["text/plain"]
        assert text == repr(widget)
        assert widget.model_id not in text
        assert "0x" not in text
        assert "." not in text  # no fractions

    def test_no_figure_stays_open(self, widget):
        from matplotlib import pyplot

        widget._repr_mimebundle_()
        assert pyplot.get_fignums() == []

    def test_bundle_is_fit_for_a_notebook(self, widget):
        data, metadata = widget._repr_mimebundle_()
        output = nbformat.v4.new_output("display_data", data, metadata=metadata)
        cell = nbformat.v4.new_code_cell("widget", outputs=[output])
        nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))

    def test_empty_pad_shows_an_example_and_says_so(self, network):
        pad = DrawDigit(network)
        assert pad.still().alt.startswith("Nothing is drawn yet; one of the data's digits")
        pad.drawing = seven() / 255
        assert pad.still().alt.startswith("Your drawing. Read as ")

    def test_still_of_the_kernel_editor_draws_its_numbers(self):
        editor = KernelEditor(np.eye(6), [0.5] * 9)
        figure = editor.still()
        assert [ax.get_title() for ax in figure.axes[:3]] == ["image", "kernel", "response"]
        assert [text.get_text() for text in figure.axes[1].texts] == ["0.5"] * 9
        np.testing.assert_array_equal(figure.axes[2].images[0].get_array(), editor.response)
        assert figure.alt.endswith("response from 0 to 1.5.")

    def test_still_of_the_pad_draws_bars_and_maps(self, network):
        pad = DrawDigit(network)
        pad.drawing = seven() / 255
        figure = pad.still()
        image, bars, *sheets = figure.axes
        np.testing.assert_array_equal(image.images[0].get_array(), pad.image)
        widths = [patch.get_width() for patch in bars.patches]
        np.testing.assert_allclose(widths, pad.probabilities)
        assert len(sheets) == 3
        assert [text.get_text() for text in sheets[2].texts] == [str(unit) for unit in range(10)]
        limit = np.abs(pad.maps["conv1"]).max()
        captions = [text.get_text() for text in figure.texts]
        assert f"conv1: 6 maps of 26 × 26, ±{limit:.3g}" in captions
        figure.canvas.draw()
        boxes = [ax.get_window_extent() for ax in figure.axes]
        overlapping = [a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]]
        assert not any(overlapping)
        assert all(box.x1 <= figure.bbox.width and box.y0 >= 0 for box in boxes)
        assert draw_digit.MOST_MAPS == 64

    def test_still_of_the_explorer_frames_the_patch(self, deep, digits):
        explorer = LayerExplorer(deep, digits.images, layer="conv2")
        figure = explorer.still()
        titles = [ax.get_title() for ax in figure.axes]
        largest = [np.abs(each).max() for each in (explorer.look.kernel, explorer.look.maps)]
        kernel_ends, map_ends = (f"±{each:.3g}" for each in largest)
        assert titles[1:3] == [f"kernel of conv2, {kernel_ends}", f"map 0 of conv2, {map_ends}"]
        (frame,) = figure.axes[0].patches
        top, _, left, _ = explorer.look.box
        assert frame.get_xy() == (left - 0.5, top - 0.5)
        assert (frame.get_width(), frame.get_height()) == (14, 14)


# ------------------------------------------------------------------ scripts and style


class TestScripts:
    @pytest.mark.parametrize("name", WIDGETS)
    def test_nothing_is_fetched(self, name):
        text = base.script(name) + base.stylesheet()
        assert not re.search(r"https?://|\bimport\s*[({\"']|@import|url\(|\bfetch\(", text)
        assert text.count("export default") == 1

    @pytest.mark.parametrize("name", WIDGETS)
    def test_every_control_has_a_name(self, name):
        """Inputs stand in labels (field), or carry an aria-label; the root is a named group."""
        text = (base.FOLDER / f"{name}.js").read_text(encoding="utf-8")
        assert re.search(r'root\(el, "[A-Z]', text)
        assert "new Reading()" in text
        assert 'role: "alert"' in text

    @pytest.mark.parametrize("name", WIDGETS)
    def test_scripts_and_python_mean_the_same_traits(self, name):
        widgets = {
            "kernel_editor": KernelEditor,
            "draw_digit": DrawDigit,
            "layer_explorer": LayerExplorer,
        }
        text = (base.FOLDER / f"{name}.js").read_text(encoding="utf-8")
        used = set(re.findall(r'get\("(_\w+)"\)|\b(_[a-z]+):|dial\("(_\w+)"\)', text))
        names = {part for match in used for part in match if part}
        synced = {
            trait
            for trait, kind in widgets[name].class_traits().items()
            if kind.metadata.get("sync") and trait.startswith("_")
        }
        own = {trait for trait in synced if not trait.startswith(("_model", "_dom"))}
        own -= {"_view_module", "_view_module_version", "_view_name", "_view_count", "_tooltip"}
        own = {t for t in own if not t.startswith("_view_")}
        assert names == own
        assert set(widgets[name].choices) <= own


def test_missing_anywidget_is_said_in_one_sentence():
    code = (
        "import sys; sys.modules['anywidget'] = None\n"
        "try:\n    import cnnedu.widgets\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (
        "the widgets need anywidget, which is not installed; install it with "
        'python -m pip install "cnnedu[lab]"'
    )
