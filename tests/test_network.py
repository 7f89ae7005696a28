"""Networks: shapes, names, predictions, and looking inside without touching anything."""

import re

import numpy as np
import pytest

from cnnedu import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    Softmax,
    gradient_check,
)
from cnnedu.architectures import ARCHITECTURES, build
from cnnedu.layers import conv2d_loops, max_pool2d_loops, softmax

IMAGES = np.random.default_rng(0).random((3, 1, 8, 8), np.float32)


def small(seed=0, **options):
    rng = np.random.default_rng(seed)
    return Sequential(
        [
            Conv2D(1, 2, 3, rng=rng),
            ReLU(),
            MaxPool2D(2),
            Conv2D(2, 3, 2, rng=rng),
            Flatten(),
            Dropout(0.5, rng=rng),
            Dense(12, 4, rng=rng),
        ],
        **{"input_shape": (1, 8, 8), **options},
    )


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("notebook", 10_194),
        ("cnn-rs", 27_194),
        ("competing-kernels", 45_676),
        ("lasagne", 160_362),
    ],
)
def test_the_named_networks_have_their_parameters(name, parameters):
    network = build(name, rng=np.random.default_rng(0))
    assert network.parameter_count == network.summary().parameters == parameters
    assert network.output_shape((1, 28, 28)) == (10,)
    assert set(ARCHITECTURES) == {"notebook", "cnn-rs", "competing-kernels", "lasagne"}
    with pytest.raises(ValueError, match="must be one of 'notebook', .*'lasagne', got 'lenet'"):
        build("lenet", rng=np.random.default_rng(0))


def test_where_the_named_networks_start():
    rng = np.random.default_rng(0)
    kernels = build("cnn-rs", rng=rng)["conv1"].params["weight"]
    assert kernels.min() >= 0 and 0.09 < kernels.max() < 1 / 9  # uniform in [0, 9) / 81
    weight = build("lasagne", rng=rng)["dense1"].params["weight"]
    limit = np.sqrt(6 / (512 + 256))  # Glorot
    assert 0.99 * limit < np.abs(weight).max() < limit
    for name, weight in build("competing-kernels", rng=rng).params.items():
        assert 0.98 < np.abs(weight).max() < 1 and abs(weight.mean()) < 0.1, name
    assert abs(build("notebook", rng=rng)["conv1"].params["weight"].std() - 1 / 9) < 0.03


def test_summary_counts_shapes_parameters_and_what_each_number_sees():
    summary = build("lasagne", rng=np.random.default_rng(0)).summary()
    rows = {row.name: row for row in summary.rows}
    assert [row.output_shape for row in summary.rows[:6]] == [
        (32, 24, 24),
        (32, 24, 24),
        (32, 12, 12),
        (32, 8, 8),
        (32, 8, 8),
        (32, 4, 4),
    ]
    assert rows["conv2"].parameters == 32 * 32 * 5 * 5 + 32
    # 5 after the first; pooling adds 1 step of 1; then 4 steps of 2; pooling 1 step of 2
    assert [rows[name].field.size[0] for name in ("conv1", "pool1", "conv2", "pool2")] == [
        5,
        5 + 1,
        6 + 4 * 2,
        14 + 2,
    ]
    assert rows["flatten1"].field == rows["dropout1"].field == rows["pool2"].field
    assert rows["dense1"].field is None
    assert "160,362" in str(summary) and repr(summary) == str(summary)


def test_receptive_field_is_what_the_gradient_reaches():
    rng = np.random.default_rng(0)
    network = Sequential(
        [Conv2D(1, 1, 3, stride=2, rng=rng), Conv2D(1, 1, (2, 3), dilation=2, rng=rng)],
        input_shape=(1, 20, 20),
    )
    reached = network.gradients(rng.random((1, 1, 20, 20)), (0, 0, 0))["input"][0, 0] != 0
    rows, columns = np.flatnonzero(reached.any(axis=1)), np.flatnonzero(reached.any(axis=0))
    field = network.summary().rows[-1].field
    assert field.size == (rows[-1] + 1, columns[-1] + 1)


def test_layers_by_name_and_position():
    network = small()
    assert network.names == ["conv1", "relu1", "pool1", "conv2", "flatten1", "dropout1", "dense1"]
    assert network["conv2"] is network[3] is network.layers[3] is list(network)[3]
    assert network[-1] is network["dense1"] and len(network) == 7
    for key in ("conv3", 7, -8):
        with pytest.raises(KeyError, match="there is no layer .*; the layers are conv1, relu1"):
            network[key]
    assert repr(network).startswith("Sequential([\n    Conv2D(1, 2, 3),")


