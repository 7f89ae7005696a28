"""Figures of arrays: what is drawn (numbers, limits, titles, counts), what is said and refused."""

import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve2d, correlate2d

from cnnedu import visualization as vis
from cnnedu.kernels import KERNELS
from cnnedu.visualization import cells, colors, figures, worked

TINY = np.array(
    [[0, 0, 0, 0, 0], [0, 1, 2, 1, 0], [0, 2, 4, 2, 0], [0, 1, 2, 1, 0], [0, 0, 0, 0, 0]]
)
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def drawings(figure):
    """Return the images drawn on panels, colorbars left out."""
    return [ax.images[0] for ax in figure.axes if ax.images]


def arrays(figure):
    return [np.asarray(image.get_array()) for image in drawings(figure)]


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.images]


def limits(figure):
    return {image.get_clim() for image in drawings(figure)}


def written(ax):
    """Return the numbers written into the cells of an axes, with a plain minus."""
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]


def overlapping_texts(figure):
    """Return pairs of visible texts of a figure that lie on each other, or leave the figure."""
    renderer = figure.canvas.get_renderer()
    figure.draw(renderer)
    texts = list(figure.texts)
    for ax in figure.axes:
        # Only the ticks within the limits are drawn, which no public name tells.
        ticks = [*ax.xaxis._update_ticks(), *ax.yaxis._update_ticks()]
        labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
        texts += [*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label, *labels]
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in texts
        if text.get_visible() and text.get_text().strip()
    ]
    found = [
        (a, b)
        for i, (a, first) in enumerate(boxes)
        for b, second in boxes[i + 1 :]
        if first.shrunk(0.9, 0.8).overlaps(second.shrunk(0.9, 0.8))
    ]
    width, height = figure.get_size_inches() * figure.dpi
    outside = [
        text
        for text, box in boxes
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    return found + outside


# Images


@pytest.mark.parametrize(
    ("shape", "count", "drawn"),
    [
        ((28, 28), 1, (28, 28)),
        ((4, 9, 7), 4, (9, 7)),
        ((4, 1, 9, 7), 4, (9, 7)),
        ((2, 3, 9, 7), 2, (9, 7, 3)),
        ((9, 7, 3), 1, (9, 7, 3)),
        ((1, 1, 5, 5), 1, (5, 5)),
    ],
)
def test_images_of_every_shape(rng, shape, count, drawn):
    figure = vis.plot_images(rng.random(shape))
    assert [array.shape for array in arrays(figure)] == [drawn] * count
    assert f"{count} " in figure.alt


def test_images_keep_their_numbers_and_share_the_scale(rng):
    images = rng.random((3, 1, 8, 8)).astype(np.float32)
    images[1] *= 0.1
    figure = vis.plot_images(images, titles=[5, 0, 4])
    for drawn, image in zip(arrays(figure), images[:, 0], strict=True):
        assert np.array_equal(drawn, image)
    assert limits(figure) == {(0.0, 1.0)}
    assert titles(figure) == ["5", "0", "4"]
    assert "3 pictures of 8 x 8 pixels" in figure.alt
    assert "titles: 5, 0, 4" in figure.alt


def test_images_color_channels_stay_in_order():
    red = np.zeros((1, 3, 6, 6))
    red[:, 0] = 1
    (drawn,) = arrays(vis.plot_images(red))
    assert (drawn[..., 0] == 1).all()
    assert (drawn[..., 1:] == 0).all()


def test_images_of_different_sizes_in_one_list():
    figure = vis.plot_images([np.ones((2, 2)), np.ones((5, 4))], titles=["valid", "full"])
    assert [array.shape for array in arrays(figure)] == [(2, 2), (5, 4)]
    assert "2 x 2, 5 x 4" in figure.alt
    spans = [(np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())) for ax in figure.axes]
    assert spans == [(4, 5), (4, 5)]  # a pixel is a pixel in both
    assert figure.axes[0].get_xlim() == (-1.5, 2.5)
    assert figure.axes[0].get_ylim() == (3.0, -2.0)


