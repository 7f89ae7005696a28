"""Figures of networks and trainings: what is drawn is what the network has and computes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from cnnedu import visualization as vis
from cnnedu.architectures import build
from cnnedu.layers import AvgPool2D, Conv2D, Dense, Flatten, MaxPool2D, ReLU
from cnnedu.network import Sequential
from cnnedu.visualization.networks import receptive_box


@pytest.fixture
def network(rng):
    """Return two convolutions with padding, stride and dilation, for images of 12 x 10."""
    layers = [
        Conv2D(1, 4, 3, padding=1, rng=rng),
        ReLU(),
        MaxPool2D(2),
        Conv2D(4, 5, (3, 2), stride=(1, 2), padding="same", dilation=(2, 1), rng=rng),
        AvgPool2D(3, 1),
        Flatten(),
        Dense(20, 3, rng=rng),
    ]
    return Sequential(layers, input_shape=(1, 12, 10))


class Run:
    """What a training leaves behind."""

    def __init__(self, loss, accuracy=(), validation_loss=(), validation_accuracy=()):
        self.loss, self.accuracy = loss, accuracy
        self.validation_loss, self.validation_accuracy = validation_loss, validation_accuracy


def arrays(figure):
    return [np.asarray(ax.images[0].get_array()) for ax in figure.axes if ax.images]


def titles(figure):
    return [ax.get_title() for ax in figure.axes if ax.images]


# Filters and maps of a network


def test_filters_of_a_layer_or_a_network(network):
    weight = network["conv1"].params["weight"]
    for figure in (vis.plot_filters(network["conv1"]), vis.plot_filters(network)):
        assert np.array_equal(np.stack(arrays(figure)), weight[:, 0])
    mosaic = arrays(vis.plot_filters(network, layer="conv2"))[0]
    assert np.array_equal(mosaic[:3, :2], network["conv2"].params["weight"][0, 0])


def test_filters_of_a_layer_without_kernels(network):
    with pytest.raises(ValueError, match=r"needs a convolution layer.* but Dense has weights of"):
        vis.plot_filters(network["dense1"])
    with pytest.raises(ValueError, match=r"needs a convolution layer.* but ReLU has no weights"):
        vis.plot_filters(network, layer="relu1")
    with pytest.raises(KeyError, match="there is no layer 'conv9'"):
        vis.plot_filters(network, layer="conv9")
    with pytest.raises(ValueError, match="network with a convolution layer, but it has none"):
        vis.plot_filters(Sequential([Flatten()]))


@pytest.mark.parametrize("shape", [(12, 10), (1, 12, 10), (1, 1, 12, 10)])
def test_feature_maps_are_the_networks_own(network, rng, shape):
    image = rng.random((1, 1, 12, 10), dtype=np.float32)
    expected = network.activations(image)["conv2"][0]
    figure = vis.plot_feature_maps(network, image.reshape(shape), "conv2")
    drawn = arrays(figure)
    assert np.array_equal(drawn[0], image[0, 0])
    assert np.array_equal(np.stack(drawn[1:]), expected)
    assert titles(figure) == ["image", "0", "1", "2", "3", "4"]
    assert figure.alt.startswith("conv2: 5 maps of 6 × 3")


def test_feature_maps_after_relu_are_not_signed(network, rng):
    image = rng.random((12, 10), dtype=np.float32)
    figure = vis.plot_feature_maps(network, image, 1)
    assert figure.axes[1].images[0].get_clim()[0] == 0
    assert figure.axes[1].images[0].get_cmap().name == "viridis"
    figure = vis.plot_feature_maps(network, image)
    low, high = figure.axes[1].images[0].get_clim()
    assert low == -high


def test_feature_maps_of_a_network_refused(network, rng):
    image = rng.random((1, 1, 12, 10), dtype=np.float32)
    with pytest.raises(ValueError, match="needs the image"):
        vis.plot_feature_maps(network)
    with pytest.raises(ValueError, match=r"'dense1' has no maps.*layers with maps: conv1, relu1"):
        vis.plot_feature_maps(network, image, "dense1")
    with pytest.raises(ValueError, match="no layer 'conv7'; its layers are conv1, relu1"):
        vis.plot_feature_maps(network, image, "conv7")
    with pytest.raises(ValueError, match=r"layer must be 0 .. 6 or a name, but it is 7"):
        vis.plot_feature_maps(network, image, 7)
    with pytest.raises(ValueError, match="single image"):
        vis.plot_feature_maps(network, np.repeat(image, 2, axis=0), "conv1")
    with pytest.raises(ValueError, match=r"images must have shape \(N, 1, 12, 10\)"):
        vis.plot_feature_maps(network, np.zeros((1, 1, 9, 9), np.float32), "conv1")


# The diagram


def test_network_diagram_names_every_layer_and_its_numbers():
    figure = vis.plot_network(build("lasagne", rng=np.random.default_rng(0)))
    texts = [text.get_text() for text in figure.axes[0].texts]
    for shape in ("1 × 28 × 28", "32 × 24 × 24", "32 × 12 × 12", "32 × 8 × 8", "512", "256", "10"):
        assert shape in texts
    joined = "\n".join(texts)
    for part in ("conv2", "+ relu2", "+ dropout2", "832 par.", "25,632 par.", "131,328 par."):
        assert part in joined
    assert "sees 5 × 5" in joined
    assert figure.texts[0].get_text() == "12 layers, 160,362 parameters"
    assert "conv2 32 x 8 x 8 (25,632 parameters), sees 14 x 14 pixels" in figure.alt
    # The input is one sheet, a block of maps at most seven, a vector one bar.
    assert len(figure.axes[0].patches) == 1 + 4 * 7 + 3


def test_network_diagram_needs_a_shape(network):
    bare = Sequential([Conv2D(3, 2, 3, rng=np.random.default_rng(0))])
    figure = vis.plot_network(bare, (3, 9, 9))
    assert "conv1 2 x 7 x 7" in figure.alt
    with pytest.raises(ValueError, match="needs the shape of one input"):
        vis.plot_network(bare)
    with pytest.raises(TypeError, match="must be a network, but it is a ndarray"):
        vis.plot_network(np.zeros(3))


def test_network_diagram_of_a_long_network_breaks_into_rows(rng):
    layers = [each for _ in range(9) for each in (Conv2D(1, 1, 3, rng=rng), ReLU())]
    figure = vis.plot_network(Sequential(layers, input_shape=(1, 28, 28)))
    assert figure.get_figwidth() <= 9.0
    names = [t for t in figure.axes[0].texts if t.get_text().startswith("conv")]
    assert len(names) == 9
    assert len({round(name.get_position()[1], 3) for name in names}) == 2


# Receptive fields


def test_receptive_box_is_where_the_gradient_is(network, rng):
    """The pixels a unit sees are the pixels that its gradient reaches."""
    for layer in ("conv1", "relu1", "pool1", "conv2", "pool2"):
        # All weights positive and no maximum lost: every pixel in the field matters to somebody.
        seen = np.zeros((12, 10), dtype=bool)
        shape = network.activations(np.zeros((1, 1, 12, 10), np.float32))[layer].shape
        row, column = shape[2] // 2, shape[3] // 2
        for _ in range(60):
            image = rng.normal(size=(1, 1, 12, 10)).astype(np.float32)
            for channel in range(shape[1]):
                gradient = network.gradients(image, (channel, row, column), layer=layer)["input"]
                seen |= gradient[0, 0] != 0
        top, bottom, left, right = receptive_box(network, layer, row, column, (12, 10))
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        assert (max(top, 0), min(bottom, 12)) == (rows[0], rows[-1] + 1), layer
        assert (max(left, 0), min(right, 10)) == (columns[0], columns[-1] + 1), layer


def test_receptive_field_frames_and_cuts_out(network, rng):
    image = rng.random((12, 10))
    figure = vis.plot_receptive_field(image, network=network, layer="pool1", row=2, column=1)
    # Pool row 2 takes conv rows 4 and 5, which see image rows 3 to 6; columns 2, 3 see 1 to 4.
    assert np.array_equal(arrays(figure)[1], image[3:7, 1:5])
    (box,) = [p for p in figure.axes[0].patches if p.get_label() == "frame"]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (0.5, 2.5, 4, 4)
    assert "pool1 (2, 1) of a picture of 12 x 10: rows 3 to 6, columns 1 to 4." in figure.alt


def test_receptive_field_beyond_the_border_counts_the_padding(network, rng):
    image = rng.random((12, 10))
    figure = vis.plot_receptive_field(image, network=network, layer="conv1", row=0, column=0)
    assert np.array_equal(arrays(figure)[1], image[:2, :2])
    assert titles(figure)[1].replace("\n", " ") == "conv1 (0, 0) sees 3 × 3 pixels"
    assert "beyond its border up to 3 x 3 with the padding" in figure.alt


def test_receptive_field_of_a_dense_layer_is_everything(network, rng):
    image = rng.random((12, 10))
    figure = vis.plot_receptive_field(image, network=network, layer="dense1")
    assert np.array_equal(arrays(figure)[1], image)


def test_receptive_field_given_as_a_box(rng):
    image = rng.random((12, 10))
    figure = vis.plot_receptive_field(image, (slice(2, 5), slice(0, 4)))
    assert np.array_equal(arrays(figure)[1], image[2:5, :4])


def test_receptive_field_refused(network, rng):
    image = rng.random((12, 10))
    with pytest.raises(ValueError, match="either a box"):
        vis.plot_receptive_field(image)
    with pytest.raises(ValueError, match="either a box"):
        vis.plot_receptive_field(image, (slice(0, 2), 0), network=network)
    with pytest.raises(ValueError, match="needs layer="):
        vis.plot_receptive_field(image, network=network)
    with pytest.raises(ValueError, match="row must be a whole number from 0 to 11, but it is 12"):
        vis.plot_receptive_field(image, network=network, layer="conv1", row=12)
    with pytest.raises(ValueError, match="12 x 10 pixels, as the network's input"):
        vis.plot_receptive_field(np.zeros((9, 9)), network=network, layer="conv1")
    with pytest.raises(ValueError, match="box: rows must be"):
        vis.plot_receptive_field(image, (slice(5, 20), 0))


# Curves


def test_history_of_one_training():
    run = Run([2.0, 1.0, 0.5], [0.3, 0.6, 0.9], [2.1, 1.2, 0.8], [0.2, 0.5, 0.7])
    figure = vis.plot_history(run)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert loss.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert loss.lines[0].get_ydata().tolist() == [2.0, 1.0, 0.5]
    assert accuracy.lines[1].get_ydata().tolist() == [0.2, 0.5, 0.7]
    assert (loss.get_ylabel(), accuracy.get_ylabel()) == ("loss", "accuracy")
    assert loss.get_xlabel() == "epoch"
    assert loss.lines[0].get_linestyle() != loss.lines[1].get_linestyle()
    assert len(loss.collections) == 0
    assert "training loss from 2 to 0.5" in figure.alt
    assert "validation accuracy from 0.2 to 0.7" in figure.alt


def test_history_of_several_seeds_is_a_mean_and_a_band():
    figure = vis.plot_history([Run([2.0, 1.0]), Run([4.0, 3.0]), Run([3.0, 2.0])])
    (loss,) = figure.axes
    assert loss.lines[0].get_ydata().tolist() == [3.0, 2.0]
    (band,) = loss.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == 1.0
    assert corners[:, 1].max() == 4.0
    assert "mean of 3 seeds" in figure.alt
    assert "training loss from 3 to 2 (1 to 3)" in figure.alt


def test_history_of_seeds_that_stopped_at_different_epochs():
    figure = vis.plot_history([Run([2.0, 1.0, 0.5]), Run([4.0])])
    assert figure.axes[0].lines[0].get_ydata().tolist() == [3.0, 1.0, 0.5]
    assert "(0.5 to 4)" in figure.alt


def test_history_by_name_and_as_dictionaries():
    figure = vis.plot_history({"SGD": {"loss": [1.0, 0.5]}, "Adam": [Run([1.0, 0.2])]})
    labels = [line.get_label() for line in figure.axes[0].lines]
    assert labels == ["SGD, training", "Adam, training"]
    colors = {line.get_color() for line in figure.axes[0].lines}
    assert len(colors) == 2
    assert "SGD: 2 epochs; training loss from 1 to 0.5. Adam: 2 epochs" in figure.alt


def test_history_on_given_axes():
    figure, axes = plt.subplots(1, 2)
    assert vis.plot_history(Run([1.0], [0.5]), axes=axes) is figure
    assert len(axes[1].lines) == 1
    with pytest.raises(ValueError, match="axes must hold 2 axes, but there are 1"):
        vis.plot_history(Run([1.0], [0.5]), axes=axes[0])


@pytest.mark.parametrize(
    ("histories", "message"),
    [
        ([], "histories is empty"),
        ({}, "histories is empty"),
        (Run([]), "must have `loss`, one number per epoch, but Run has none"),
        (Run([1.0, np.nan]), "loss must be finite"),
        (Run([[1.0]]), "one number per epoch, but its shape is"),
        (3, "int has none"),
    ],
)
def test_history_refused(histories, message):
    with pytest.raises(ValueError, match=message):
        vis.plot_history(histories)


# The confusion matrix


def test_confusion_counts():
    labels = np.array([0, 0, 1, 1, 1, 2])
    predictions = np.array([0, 1, 1, 2, 2, 2])
    figure = vis.plot_confusion(labels, predictions)
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.data.tolist() == [[1, 1, 0], [0, 1, 2], [0, 0, 1]]
    assert drawn.mask.tolist() == np.eye(3, dtype=bool).tolist()
    assert figure.axes[0].images[0].get_clim() == (0, 2)
    shades = figure.axes[0].images[0].to_rgba(np.array([0, 1, 2]), bytes=True)
    assert shades[0].tolist() == [255, 255, 255, 255]  # no error: white
    assert shades[1, 2] > shades[2, 2]  # more errors: darker
    written = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert written == {(0, 0): "1", (1, 0): "1", (1, 1): "1", (2, 1): "2", (2, 2): "1"}
    assert figure.axes[0].get_title() == "3 of 6 right (50.0 %)"
    assert "1 read as 2 (2 times), 0 read as 1 (1 time)" in figure.alt


def test_a_single_error_is_darker_than_the_diagonal_even_in_gray():
    labels = np.repeat([0, 1, 1], [1, 30, 30])
    predictions = np.repeat([1, 0, 1], [1, 30, 30])
    figure = vis.plot_confusion(labels, predictions)
    ax = figure.axes[0]
    error = ax.images[0].to_rgba(np.array([1]))[0]
    assert error[:3] @ [0.2126, 0.7152, 0.0722] < ax.get_facecolor()[0] - 0.03


def test_confusion_without_errors_and_with_names():
    labels = np.array([0, 1, 2])
    figure = vis.plot_confusion(labels, labels, classes=["zero", "one", "two"])
    assert figure.alt.endswith("3 of 3 read correctly; no errors.")
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["zero", "one", "two"]


def test_confusion_refused():
    with pytest.raises(ValueError, match="predictions must hold 2 labels, but there are 3"):
        vis.plot_confusion(np.array([0, 1]), np.array([0, 1, 2]))
    with pytest.raises(ValueError, match="classes must name 3 classes, but there are 2"):
        vis.plot_confusion(np.array([0, 2]), np.array([0, 1]), classes=["a", "b"])
    with pytest.raises(ValueError, match="too many for one matrix"):
        vis.plot_confusion(np.array([0, 99]), np.array([0, 1]))
    with pytest.raises(ValueError, match="labels is empty"):
        vis.plot_confusion(np.array([], dtype=int), np.array([], dtype=int))


def test_images_with_three_channels_are_drawn_in_color(rng):
    network = Sequential([Conv2D(3, 2, 3, rng=rng)], input_shape=(3, 9, 8))
    image = rng.random((3, 9, 8)).astype(np.float32)
    color = np.moveaxis(image, 0, -1)
    figure = vis.plot_receptive_field(image, network=network, layer="conv1", row=2, column=1)
    assert np.array_equal(arrays(figure)[0], color)
    assert np.array_equal(arrays(figure)[1], color[2:5, 1:4])
    maps = vis.plot_feature_maps(network, image, "conv1")
    assert np.array_equal(arrays(maps)[0], color)
    assert np.allclose(arrays(maps)[1], network.activations(image[None])["conv1"][0, 0])
