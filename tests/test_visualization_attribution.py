"""Figures of attribution, embeddings and flow: what is drawn, on which scales, what is refused."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.contour import ContourSet
from test_visualization import arrays, drawings, limits, overlapping_texts, titles

from cnnedu import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    fit,
)
from cnnedu import visualization as vis
from cnnedu.attribution import (
    adversarial,
    grad_cam,
    likeness,
    maximize,
    occlusion,
    randomized,
    saliency,
    strongest_channel,
)
from cnnedu.embedding import embed, neighbor_agreement
from cnnedu.flow import FlowRecorder
from cnnedu.optimizers import SGD
from cnnedu.visualization import colors
from cnnedu.visualization.attribution import SEED
from cnnedu.visualization.networks import receptive_box


def small(rng, channels=1):
    layers = [
        Conv2D(channels, 3, 3, rng=rng),
        ReLU(),
        MaxPool2D((1, 2)),
        Conv2D(3, 4, 2, padding=(1, 0), rng=rng),
        ReLU(),
        Flatten(),
        Dense(128, 5, rng=rng),
    ]
    return Sequential(layers, input_shape=(channels, 9, 12))


@pytest.fixture
def network(rng):
    return small(rng)


@pytest.fixture
def image(rng):
    return rng.random((1, 9, 12)).astype(np.float32)


def control_of(network):
    return randomized(network, rng=np.random.default_rng(SEED))


# Maps over an image


def test_occlusion_beside_its_control(network, image):
    figure = vis.plot_occlusion(network, image, [3, 1], 2)
    drawn = arrays(figure)
    assert len(drawn) == 6
    assert np.array_equal(drawn[0], image[0]) and np.array_equal(drawn[3], image[0])
    control = control_of(network)
    for row, net in ((0, network), (3, control)):
        for column, target in ((1, 3), (2, 1)):
            expected = occlusion(net, image, target, 2).pixels()
            assert np.allclose(drawn[row + column], expected / np.abs(expected).max(), atol=1e-5)
    pictures, maps = drawings(figure)[::3], [drawings(figure)[i] for i in (1, 2, 4, 5)]
    assert {each.get_clim() for each in pictures} == {(0, 1)}
    assert {each.get_clim() for each in maps} == {(-1, 1)}
    assert {each.get_cmap().name for each in maps} == {colors.SIGNED.name}
    chances = network.predict_proba(image[None])[0]
    assert titles(figure)[0].split("\n")[0] == "this network"
    assert f"reads {chances.argmax()} ({100 * chances.max():.0f} %)" in titles(figure)[0]
    assert titles(figure)[3].startswith("random weights")
    first, second = (occlusion(net, image, 3, 2).pixels() for net in (network, control))
    alike = f"likeness {likeness(first, second):.2f}".replace("-", "\N{MINUS SIGN}")
    assert titles(figure)[4].replace("\n", " ").endswith(alike)
    assert "a square of 2 × 2" in figure.alt
    assert overlapping_texts(figure) == []


@pytest.mark.parametrize("target", range(4))
def test_the_largest_value_stands_above_its_map_with_its_sign(network, image, target):
    found = occlusion(network, image, target, 2).pixels()
    extreme = found.flat[np.abs(found).argmax()]
    text = f"largest {extreme:.2g}".replace("-", "\N{MINUS SIGN}")
    assert text in titles(vis.plot_occlusion(network, image, target, 2))[1].split("\n")


def test_one_scale_for_sizes(network, image):
    figure = vis.plot_occlusion(network, image, 3, 2, scale="shared")
    expected = [occlusion(net, image, 3, 2).pixels() for net in (network, control_of(network))]
    drawn = arrays(figure)
    assert np.allclose(drawn[1], expected[0], atol=1e-6)
    assert np.allclose(drawn[3], expected[1], atol=1e-6)
    limit = max(np.abs(each).max() for each in expected)
    assert drawings(figure)[1].get_clim() == pytest.approx((-limit, limit))
    assert drawings(figure)[1].get_clim() == drawings(figure)[3].get_clim()


def test_without_a_control_and_with_another(network, image, rng):
    assert len(arrays(vis.plot_occlusion(network, image, control=False))) == 2
    other = small(rng)
    figure = vis.plot_saliency(network, image, 2, control=other)
    expected = saliency(other, image, 2)[0]
    assert np.allclose(arrays(figure)[3], expected / np.abs(expected).max(), atol=1e-6)
    assert titles(figure)[2].startswith("the control")
    with pytest.raises(TypeError, match="control must be True, False or a network, but it is a s"):
        vis.plot_saliency(network, image, control="yes")


def test_the_control_is_not_the_networks_own_start(image):
    """A network made with the usual seed would else be compared with itself."""
    network = small(np.random.default_rng(0))
    drawn = arrays(vis.plot_saliency(network, image, 0))
    assert not np.allclose(drawn[1], drawn[3])


def test_the_control_answers_for_the_networks_class(network, image):
    own = int(network.predict(image[None])[0])
    text = titles(vis.plot_gradcam(network, image))
    assert text[1].startswith(f"for {own}") and text[3].startswith(f"for {own}")


@pytest.mark.parametrize("channels", [1, 3])
def test_saliency_of_three_kinds(rng, channels):
    network = small(rng, channels)
    image = rng.random((channels, 9, 12)).astype(np.float32)
    kinds = ["gradient", "input", "smooth"]
    figure = vis.plot_saliency(network, image, 0, kinds, rng=np.random.default_rng(4))
    draws = np.random.default_rng(4)
    seed = int(draws.integers(2**32))
    nets = (network, randomized(network, rng=draws))
    drawn = arrays(figure)
    for row, net in enumerate(nets):
        for column, kind in enumerate(kinds):
            noise = np.random.default_rng(seed)
            expected = strongest_channel(saliency(net, image, 0, kind=kind, rng=noise))
            shown = drawn[4 * row + 1 + column]
            assert np.allclose(shown, expected / np.abs(expected).max(), atol=1e-5)
    assert drawn[0].shape == ((9, 12) if channels == 1 else (9, 12, 3))
    assert "gradient × input for 0" in titles(figure)[2].replace("\n", " ")
    assert overlapping_texts(figure) == []
    again = vis.plot_saliency(network, image, 0, kinds, rng=np.random.default_rng(4))
    assert all(np.array_equal(a, b) for a, b in zip(drawn, arrays(again), strict=True))


def test_gradcam_lies_where_its_cells_look(network, image):
    figure = vis.plot_gradcam(network, image, 2)
    values = grad_cam(network, image, 2)
    assert values.shape == (8, 4)
    assert np.allclose(arrays(figure)[1], values / (values.max() or 1))
    assert drawings(figure)[1].get_clim() == (0, 1)
    assert drawings(figure)[1].get_cmap().name == colors.AMOUNT
    left, right, bottom, top = drawings(figure)[1].get_extent()
    for row, column in ((0, 0), (3, 2), (7, 3)):
        box = receptive_box(network, "relu2", row, column, (9, 12))
        assert top + (row + 0.5) * (bottom - top) / 8 == (box[0] + box[1] - 1) / 2
        assert left + (column + 0.5) * (right - left) / 4 == (box[2] + box[3] - 1) / 2
    assert figure.axes[1].get_xlim() == (-0.5, 11.5)
    signed = vis.plot_gradcam(network, image, 2, "conv1", signed=True)
    assert drawings(signed)[1].get_clim() == (-1, 1)
    assert arrays(signed)[1].shape == (7, 10)
    assert "conv1" in signed.alt
    each = vis.plot_gradcam(network, image, 2, average=False, scale="shared")
    assert np.allclose(arrays(each)[1], grad_cam(network, image, 2, average=False))
    assert each.alt.startswith("Grad-CAM: evidence in the maps of relu2, place by place")


def test_gradcam_of_a_layer_with_one_cell(rng, image):
    layers = [Conv2D(1, 2, (9, 12), rng=rng), Flatten(), Dense(2, 3, rng=rng)]
    figure = vis.plot_gradcam(Sequential(layers), image)
    assert drawings(figure)[1].get_extent() == [-0.5, 11.5, 8.5, -0.5]


def test_outlines_are_drawn_on_maps_of_small_pictures(network, image, rng):
    figure = vis.plot_saliency(network, image)
    outlines = [
        any(isinstance(each, ContourSet) for each in ax.collections) for ax in figure.axes[:4]
    ]
    assert outlines == [False, True, False, True]
    plain = vis.plot_saliency(network, image, outline=False)
    assert not any(ax.collections for ax in plain.axes[:4])
    black = vis.plot_saliency(network, np.zeros((9, 12), np.float32))
    assert not any(ax.collections for ax in black.axes[:4])
    layers = [Conv2D(1, 2, 5, 4, rng=rng), Flatten(), Dense(2 * 24 * 19, 2, rng=rng)]
    large = rng.random((1, 1, 100, 80)).astype(np.float32)
    assert not vis.plot_saliency(Sequential(layers), large).axes[1].collections


def test_maps_on_given_axes(network, image):
    figure, axes = plt.subplots(2, 2)
    assert vis.plot_occlusion(network, image, 1, axes=axes) is figure
    assert all(ax.images for ax in axes.ravel())
    with pytest.raises(ValueError, match="axes must hold 4 axes, but there are 1"):
        vis.plot_occlusion(network, image, 1, axes=axes[0, 0])


@pytest.mark.parametrize(
    ("draw", "options", "error", "message"),
    [
        (vis.plot_occlusion, {"target": 5}, ValueError, "target must be a class from 0 to 4"),
        (vis.plot_occlusion, {"target": []}, ValueError, "target is an empty list"),
        (vis.plot_occlusion, {"target": [0] * 9}, ValueError, "at most 8 maps"),
        (vis.plot_occlusion, {"size": 10}, ValueError, "size must fit into the image of 9 x 12"),
        (vis.plot_occlusion, {"scale": "log"}, ValueError, 'scale must be "each" or "shared"'),
        (vis.plot_saliency, {"kind": "guided"}, ValueError, "kind must be one of"),
        (vis.plot_gradcam, {"layer": "dense1"}, ValueError, "'dense1' has no maps"),
        (vis.plot_gradcam, {"layer": "conv3"}, KeyError, "no layer 'conv3'"),
        (vis.plot_saliency, {"image": np.ones((8, 8), np.float32)}, ValueError, "must have shape"),
        (vis.plot_saliency, {"image": np.ones((2, 1, 9, 12))}, ValueError, "a single image"),
        (vis.plot_saliency, {"network": None}, TypeError, "network must be a Sequential"),
        (vis.plot_adversarial, {"label": 9}, ValueError, "target must be a class"),
        (vis.plot_adversarial, {"sizes": [0]}, ValueError, "sizes must be positive"),
    ],
)
def test_refused(network, image, draw, options, error, message):
    with pytest.raises(error, match=message):
        draw(**({"network": network, "image": image} | options))
    assert plt.get_fignums() == []


# Images made for a unit


def test_maximization_of_classes(network):
    figure = vis.plot_maximization(network, rng=np.random.default_rng(2), steps=5)
    draws = np.random.default_rng(2)
    control = randomized(network, rng=draws)
    expected = [maximize(net, -1, range(5), steps=5, rng=draws) for net in (network, control)]
    drawn = arrays(figure)
    assert len(drawn) == 10
    for row, made in enumerate(expected):
        for unit in range(5):
            assert np.allclose(drawn[5 * row + unit], made.images[unit, 0], atol=1e-6)
    assert limits(figure) == {(0, 1)}
    assert titles(figure)[2].startswith("2\n")
    assert figure.alt.startswith("Images from noise that excite units of dense1")
    assert overlapping_texts(figure) == []


def test_maximization_shows_what_a_unit_sees(rng):
    network = small(rng, 3)
    units = [0, (1, 0, 3)]
    figure = vis.plot_maximization(network, "conv2", units, steps=2, control=False)
    # conv2 (4, 2) sees rows 3 to 6 of the image, columns 4 to 9; row 0 reaches into the padding.
    assert [each.shape for each in arrays(figure)] == [(4, 6, 3), (3, 6, 3)]
    assert titles(figure)[1].startswith("1, 0, 3\n")


def test_maximization_of_many_units_takes_several_rows(rng):
    network = Sequential([Conv2D(1, 14, 2, rng=rng)], input_shape=(1, 4, 4))
    figure = vis.plot_maximization(network, "conv1", range(14), steps=1)
    assert len(arrays(figure)) == 28
    words = [text.get_text() for text in figure.texts]
    assert [w for w in words if "," in w] == ["network, 1", "random, 1", "network, 2", "random, 2"]
    assert overlapping_texts(figure) == []
    with pytest.raises(ValueError, match="a unit of conv1 must be a number from 0 to 13"):
        vis.plot_maximization(network, "conv1", [14])
    with pytest.raises(ValueError, match="at most 60 units fit into one figure, not 61"):
        vis.plot_maximization(network, "conv1", [0] * 61)


# A small step


def test_adversarial_beside_a_random_step(network, image):
    found = adversarial(network, image)
    figure = vis.plot_adversarial(network, image)
    drawn = arrays(figure)
    assert len(drawn) == 6
    size = found.size or found.sizes[-1]
    assert np.array_equal(drawn[0], image[0])
    assert np.allclose(drawn[1], found.image[0] - image[0])
    assert np.allclose(drawn[2], found.image[0])
    assert drawings(figure)[1].get_clim() == (-size, size) == drawings(figure)[4].get_clim()
    assert np.abs(drawn[4]).max() == pytest.approx(size, abs=1e-6)
    assert {drawings(figure)[i].get_clim() for i in (0, 2, 3, 5)} == {(0, 1)}
    bars = figure.axes[3].patches
    heights = [bar.get_height() for bar in bars]
    assert np.allclose(heights, np.concatenate([found.before, found.after]), atol=1e-6)
    assert {bar.get_hatch() for bar in bars} == {None, "///"}  # told apart in gray, too
    changed = 0
    draws = np.random.default_rng(SEED)
    for _ in range(100):
        direction = draws.choice([-1, 1], image.shape)
        moved = np.clip(image + np.float32(size) * direction, 0, 1).astype(np.float32)
        changed += int(network.predict(moved[None])[0]) != found.label
    assert f"of 100 random steps of this size {changed} change the answer" in figure.alt
    assert overlapping_texts(figure) == []


def test_adversarial_without_control_in_color_and_on_given_axes(rng):
    network = small(rng, 3)
    image = rng.random((3, 9, 12)).astype(np.float32)
    figure, axes = plt.subplots(1, 4)
    assert vis.plot_adversarial(network, image, control=False, axes=axes) is figure
    assert np.array_equal(arrays(figure)[0], np.moveaxis(image, 0, -1))
    assert arrays(figure)[1].shape == (9, 12)
    with pytest.raises(ValueError, match="axes must hold 8 axes, but there are 4"):
        vis.plot_adversarial(network, image, axes=axes)


def test_adversarial_that_changes_nothing(image):
    layer = Dense(108, 2, rng=np.random.default_rng(0))
    layer.params["weight"][...] = 0
    layer.params["bias"][:] = 1, 0
    figure = vis.plot_adversarial(Sequential([Flatten(), layer]), image, sizes=[0.1])
    assert figure.alt.startswith("No step up to 0.1 changes the answer")


# Points in the plane


def test_embedding_of_arrays(rng):
    labels = np.repeat([3, 5, 8], 6)
    values = {"near": rng.normal(size=(18, 4)), "far": rng.normal(size=(18, 2, 2))}
    figure = vis.plot_embedding(values, labels, methods="pca")
    assert len(figure.axes) == 2
    for ax, rows in zip(figure.axes, values.values(), strict=True):
        points = embed(rows).points
        for scatter, each in zip(ax.collections, (3, 5, 8), strict=True):
            assert np.allclose(scatter.get_offsets(), points[labels == each])
        assert [text.get_text() for text in ax.texts] == ["3", "5", "8"]
        agreement = neighbor_agreement(points, labels)
        assert f"neighbors agree: {100 * agreement:.0f} %" in ax.get_title()
    assert "18 points of 3 classes" in figure.alt
    assert figure.axes[0].get_title().startswith("PCA, near\nkeeps")


def test_embedding_of_a_network_and_its_control(network, rng):
    images = rng.random((12, 1, 9, 12)).astype(np.float32)
    labels = np.arange(12) % 2
    figure = vis.plot_embedding(network, labels, images=images, methods=["pca"], layer="relu2")
    outputs = control_of(network).activations(images)["relu2"]
    points = embed(outputs).points
    drawn = figure.axes[1].collections[0].get_offsets()
    assert np.allclose(drawn, points[labels == 0], atol=1e-5)
    assert "relu2" in figure.alt and "random weights" in figure.axes[1].get_title()
    alone = vis.plot_embedding(network, labels, images=images, methods="pca", control=False)
    assert len(alone.axes) == 1
    assert "flatten1" in alone.alt  # the last layer before the classes


def test_embedding_by_tsne_on_given_axes(rng):
    figure, axes = plt.subplots(1, 2)
    labels = np.array(["left", "right"] * 8)
    values = rng.normal(size=(16, 3)) + 9 * (labels == "left")[:, None]
    assert vis.plot_embedding(values, labels, axes=axes, perplexity=3) is figure
    assert axes[1].get_title() == "t-SNE, values\nneighbors agree: 100 %"
    assert [text.get_text() for text in axes[1].texts] == ["left", "right"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": np.zeros(4, int)}, "labels must name each of the 6 points of 'values'"),
        ({"labels": np.arange(6), "methods": "umap"}, "methods must be 'pca' or 'tsne'"),
        ({"labels": np.arange(6), "methods": []}, "methods is empty"),
        ({"labels": np.arange(6), "layer": "conv1"}, "go with a network"),
        ({"values": {}, "labels": np.arange(6)}, "values is empty"),
        ({"values": np.zeros((3001, 1)), "labels": np.zeros(3001)}, "3001 points are too many"),
        ({"values": np.zeros((21, 1)), "labels": np.arange(21)}, "labels hold 21 classes"),
        ({"values": np.zeros((0, 1)), "labels": np.arange(0)}, "at least 4 rows"),
    ],
)
def test_embedding_refused(options, message):
    with pytest.raises(ValueError, match=message):
        vis.plot_embedding(**({"values": np.ones((6, 2))} | options))
    assert plt.get_fignums() == []


def test_embedding_of_a_network_needs_images(network):
    with pytest.raises(ValueError, match="needs images="):
        vis.plot_embedding(network, np.zeros(4, int))
    images = np.zeros((4, 1, 9, 12), np.float32)
    with pytest.raises(KeyError, match="no layer 'conv5'"):
        vis.plot_embedding(network, np.zeros(4, int), images=images, layer="conv5")


# Flow


@pytest.fixture
def flow(network, rng):
    recorder = FlowRecorder(every=2)
    data = rng.random((16, 1, 9, 12)).astype(np.float32), rng.integers(0, 5, 16)
    fit(network, data, epochs=1, batch_size=2, optimizer=SGD(0.1), rng=rng, callbacks=[recorder],
        progress=False)  # fmt: skip
    return recorder


def test_flow_of_sizes(flow):
    figure = vis.plot_flow(flow, title="Flow")
    weights, gradients = figure.axes
    assert (weights.get_title(), gradients.get_title()) == ("weights", "gradients")
    assert weights.get_yscale() == gradients.get_yscale() == "log"
    for ax, sizes in ((weights, flow.weight_size), (gradients, flow.gradient_size)):
        assert [line.get_label() for line in ax.lines] == ["conv1", "conv2", "dense1"]
        for line, values in zip(ax.lines, sizes.values(), strict=True):
            assert line.get_xdata().tolist() == [1, 2, 4, 6, 8]
            assert np.allclose(line.get_ydata(), values)
        assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert figure.alt.startswith("Flow: root mean square at 5 steps")
    assert overlapping_texts(figure) == []


def test_flow_of_spreads(flow):
    figure = vis.plot_flow(flow, show="spread", names=["conv1.weight", "dense1.weight"])
    assert [ax.get_title() for ax in figure.axes] == [
        "conv1: weights",
        "dense1: weights",
        "conv1: gradients",
        "dense1: gradients",
    ]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()  # one scale for all weights
    medians = np.array(flow.gradient_spread["dense1.weight"])[:, 2]
    assert np.allclose(figure.axes[3].lines[0].get_ydata(), medians)
    assert len(figure.axes[3].collections) == 2
    assert overlapping_texts(figure) == []


def test_flow_with_a_gradient_of_zero_has_a_gap(flow):
    flow.gradient_size["conv1.weight"][1] = 0.0
    line = vis.plot_flow(flow).axes[1].lines[0]
    assert np.isnan(line.get_ydata()).tolist() == [False, True, False, False, False]


def test_flow_on_given_axes(flow):
    figure, axes = plt.subplots(1, 2)
    assert vis.plot_flow(flow, axes=axes) is figure
    with pytest.raises(ValueError, match="axes must hold 6 axes, but there are 2"):
        vis.plot_flow(flow, show="spread", axes=axes)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"flow": 3}, TypeError, "flow must be a FlowRecorder, but it is a int"),
        ({"flow": FlowRecorder()}, ValueError, "flow is empty"),
        ({"show": "all"}, ValueError, "show must be 'size' or 'spread'"),
        ({"names": ["conv9.weight"]}, ValueError, "no 'conv9.weight' in flow; recorded are conv1"),
        ({"names": []}, ValueError, "names must hold 1 to 6 arrays, but there are 0"),
    ],
)
def test_flow_refused(flow, options, error, message):
    with pytest.raises(error, match=message):
        vis.plot_flow(**({"flow": flow} | options))


def test_larger_letters_for_a_projector(network, image):
    page = vis.plot_saliency(network, image)
    with vis.projector():
        wall = vis.plot_saliency(network, image)
    assert wall.dpi > page.dpi
    assert overlapping_texts(wall) == []