def test_images_limits_follow_the_data():
    assert limits(vis.plot_images(np.full((4, 4), 200, np.uint8))) == {(0.0, 255.0)}
    assert limits(vis.plot_images(np.array([[-2.0, 1.0]]))) == {(-2.0, 1.0)}
    assert limits(vis.plot_images(np.array([[-2.0, 1.0]]), signed=True)) == {(-2.0, 2.0)}
    assert limits(vis.plot_images(np.zeros((4, 4)))) == {(0.0, 1.0)}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 28, 28)), "images is empty: its shape is"),
        (np.zeros((2, 4, 8, 8)), r"\(N, 3, H, W\), but its shape is \(2, 4, 8, 8\)"),
        (np.zeros(5), r"but its shape is \(5,\)"),
        (np.array([[1.0, np.nan]]), r"finite to be drawn, but 1 of its 2 values .*nan at \(0, 1\)"),
        (np.full((1, 3, 8, 8), 200.0), "colors must lie between 0 and 1"),
        ("digits", "must hold real numbers"),
        (None, "must hold real numbers, but it is a NoneType"),
        (np.zeros((201, 4, 4)), "choose some, such as"),
        ([[1, 2], [3]], "rows differ in length"),
    ],
)
def test_images_refused(images, message):
    with pytest.raises((ValueError, TypeError), match=message):
        vis.plot_images(images)
    assert plt.get_fignums() == []


def test_images_titles_and_columns_refused():
    with pytest.raises(ValueError, match="each of the 3 pictures, but there are 2 titles"):
        vis.plot_images(np.zeros((3, 4, 4)), titles=["a", "b"])
    with pytest.raises(ValueError, match="columns must be a whole number from 1"):
        vis.plot_images(np.zeros((3, 4, 4)), columns=0)


def test_images_on_given_axes():
    figure, axes = plt.subplots(1, 3)
    result = vis.plot_images(np.zeros((2, 4, 4)), titles=["a", "b"], axes=axes)
    assert result is figure
    assert titles(figure) == ["a", "b"]
    assert not axes[2].axison
    assert figure.alt.startswith("2 pictures")
    with pytest.raises(ValueError, match="axes must hold 4 axes, but there are 3"):
        vis.plot_images(np.zeros((4, 4, 4)), axes=axes)


def test_forty_images_fit_a_page():
    figure = vis.plot_images(np.zeros((40, 28, 28)), titles=range(40), title="Forty digits")
    assert len(drawings(figure)) == 40
    assert figure.get_figwidth() <= 9.0
    assert overlapping_texts(figure) == []


# Errors


def test_errors_are_sorted_by_the_probability_of_the_truth():
    labels = np.array([0, 1, 2, 0])
    probabilities = np.array([[0.9, 0.1, 0], [0.7, 0.3, 0], [0.2, 0.75, 0.05], [0.5, 0.5, 0]])
    images = np.stack([np.full((4, 4), value) for value in (0.1, 0.2, 0.3, 0.4)])
    figure = vis.plot_errors(images, labels, probabilities)
    assert [array[0, 0] for array in arrays(figure)] == [0.3, 0.2]
    assert titles(figure) == ["true 2: 5 %\nread 1: 75 %", "true 1: 30 %\nread 0: 70 %"]
    assert figure.alt.startswith("2 errors among 4: a 2 (given 5 %) read as 1 (75 %); a 1 (given")


def test_errors_no_more_than_asked_for(rng):
    probabilities = np.tile([0.6, 0.4], (30, 1))
    figure = vis.plot_errors(rng.random((30, 1, 8, 8)), np.ones(30, int), probabilities, count=7)
    assert len(drawings(figure)) == 7
    assert figure.alt.startswith("30 errors among 30, the 7 worst")


def test_errors_none():
    figure = vis.plot_errors(np.zeros((2, 4, 4)), np.array([0, 1]), np.eye(2))
    assert drawings(figure) == []
    assert figure.axes[0].texts[0].get_text() == "No error among 2"
    assert "every picture was read correctly" in figure.alt