def test_activations_are_the_textbooks_maps():
    network = small()
    found = network.activations(IMAGES)
    assert list(found) == network.names
    conv1 = conv2d_loops(IMAGES, network["conv1"].params["weight"], network["conv1"].params["bias"])
    np.testing.assert_allclose(found["conv1"], conv1, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found["relu1"], np.maximum(conv1, 0), rtol=1e-4, atol=1e-6)
    pooled = max_pool2d_loops(np.maximum(conv1, 0), 2)
    np.testing.assert_allclose(found["pool1"], pooled, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(found["dropout1"], found["flatten1"])
    np.testing.assert_allclose(found["dense1"], network.logits(IMAGES), rtol=1e-6)


def test_gradients_are_those_of_finite_differences():
    network, images = small(), IMAGES.astype(np.float64)
    for name in network.names:
        layer = network[name]
        layer.params = {key: array.astype(np.float64) for key, array in layer.params.items()}
    for target, layer, value in (
        (2, None, lambda x: network.logits(x)[:, 2].sum()),
        (np.array([0, 3, 1]), None, lambda x: network.logits(x)[[0, 1, 2], [0, 3, 1]].sum()),
        (1, "conv2", lambda x: network.activations(x)["conv2"][:, 1].sum()),
        ((1, 0, 1), "conv2", lambda x: network.activations(x)["conv2"][:, 1, 0, 1].sum()),
        (np.full((3, 4), 0.5), -1, lambda x: network.logits(x).sum() / 2),
    ):
        found = network.gradients(images, target, layer=layer)
        last = network.position(-1 if layer is None else layer)
        assert list(found) == ["input", *network.names[: last + 1]]
        activations = network.activations(images)
        assert all(found[name].shape == activations[name].shape for name in list(found)[1:])
        for index in [(0, 0, 1, 1), (1, 0, 4, 5), (2, 0, 3, 2)]:
            wiggle = np.zeros_like(images)
            wiggle[index] = 1e-6
            slope = (value(images + wiggle) - value(images - wiggle)) / 2e-6
            assert found["input"][index] == pytest.approx(slope, abs=1e-7)


def test_looking_inside_touches_nothing_of_a_training_under_way():
    watched, alone = small(), small()
    rng = np.random.default_rng(1)
    grad_y = rng.normal(size=(3, 4)).astype(np.float32)
    watched.forward(IMAGES, training=True)
    alone.forward(IMAGES, training=True)
    watched.activations(IMAGES[:2])
    watched.gradients(IMAGES[:2], 1)
    watched.predict(IMAGES)
    watched.backward(grad_y)
    alone.backward(grad_y)
    for name, grad in watched.grads.items():
        np.testing.assert_array_equal(grad, alone.grads[name])
    np.testing.assert_array_equal(
        watched.forward(IMAGES, training=True), alone.forward(IMAGES, training=True)
    )


def test_a_network_is_a_layer():
    network = small()
    assert set(network.params) == {
        f"{layer}.{name}" for layer in ("conv1", "conv2", "dense1") for name in ("weight", "bias")
    }
    report = gradient_check(
        network, IMAGES, np.array([0, 3, 1]), training=True, rng=np.random.default_rng(2)
    )
    assert set(report.errors) == {"input", *network.params}
    assert report.max_error < 1e-6, report


def test_without_input_gradient_the_parameters_get_the_same():
    network = small()
    y = network.forward(IMAGES)
    full = network.backward(np.ones_like(y))
    grads = {name: grad.copy() for name, grad in network.grads.items()}
    network.forward(IMAGES)
    assert full.shape == IMAGES.shape
    assert network.backward(np.ones_like(y), input_gradient=False) is None
    for name, grad in network.grads.items():
        np.testing.assert_array_equal(grad, grads[name])


def test_predictions():
    network = small()
    logits = network.logits(IMAGES)
    np.testing.assert_array_equal(network.predict(IMAGES), logits.argmax(axis=1))
    np.testing.assert_allclose(network.predict_proba(IMAGES), softmax(logits))
    assert network.predict(IMAGES).dtype == np.int64
    many = np.tile(IMAGES, (70, 1, 1, 1))  # more than one piece
    for workers in (1, 2, 3):
        np.testing.assert_allclose(
            network.logits(many, workers=workers), np.tile(logits, (70, 1)), rtol=1e-5, atol=1e-6
        )
    # A student's images are often float64: they are computed in the network's own dtype.
    assert network.logits(IMAGES.astype(np.float64)).dtype == np.float32


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (IMAGES[0], ValueError, "got (1, 8, 8): a single image, use images[None]"),
        (IMAGES[0, 0], ValueError, "without its channel axis, use images[None, None]"),
        (IMAGES[:, 0], ValueError, "the channel axis is missing, use images[:, None]"),
        (
            np.zeros((2, 1, 9, 8), np.float32),
            ValueError,
            "must have shape (N, 1, 8, 8), got (2, 1, 9, 8)",
        ),
        (IMAGES[:0], ValueError, "images must hold at least one image, got shape (0, 1, 8, 8)"),
        ((IMAGES * 255).astype(np.uint8), TypeError, "divide images by 255"),
        (
            np.where(IMAGES[1, 0, 2, 3] == IMAGES, np.nan, IMAGES),
            ValueError,
            "got nan at [1, 0, 2, 3]",
        ),
        (
            np.where(IMAGES[0, 0, 0, 0] == IMAGES, np.inf, IMAGES),
            ValueError,
            "got inf at [0, 0, 0, 0]",
        ),
        ([[0.0]], TypeError, "got list; use np.asarray(images, np.float32)"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "predict_proba", "activations"])