def test_errors_percent_does_not_round_to_certainty():
    probabilities = np.array([[0.001, 0.999]])
    figure = vis.plot_errors(np.zeros((1, 4, 4)), np.array([0]), probabilities)
    assert titles(figure) == ["true 0: <1 %\nread 1: >99 %"]


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        (np.array([0, 1]), np.eye(3), r"shape \(2, classes\), one row per picture"),
        (np.array([0, 1]), np.array([[3.0, -1], [0, 1]]), "not the logits"),
        (np.array([0, 5]), np.eye(2), "labels must be below 2"),
        (np.array([0]), np.eye(2), "labels must hold 2 labels, but there are 1"),
        (np.array([0.0, 1.0]), np.eye(2), "must be whole numbers"),
        (np.array([0, -1]), np.eye(2), "class numbers from 0, but one is -1"),
    ],
)
def test_errors_refused(labels, probabilities, message):
    with pytest.raises(ValueError, match=message):
        vis.plot_errors(np.zeros((2, 4, 4)), labels, probabilities)


# Filters


def test_filters_share_a_zero_centered_scale(rng):
    weights = rng.normal(size=(6, 1, 3, 3))
    figure = vis.plot_filters(weights)
    for drawn, kernel in zip(arrays(figure), weights[:, 0], strict=True):
        assert np.array_equal(drawn, kernel)
    limit = np.abs(weights).max()
    assert limits(figure) == {(-limit, limit)}
    assert {image.get_cmap().name for image in drawings(figure)} == {"cnnedu_signed"}
    assert titles(figure) == ["0", "1", "2", "3", "4", "5"]
    assert figure.alt.startswith("6 filters of 3 x 3 weights, from")


def test_filters_numbers_in_small_kernels_only():
    figure = vis.plot_filters(["sharpen"])
    assert written(figure.axes[0]) == ["-1"] * 4 + ["9"] + ["-1"] * 4
    assert titles(figure) == ["sharpen"]
    assert "sharpen (sum 1, 1 positive and 8 negative)" in figure.alt
    assert written(vis.plot_filters(np.ones((9, 3, 3))).axes[0]) == []
    assert written(vis.plot_filters(np.ones((2, 7, 7))).axes[0]) == []
    assert len(written(vis.plot_filters(np.ones((9, 3, 3)), numbers=True).axes[0])) == 9
    assert written(vis.plot_filters(SOBEL, numbers=False).axes[0]) == []


def test_filters_by_name():
    figure = vis.plot_filters({"left": SOBEL, "right": -SOBEL})
    assert titles(figure) == ["left", "right"]
    assert np.array_equal(arrays(figure)[1], -SOBEL)
    figure = vis.plot_filters({"left": SOBEL}, titles=["mine"])
    assert titles(figure) == ["mine"]


def test_filters_of_several_channels_in_rows_and_columns(rng):
    weights = rng.normal(size=(8, 6, 3, 2))
    figure = vis.plot_filters(weights)
    (mosaic,) = arrays(figure)
    assert mosaic.shape == (8 * 4 - 1, 6 * 3 - 1)
    for f in range(8):
        for c in range(6):
            part = mosaic[f * 4 : f * 4 + 3, c * 3 : c * 3 + 2]
            assert np.array_equal(part, weights[f, c]), (f, c)
    ax = figure.axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == [str(f) for f in range(8)]
    assert [label.get_text() for label in ax.get_xticklabels()] == [str(c) for c in range(6)]
    assert "8 filters of 3 x 2 weights for each of 6 input channels" in figure.alt


def test_filters_of_color_images_stand_side_by_side(rng):
    weights = rng.normal(size=(16, 3, 5, 5))
    mosaic = arrays(vis.plot_filters(weights))[0]
    assert mosaic.shape[0] < 16 * 6
    assert np.array_equal(mosaic[:5, :5], weights[0, 0])
    assert np.array_equal(mosaic[:5, 19:24], weights[1, 0])  # three channels and a wider gap on
    values = mosaic[np.isfinite(mosaic)]
    assert np.array_equal(np.sort(values), np.sort(weights.ravel()))


def test_filters_many_are_cut_and_say_so(rng):
    figure = vis.plot_filters(rng.normal(size=(100, 1, 3, 3)))
    assert len(drawings(figure)) == 64
    assert "The first 64 of 100 filters" in figure.alt


def test_filters_all_zero():
    assert limits(vis.plot_filters(np.zeros((2, 3, 3)))) == {(-1.0, 1.0)}


@pytest.mark.parametrize("count", [1, 2, 7, 32, 40])
def test_filters_texts_do_not_overlap(rng, count):
    figure = vis.plot_filters(rng.normal(size=(count, 3, 3)), title="What the first layer sees")
    assert overlapping_texts(figure) == []
    assert figure.get_figwidth() <= 9.0


def test_filters_long_titles_are_wrapped():
    figure = vis.plot_filters(list(KERNELS))
    assert overlapping_texts(figure) == []
    assert [title.replace("\n", "") for title in titles(figure)] == list(KERNELS)
    assert "horizontal_\nedges" in titles(figure)


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (np.zeros(9), r"\(kh, kw\), but the shape is \(9,\)"),
        (["nonsense"], "no kernel is called 'nonsense'"),
        ({}, "filters is empty"),
        ([], "filters is empty"),
        ({"a": np.ones((3, 3)), "b": np.ones((5, 5))}, r"all have one shape, but there are \[\(3"),
        (np.full((3, 3), np.inf), "must be finite"),
    ],
)
def test_filters_refused(filters, message):
    with pytest.raises(ValueError, match=message):
        vis.plot_filters(filters)


# Initial and learned


def test_init_vs_learned_draws_three_rows_on_one_scale(rng):
    initial = rng.normal(size=(4, 1, 3, 3))
    learned = initial + rng.normal(size=(4, 1, 3, 3))
    figure = vis.plot_init_vs_learned(initial, learned)
    drawn = arrays(figure)
    assert len(drawn) == 12
    for f in range(4):
        expected = initial[f, 0], learned[f, 0], learned[f, 0] - initial[f, 0]
        for row in range(3):
            assert np.array_equal(drawn[3 * f + row], expected[row])
    assert len(limits(figure)) == 1
    assert figure.axes[0].texts[0].get_text() == "filter\ncorrelation"
    for f in range(4):
        r = np.corrcoef(initial[f].ravel(), learned[f].ravel())[0, 1]
        number, label = titles(figure)[3 * f].replace("\N{MINUS SIGN}", "-").split("\n")
        assert int(number) == f
        assert float(label) == pytest.approx(r, abs=0.0051)


def test_init_vs_learned_correlation_over_all_channels(rng):
    initial = rng.normal(size=(2, 3, 3, 3))
    learned = initial.copy()
    learned[1] = -initial[1]
    figure = vis.plot_init_vs_learned(initial, learned, channel=2)
    assert np.array_equal(arrays(figure)[1], learned[0, 2])
    assert "channel 2 of 3 drawn" in figure.alt
    assert figure.alt.endswith("correlation of each filter with its start: 1.00, −1.00.")


def test_init_vs_learned_of_a_constant_filter_is_undefined():
    figure = vis.plot_init_vs_learned(np.ones((3, 3)), SOBEL)
    assert figure.alt.endswith("start: undefined.")


def test_init_vs_learned_refused():
    with pytest.raises(ValueError, match=r"one shape, but they have \(1, 1, 3, 3\) and \(1, 1, 2"):
        vis.plot_init_vs_learned(np.ones((3, 3)), np.ones((2, 2)))
    with pytest.raises(ValueError, match="channel must be 0 .. 0, but it is 1"):
        vis.plot_init_vs_learned(np.ones((3, 3)), SOBEL, channel=1)


# Maps and responses


def test_feature_maps_are_signed_if_the_data_are(rng):
    maps = rng.normal(size=(5, 6, 6))
    limit = np.abs(maps).max()
    assert limits(vis.plot_feature_maps(maps)) == {(-limit, limit)}
    figure = vis.plot_feature_maps(np.abs(maps))
    assert limits(figure) == {(0.0, limit)}
    assert drawings(figure)[0].get_cmap().name == "viridis"
    assert titles(figure) == ["0", "1", "2", "3", "4"]