def test_bad_images_are_a_clear_error(method, images, error, message):
    with pytest.raises(error, match=re.escape(message)):
        getattr(small(), method)(images)


def test_huge_finite_images_are_not_taken_for_infinite():
    images = np.full((1, 1, 8, 8), 3e38, np.float32)
    assert small().check_images(images) is images


def test_bad_networks_are_a_clear_error():
    rng = np.random.default_rng(0)
    relu = ReLU()
    for layers, error, message in (
        ([], ValueError, "a network needs at least one layer, got none"),
        ([ReLU], TypeError, "layer 0 must be a layer, got <class"),
        ([small()], TypeError, "write out its layers, Sequential([*network, ...])"),
        (relu, TypeError, "the layers must be given in one list"),
        ([relu, relu], ValueError, "layer 1, ReLU(), is already in the network"),
        ([Dense(64, 4, rng=rng)], ValueError, "needs an input of shape (64,), got (1, 8, 8)"),
        ([Conv2D(3, 4, 3, rng=rng)], ValueError, "(3, rows, columns), got (1, 8, 8)"),
    ):
        with pytest.raises(error, match=re.escape(message)):
            Sequential(layers, input_shape=(1, 8, 8))


def test_an_error_says_in_which_layer_it_happened():
    network = small(input_shape=None)
    with pytest.raises(ValueError, match="x must have 12 features") as raised:
        network.forward(np.ones((1, 1, 9, 12), np.float32))
    assert raised.value.__notes__ == [
        "in layer dense1, Dense(12, 4)",
    ]


def test_bad_targets_are_a_clear_error():
    network = small()
    for target, layer, error, message in (
        (4, None, ValueError, "there is no output 4: one output of this layer has shape (4,)"),
        ((0, 9, 9), "conv1", ValueError, "there is no output (0, 9, 9)"),
        (np.array([0, 1]), None, ValueError, "one number per image, shape (3,), got (2,)"),
        (np.ones((3, 5)), None, ValueError, "the shape of the output, (3, 4), got (3, 5)"),
        ("two", None, TypeError, "target must be made of whole numbers"),
        (0, "conv9", KeyError, "there is no layer 'conv9'"),
    ):
        with pytest.raises(error, match=re.escape(message)):
            network.gradients(IMAGES, target, layer=layer)


def test_softmax_twice_is_a_clear_error():
    network = Sequential([Flatten(), Dense(64, 4, rng=np.random.default_rng(0)), Softmax()])
    with pytest.raises(ValueError, match="softmax would be applied twice"):
        network.predict_proba(IMAGES)


def test_a_prediction_needs_one_row_of_scores_per_image():
    network = Sequential([Conv2D(1, 2, 3, rng=np.random.default_rng(0))])
    with pytest.raises(ValueError, match=r"end it with Flatten\(\) and Dense"):
        network.predict(IMAGES)
    with pytest.raises(ValueError, match="the summary needs the shape of one input"):
        network.summary()
    assert network.summary((1, 8, 8)).parameters == 20