def test_feature_maps_beside_their_image(rng):
    image, maps = rng.random((1, 8, 8)), rng.random((2, 6, 6))
    maps[1] = 0
    figure = vis.plot_feature_maps(maps, image)
    assert titles(figure) == ["image", "0", "1"]
    assert np.array_equal(arrays(figure)[0], image[0])
    assert drawings(figure)[0].get_clim() == (0.0, 1.0)
    assert drawings(figure)[1].get_clim() == (0.0, maps.max())
    assert "the image and its 2 feature maps of 6 x 6" in figure.alt
    assert "strongest on average: map 0" in figure.alt
    assert "all zero: 1" in figure.alt


def test_feature_maps_refused():
    with pytest.raises(ValueError, match=r"but its shape is \(2, 3, 4, 4\)"):
        vis.plot_feature_maps(np.zeros((2, 3, 4, 4)))
    with pytest.raises(ValueError, match="single picture, but its shape"):
        vis.plot_feature_maps(np.zeros((3, 4, 4)), np.zeros((2, 1, 6, 6)))


@pytest.mark.parametrize("mode", ["valid", "same", "full"])
def test_responses_are_scipys(rng, mode):
    image = rng.random((9, 7))
    figure = vis.plot_responses(image, ["sobel_x", "emboss"], mode)
    drawn = arrays(figure)
    assert np.array_equal(drawn[0], image)
    for array, name in zip(drawn[1:], ("sobel_x", "emboss"), strict=True):
        assert np.allclose(array, correlate2d(image, KERNELS[name], mode=mode), atol=1e-12)
    assert titles(figure) == ["image", "sobel_x", "emboss"]
    largest = max(np.abs(array).max() for array in drawn[1:])
    assert {image.get_clim() for image in drawings(figure)[1:]} == {(-largest, largest)}
    for ax in figure.axes[:3]:  # pixels of one size, whatever the mode
        larger = np.maximum(image.shape, drawn[1].shape)
        assert (np.ptp(ax.get_ylim()), np.ptp(ax.get_xlim())) == tuple(larger)


def test_responses_of_a_true_convolution(rng):
    image = rng.random((6, 6))
    drawn = arrays(vis.plot_responses(image, {"mine": SOBEL}, convolution=True))
    assert np.allclose(drawn[1], convolve2d(image, SOBEL, mode="valid"), atol=1e-12)


def test_responses_of_even_and_rectangular_kernels(rng):
    image, kernel = rng.random((6, 9)), rng.normal(size=(2, 4))
    drawn = arrays(vis.plot_responses(image, {"even": kernel}))
    assert np.allclose(drawn[1], correlate2d(image, kernel, mode="valid"), atol=1e-12)


def test_responses_each_on_its_own_scale(rng):
    figure = vis.plot_responses(rng.random((9, 9)), ["sobel_x", "box_blur"], scale="each")
    (_, sobel, blur) = drawings(figure)
    assert sobel.get_clim()[0] == -sobel.get_clim()[1]
    assert blur.get_clim() == (0.0, np.max(blur.get_array()))
    assert overlapping_texts(figure) == []


def test_responses_of_a_photograph_leave_outliers_beyond_the_scale(rng):
    photo = rng.random((120, 120)) * 0.01
    photo[60, 60] = 1
    figure = vis.plot_responses(photo, ["laplacian"])
    limit = drawings(figure)[1].get_clim()[1]
    response = np.abs(arrays(figure)[1])
    assert (response > limit).mean() == pytest.approx(0.005, abs=0.001)


def test_responses_refused():
    with pytest.raises(ValueError, match="take the mean of its colors first"):
        vis.plot_responses(np.zeros((9, 9, 3)), ["sobel_x"])
    with pytest.raises(ValueError, match='mode must be "valid", "same" or "full"'):
        vis.plot_responses(np.zeros((9, 9)), ["sobel_x"], "reflect")
    with pytest.raises(ValueError, match="the kernel does not fit"):
        vis.plot_responses(np.zeros((2, 2)), ["sobel_x"])
    with pytest.raises(ValueError, match='scale must be "shared" or "each"'):
        vis.plot_responses(np.zeros((9, 9)), ["sobel_x"], scale="log")


# Worked examples


def test_matrix_writes_its_numbers_and_frames_a_part():
    figure = vis.plot_matrix(TINY, highlight=(slice(0, 3), slice(1, 4)), title="image")
    ax = figure.axes[0]
    assert written(ax) == [str(value) for value in TINY.ravel()]
    (box,) = [patch for patch in ax.patches if patch.get_label() == "frame"]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (0.5, -0.5, 3, 3)
    assert "framed: rows 0 to 2, columns 1 to 3 (0 0 0; 1 2 1; 2 4 2)" in figure.alt


def test_matrix_several_frames_and_single_cells():
    figure = vis.plot_matrix(TINY, highlight=[(0, 0), (slice(None), 4)])
    boxes = [patch for patch in figure.axes[0].patches if patch.get_label() == "frame"]
    assert [(box.get_width(), box.get_height()) for box in boxes] == [(1, 1), (1, 5)]


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        ([1.0, -2.0, 0.0], ["1", "-2", "0"]),
        ([0.5, 0.25], ["0.50", "0.25"]),
        ([0.5, -1.5], ["0.5", "-1.5"]),
        ([12.34, -0.001], ["12.3", "0.0"]),
        ([-0.0, 1.0], ["0", "1"]),
        ([1e-5, 2e-5], ["1.0e-05", "2.0e-05"]),
        ([True, False], ["1", "0"]),
    ],
)
def test_matrix_formats_numbers(array, texts):
    assert written(vis.plot_matrix(array).axes[0]) == texts


def test_matrix_numbers_fit_their_cells():
    figure = vis.plot_matrix(np.array([[-1234.5, 0.1], [12.0, 3.0]]))
    renderer = figure.canvas.get_renderer()
    ax = figure.axes[0]
    cell = ax.get_window_extent(renderer).width / 2
    assert max(text.get_window_extent(renderer).width for text in ax.texts) < cell


def test_matrix_ink_can_be_read_on_its_cell():
    scale = colors.scale_for([np.array([-1.0, 1.0])])
    for value in np.linspace(-1, 1, 41):
        cell = colors.ink_on(scale.color(value))
        rgb = np.array(scale.color(value)[:3])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        contrast = (luminance + 0.05) / 0.05 if cell == "black" else 1.05 / (luminance + 0.05)
        assert contrast >= 4.5, value  # WCAG 2, level AA


def test_matrix_refused():
    with pytest.raises(ValueError, match="50 x 50 = 2500 cells, too many to read"):
        vis.plot_matrix(np.zeros((50, 50)))
    with pytest.raises(ValueError, match=r"must have shape \(rows, columns\), but its shape is"):
        vis.plot_matrix(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="rows must be a number or a slice within 0 .. 5"):
        vis.plot_matrix(TINY, highlight=(slice(3, 9), 0))
    with pytest.raises(ValueError, match="must be a pair"):
        vis.plot_matrix(TINY, highlight=[3])


def test_patch_product_by_hand():
    figure = vis.plot_patch_product(TINY, SOBEL, 0, 0)
    patch, product = TINY[:3, :3], TINY[:3, :3] * SOBEL
    assert [array.tolist() for array in arrays(figure)] == [
        TINY.tolist(), patch.tolist(), SOBEL.tolist(), product.tolist(),
    ]  # fmt: skip
    # 1 * 0 + 2 * 2 + 2 * 0 + 4 * 1 = 8
    assert figure.texts[-1].get_text() == "0 + 0 + 0 + 0 + 0 + 4 + 0 + 0 + 4 = 8"
    assert figure.alt.endswith("gives [0 0 0; 0 0 4; 0 0 4]; the sum is 8.")
    assert titles(figure) == ["image", "patch", "kernel", "product"]


def test_patch_product_negative_terms_are_subtracted():
    figure = vis.plot_patch_product(TINY, SOBEL, 0, 2)
    assert figure.texts[-1].get_text() == "0 + 0 + 0 − 4 + 0 + 0 − 4 + 0 + 0 = −8"


def test_patch_product_rounded_sum_says_about():
    figure = vis.plot_patch_product(np.full((3, 3), 1 / 3), np.full((3, 3), 1 / 3))
    assert figure.texts[-1].get_text().endswith("≈ 1.00")


def test_patch_product_with_stride_padding_and_dilation():
    figure = vis.plot_patch_product(TINY, SOBEL, 1, 2, stride=2, padding=1)
    padded = np.pad(TINY, 1)
    assert np.array_equal(arrays(figure)[0], padded)
    assert np.array_equal(arrays(figure)[1], padded[2:5, 4:7])
    figure = vis.plot_patch_product(TINY, SOBEL, 0, 0, dilation=2)
    assert np.array_equal(arrays(figure)[1], TINY[::2, ::2])


def test_patch_product_of_two_channels_adds_them():
    image, kernel = np.stack([TINY, TINY + 1]), np.stack([SOBEL, -SOBEL])
    figure = vis.plot_patch_product(image, kernel, 0, 0)
    assert len(drawings(figure)) == 8
    titles = [ax.get_title() for ax in figure.axes]
    assert titles[:4] == ["image[0]", "patch[0]", "kernel[0]", "product[0]"]
    assert titles[6] == "kernel[1]"
    assert figure.texts[-1].get_text() == "sum over the channels: 8 − 8 = 0"


def test_patch_products_share_the_scale_of_the_products():
    ends = [vis.plot_patch_product(TINY, SOBEL, *at).axes[3].images[0].get_clim()
            for at in ((0, 0), (2, 1))]  # fmt: skip
    assert ends[0] == ends[1]


def test_patch_product_refused():
    with pytest.raises(ValueError, match="row must be a whole number from 0 to 2, but it is 3"):
        vis.plot_patch_product(TINY, SOBEL, 3, 0)
    with pytest.raises(ValueError, match="as many channels as each other"):
        vis.plot_patch_product(np.stack([TINY, TINY]), SOBEL)
    with pytest.raises(ValueError, match="the kernel does not fit"):
        vis.plot_patch_product(np.ones((2, 2)), SOBEL)
    with pytest.raises(ValueError, match="stride must be at least 1"):
        vis.plot_patch_product(TINY, SOBEL, stride=0)


def test_pooling_winners_and_ties():
    matrix = np.array([[1, 3, 2, 2], [4, 0, 2, 1], [0, 0, 5, 6], [0, 0, 7, 7]])
    figure = vis.plot_pooling(matrix)
    assert arrays(figure)[1].tolist() == [[4, 2], [0, 7]]
    windows = worked.pooling_windows(matrix.shape, 2, None)
    _, winners, ties = worked.pool(matrix, windows, "max")
    assert winners == [(1, 0), (0, 2), (2, 0), (3, 2)]
    assert ties == {(0, 1): [(0, 3), (1, 2)], (1, 0): [(2, 1), (3, 0), (3, 1)], (1, 1): [(3, 3)]}
    dashed = [p for p in figure.axes[0].patches if p.get_linestyle() not in ("-", "solid")]
    assert len(dashed) == 6
    assert "3 windows with ties: (0, 1), (1, 0), (1, 1)" in figure.alt
    assert figure.texts[-1].get_text() == "solid: winner, dashed: ties with it"


def test_pooling_overlapping_and_average(rng):
    matrix = rng.integers(0, 100, (5, 6))
    drawn = arrays(vis.plot_pooling(matrix, 3, 1))[1]
    expected = [[matrix[i : i + 3, j : j + 3].max() for j in range(4)] for i in range(3)]
    assert drawn.tolist() == expected
    drawn = arrays(vis.plot_pooling(matrix, (2, 3), kind="average"))[1]
    expected = matrix[:4].reshape(2, 2, 2, 3).mean(axis=(1, 3))
    assert np.allclose(drawn, expected)


def test_pooling_refused():
    with pytest.raises(ValueError, match='kind must be "max" or "average"'):
        vis.plot_pooling(TINY, kind="min")
    with pytest.raises(ValueError, match="the kernel does not fit"):
        vis.plot_pooling(TINY, 6)
    with pytest.raises(ValueError, match="must have shape"):
        vis.plot_pooling(np.zeros((2, 4, 4)))


def test_backward_scatter_is_the_transposed_correlation(rng):
    grad_y, kernel = rng.integers(-3, 4, (3, 3)), SOBEL
    figure = vis.plot_backward_scatter(grad_y, kernel, 1, 2)
    _, _, share, total = arrays(figure)
    expected = np.zeros((5, 5))
    expected[1:4, 2:5] = grad_y[1, 2] * kernel
    assert np.array_equal(share, expected)
    assert len({ax.images[0].get_clim() for ax in figure.axes}) == 1  # same color, same number
    # Adding the kernel once per output is a full (true) convolution.
    assert np.array_equal(total, convolve2d(grad_y, kernel))


def test_backward_scatter_with_stride():
    total = arrays(vis.plot_backward_scatter([[1, 2]], np.ones((2, 2)), stride=2))[3]
    assert total.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    with pytest.raises(ValueError, match="too large to write out"):
        vis.plot_backward_scatter(np.ones((20, 20)), SOBEL)


# The paper


def test_colors_rise_in_lightness_so_that_gray_print_keeps_the_sign():
    rgb = colors.SIGNED(np.linspace(0, 1, 101))[:, :3]
    gray = rgb @ [0.299, 0.587, 0.114]
    assert (np.diff(gray) > 0).all()
    middle = rgb[50]
    assert np.ptp(middle) < 0.02  # zero is a neutral gray


def test_style_changes_the_size_and_only_inside():
    page = vis.plot_matrix(TINY)
    with vis.projector():
        large = vis.plot_matrix(TINY)
    assert (page.dpi, large.dpi) == (100, 180)
    assert vis.plot_matrix(TINY).dpi == 100
    with vis.style("projector"), vis.style("page"):
        assert vis.plot_matrix(TINY).dpi == 100
    with pytest.raises(ValueError, match="style must be one of page, projector, but it is 'huge'"):
        vis.style("huge")
    assert figures.size().dpi == 100


@pytest.mark.parametrize("count", [1, 8])
def test_projector_texts_do_not_overlap(rng, count):
    with vis.projector():
        figure = vis.plot_filters(rng.normal(size=(count, 3, 3)), title="What it sees")
    assert overlapping_texts(figure) == []


def test_settings_of_matplotlib_are_left_alone():
    with mpl.rc_context({"figure.dpi": 77, "axes.facecolor": "black", "image.cmap": "jet"}):
        before = dict(mpl.rcParams)
        figure = vis.plot_filters(SOBEL)
        assert dict(mpl.rcParams) == before
    assert figure.dpi == 100
    assert figure.axes[0].get_facecolor() == (1, 1, 1, 1)


def test_a_figure_shows_once_and_carries_its_text():
    figure = vis.plot_matrix(TINY)
    assert plt.get_fignums() == [figure.number]
    data, metadata = figure._repr_mimebundle_()
    assert data == {}
    assert metadata == {"image/png": {"alt": figure.alt}}
    assert plt.get_fignums() == []
    assert repr(figure).startswith("<Figure size ")


def test_large_pictures_are_kept_small_in_memory_but_not_in_files(rng, tmp_path):
    figure = vis.plot_images(rng.random((2, 3, 90, 90)))
    buffer = io.BytesIO()
    figure.canvas.print_figure(buffer, format="png", bbox_inches="tight")
    figure.savefig(tmp_path / "full.png", bbox_inches="tight")
    with Image.open(buffer) as small, Image.open(tmp_path / "full.png") as full:
        assert small.mode == "P"
        assert full.mode == "RGBA"
        assert small.size == full.size
        assert small.info["dpi"] == pytest.approx(full.info["dpi"], rel=0.01)
        difference = np.asarray(small.convert("RGB"), float) - np.asarray(full.convert("RGB"))
    assert np.abs(difference).mean() < 10  # of 255; the worst case, noise in all colors
    assert buffer.getbuffer().nbytes < (tmp_path / "full.png").stat().st_size / 2


def test_cells_read_boxes():
    assert cells.read_box((slice(1, 3), 4), (5, 5)) == (1, 4, 2, 1)
    assert cells.read_boxes(None, (5, 5)) == []
